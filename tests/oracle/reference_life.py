"""Rules 4 and 5: the visits, the result and the slips of one deal."""

from typing import cast

from stream_app.domain.events import EventType
from tests.oracle.reference_terms import DEALS
from tests.oracle.reference_thread import Thread


class Life:
    """A deal's result, visits and slips, as places of events in the thread."""

    def __init__(self) -> None:
        self.seen = False
        self.result: int | None = None
        self.stage: str | None = None
        self.entered = -1
        self.visited: str | None = None
        self.entries: list[tuple[int, str]] = []
        self.exits: list[tuple[int, str, int, bool]] = []
        self.slips: list[int] = []

    def enter(self, stage: str | None, place: int) -> None:
        self.stage, self.entered = stage, place
        if stage is not None:
            self.visited = stage
            self.entries.append((place, stage))

    def leave(self, place: int, *, advanced: bool) -> None:
        if self.stage is not None:
            self.exits.append((place, self.stage, self.entered, advanced))
        self.stage = None


def life_of(thread: Thread, deal: str, until: int) -> Life:
    """What has become of a deal up to an event; the pipeline's order is the last known."""
    key = ("life", deal, until)
    if key in thread.memory:
        return cast("Life", thread.memory[key])
    life = thread.memory[key] = Life()
    for place in thread.positions(DEALS, "deal_id", deal):
        if place <= until:
            step(thread, deal, life, place)
    return life


def step(thread: Thread, deal: str, life: Life, place: int) -> None:
    before, after = thread.deal_at(deal, place - 1), thread.deal_at(deal, place)
    order = thread.stages(thread.deal_at(deal, thread.end))
    event = thread.events[place]
    stage = event.data.get("stage")
    was_open = life.result is None
    fills_only = life.seen and event.type == EventType.DEAL_CREATED
    life.seen = True
    if event.type in {EventType.DEAL_WON, EventType.DEAL_LOST}:
        won = event.type == EventType.DEAL_WON
        if was_open:
            life.leave(place, advanced=won)
        if was_open or thread.events[life.result or 0].type != event.type:
            life.result = place
        return
    old, new = before.get("expected_close_on"), after.get("expected_close_on")
    if was_open and old is not None and new is not None and new > old:
        life.slips.append(place)
    if not was_open:
        # AMBIGUOUS: configured means in the pipeline in force at that event.
        known = stage in thread.stages(after)
        if event.type == EventType.DEAL_REOPENED:
            life.result = None
            life.enter(stage if stage is not None else life.visited, place)
        elif event.type == EventType.DEAL_STAGE_CHANGED and known:
            life.result = None
            life.enter(stage, place)
        return
    silent = "stage" not in event.data
    if fills_only:
        said = before.get("stage") is not None or life.stage is not None
        silent = stage is None or said
    if silent or stage == life.stage:
        return
    further = (
        stage in order and life.stage in order and order.index(stage) > order.index(life.stage)
    )
    life.leave(place, advanced=further)
    life.enter(stage, place)
