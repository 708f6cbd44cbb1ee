"""The fold once more: slow, plain, and written from contract.md and kpis.md alone.

Everything is recomputed from scratch for every question that is asked. Nothing is shared with
`stream_app.domain` but the types of events and of the configuration and the table of currencies.
Where the contract leaves a choice, the comment starts with AMBIGUOUS.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from fractions import Fraction
from functools import cache
from typing import Any

from stream_app.config.model import Config
from stream_app.domain.currencies import MINOR_UNIT_EXPONENTS
from stream_app.domain.events import Event, EventType

Data = Mapping[str, Any]
When = int | date
"""An instant in microseconds; a date for what is known to the day only."""
Cell = tuple[str, str]
"""Dimension and member, as `kpi.values` names them: `("source+technique", "web+trial")`."""
Count = tuple[str, str | None]
"""Measure and currency; None where it is no money."""
Cells = dict[Cell, dict[Count, dict[When, int]]]
Credited = Callable[[str], str]
"""Dimension → member."""

UNASSIGNED = "unassigned"
FLOWS_OF_STAGES = {"stage_entered", "stage_left", "stage_advanced", "dwell_seconds"}
BY_STAGE = FLOWS_OF_STAGES | {
    "open_deals", "open_value", "closing_value", "still_open", "still_open_value",
}  # fmt: skip
LEADS = {EventType.LEAD_CREATED, EventType.LEAD_UPDATED, EventType.LEAD_DELETED}
DEALS = set(range(EventType.DEAL_CREATED, EventType.DEAL_DELETED + 1))

Money = tuple[int, int | None, int]
"""Amount, cost if there is one, and the amount of what has a cost; minor units."""


def local_day(instant: int, zone: tzinfo) -> date:
    """The business day of an instant."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=instant)
    return moment.astimezone(zone).date()


@cache
def first_instant(day: date, zone: tzinfo) -> int:
    """The first instant of a business day; clocks change at quarters of an hour."""
    noon_before = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=36)
    instant = int(noon_before.timestamp()) * 1_000_000
    while local_day(instant, zone) < day:
        instant += 15 * 60 * 1_000_000
    return instant


def half_even(value: Fraction) -> int:
    return round(value)  # Fraction rounds half to even


def minor(ten_thousandths: int, currency: str) -> int:
    return half_even(Fraction(ten_thousandths * 10 ** MINOR_UNIT_EXPONENTS[currency], 10_000))


def in_order(events: Sequence[Event]) -> list[Event]:
    """Rule 1."""
    unnumbered = {event.time for event in events if event.sequence is None}

    def place(event: Event) -> tuple[int, int, int, str, str]:
        number = 0 if event.time in unnumbered else event.sequence
        assert number is not None
        return (event.time, number, min(event.type, 10), event.source, event.id)

    return sorted(events, key=place)


class Thread:
    """All questions about the accepted events of one Kafka key."""

    def __init__(self, events: Sequence[Event], config: Config) -> None:
        self.config = config
        self.zone = config.business.timezone
        self.events = in_order(events)
        self.end = len(self.events) - 1

    def positions(self, types: set[int], field: str, identity: str) -> list[int]:
        return [
            place
            for place, event in enumerate(self.events)
            if event.type in types and event.data[field] == identity
        ]

    def identities(self, types: set[int], field: str) -> list[str]:
        return sorted({event.data[field] for event in self.events if event.type in types})

    # --- rule 2 and 3: attributes

    def lead_at(self, lead: str, place: int) -> Data:
        merged: dict[str, Any] = {}
        for each in self.positions(LEADS, "lead_id", lead):
            if each <= place:
                merged |= self.events[each].data
        return merged

    def deal_at(self, deal: str, place: int) -> Data:
        merged: dict[str, Any] = {}
        for number, each in enumerate(self.positions(DEALS, "deal_id", deal)):
            event = self.events[each]
            if each > place:
                continue
            for name, value in event.data.items():
                late = event.type == EventType.DEAL_CREATED and number > 0
                if not late or (value is not None and merged.get(name) is None):
                    merged[name] = value
        return merged

    def customer_at(self, customer: str, place: int) -> Data:
        types: set[int] = {EventType.CUSTOMER_ACTIVATED, EventType.CUSTOMER_CHURNED}
        merged: dict[str, Any] = {}
        for each in self.positions(types, "customer_id", customer):
            if each <= place:
                merged |= self.events[each].data
        return merged

    def lead_of(self, deal: str) -> str | None:
        # AMBIGUOUS: the lead is the one named last, for the whole history of the deal.
        named: str | None = self.deal_at(deal, self.end).get("lead_id")
        leads = self.identities(LEADS, "lead_id")
        return named if named is not None else leads[0] if len(leads) == 1 else None

    def deals_of(self, lead: str) -> list[str]:
        """By first event, the earliest first; without the deleted ones."""
        deals = [
            deal
            for deal in self.identities(DEALS, "deal_id")
            if self.lead_of(deal) == lead and not self.is_deleted(deal)
        ]
        return sorted(deals, key=lambda deal: self.positions(DEALS, "deal_id", deal)[0])

    def as_of(self, dimension: str, place: int) -> int:
        """Up to which event a dimension of what happened at `place` is credited."""
        rule = self.config.credit.get(
            dimension, "at_time" if dimension in {"rep", "team"} else "latest"
        )
        if rule == "latest":
            return self.end
        # AMBIGUOUS: an update of the very instant holds already, whatever its rank.
        return max(i for i, e in enumerate(self.events) if e.time == self.events[place].time)

    def credited(self, said: Callable[[str, int], str | None], place: int) -> Credited:
        def member(dimension: str) -> str:
            value = said(dimension, self.as_of(dimension, place))
            if value is None and dimension == "team":
                rep = self.config.directory.get(said("rep", self.as_of("rep", place)) or "")
                value = rep.team if rep else None
            return UNASSIGNED if value is None else value

        return member

    def deal_says(self, deal: str) -> Callable[[str, int], str | None]:
        lead = self.lead_of(deal)

        def said(dimension: str, place: int) -> str | None:
            own: str | None = self.deal_at(deal, place).get(dimension)
            if own is None and lead is not None:
                return self.lead_at(lead, place).get(dimension)
            return own

        return said

    def lead_says(self, lead: str) -> Callable[[str, int], str | None]:
        deals = self.deals_of(lead)

        def said(dimension: str, place: int) -> str | None:
            own: str | None = self.lead_at(lead, place).get(dimension)
            if own is None and deals:
                # AMBIGUOUS: what the deal itself says, not what it inherits in turn.
                first = self.positions(DEALS, "deal_id", deals[0])[0]
                return self.deal_at(deals[0], first).get(dimension)
            return own

        return said

    # --- rules 4 and 5: the life of a deal

    def is_deleted(self, deal: str) -> bool:
        deleted = False
        for place in self.positions(DEALS, "deal_id", deal):
            kind = self.events[place].type
            if kind in {EventType.DEAL_DELETED, EventType.DEAL_CREATED, EventType.DEAL_REOPENED}:
                deleted = kind == EventType.DEAL_DELETED
        return deleted

    def stages(self, pipeline: str | None) -> list[str]:
        # AMBIGUOUS: a deal that names no pipeline is in `default`, or in the only one.
        pipelines = self.config.pipelines
        if pipeline is None:
            pipeline = next(iter(pipelines)) if len(pipelines) == 1 else "default"
        return [stage.name for stage in pipelines[pipeline].stages] if pipeline in pipelines else []

    def life(self, deal: str, until: int) -> "Life":
        """What has become of a deal up to an event; the pipeline's order is the last known."""
        life = Life()
        order = self.stages(self.deal_at(deal, self.end).get("pipeline"))
        for number, place in enumerate(self.positions(DEALS, "deal_id", deal)):
            if place <= until:
                before = self.deal_at(deal, place - 1)
                after = self.deal_at(deal, place)
                late = number > 0 and self.events[place].type == EventType.DEAL_CREATED
                self.step(life, place, before, after, order, fills_only=late)
        return life

    def step(
        self,
        life: "Life",
        place: int,
        before: Data,
        after: Data,
        order: list[str],
        *,
        fills_only: bool,
    ) -> None:
        event = self.events[place]
        stage = event.data.get("stage")
        was_open = life.result is None
        life.seen = True
        if event.type in {EventType.DEAL_WON, EventType.DEAL_LOST}:
            won = event.type == EventType.DEAL_WON
            if was_open:
                life.leave(place, advanced=won)
            if was_open or self.events[life.result or 0].type != event.type:
                life.result = place
            return
        old, new = before.get("expected_close_on"), after.get("expected_close_on")
        if was_open and old is not None and new is not None and new > old:
            life.slips.append(place)
        if not was_open:
            # AMBIGUOUS: configured means in the pipeline in force at that event.
            known = stage in self.stages(after.get("pipeline"))
            if event.type == EventType.DEAL_REOPENED:
                life.result = None
                life.enter(stage if stage is not None else life.visited, place)
            elif event.type == EventType.DEAL_STAGE_CHANGED and known:
                life.result = None
                life.enter(stage, place)
            return
        silent = "stage" not in event.data
        if fills_only:
            silent = stage is None or before.get("stage") is not None
        if silent or stage == life.stage:
            return
        further = (
            stage in order and life.stage in order and order.index(stage) > order.index(life.stage)
        )
        life.leave(place, advanced=further)
        life.enter(stage, place)

    # --- rule 6: money

    def currency(self, attributes: Data) -> str:
        return attributes.get("currency") or self.config.business.currency

    def lines(self, attributes: Data) -> dict[str, Money]:
        """Money by product line; two lines of one product line are one member."""
        currency = self.currency(attributes)
        money: dict[str, Money] = {}
        for product_line, amount, cost in attributes.get("lines") or []:
            # AMBIGUOUS: every line is rounded by itself, also inside the deal's sum.
            units = minor(amount or 0, currency)
            member = UNASSIGNED if product_line is None else product_line
            total, costs, costed = money.get(member, (0, None, 0))
            if cost is not None:
                costs, costed = (costs or 0) + minor(cost, currency), costed + units
            money[member] = (total + units, costs, costed)
        return money

    def money(self, attributes: Data) -> Money:
        currency = self.currency(attributes)
        lines = self.lines(attributes).values()
        if attributes.get("amount") is not None:
            amount = minor(attributes["amount"], currency)
        else:
            amount = sum(line[0] for line in lines)
        cost: int | None = None
        if attributes.get("cost") is not None:
            cost = minor(attributes["cost"], currency)
        elif any(line[1] is not None for line in lines):
            cost = sum(line[1] or 0 for line in lines)
        return amount, cost, amount if cost is not None else 0


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


def thread_cells(events: Sequence[Event], config: Config) -> Cells:
    """Every measure of one thread, exactly."""
    from tests.oracle.reference_measures import measured  # noqa: PLC0415 - the second half

    cells: Cells = {}
    for cell, count, when, value in measured(Thread(events, config)):
        row = cells.setdefault(cell, {}).setdefault(count, defaultdict(int))
        row[when] += value
    return without_zeros(cells)


def log_cells(threads: Iterator[Sequence[Event]] | Sequence[Sequence[Event]], config: Config) -> Cells:
    """The sum over all threads."""
    total: Cells = {}
    for events in threads:
        for cell, counts in thread_cells(events, config).items():
            for count, values in counts.items():
                row = total.setdefault(cell, {}).setdefault(count, defaultdict(int))
                for when, value in values.items():
                    row[when] += value
    return without_zeros(total)


def without_zeros(cells: Cells) -> Cells:
    kept: Cells = {}
    for cell, counts in cells.items():
        for count, values in counts.items():
            left = {when: value for when, value in values.items() if value}
            if left:
                kept.setdefault(cell, {})[count] = left
    return kept
