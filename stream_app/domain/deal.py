"""One deal of a thread: its attributes, visits, status and what it counts (contract.md, rules 2-6).

A deal is folded event by event in the thread's order. What can no longer change by itself (a
completed visit, a day's movement of a stock) is *sealed*: appended to a list that only grows.
What the present state implies (creation, the result that stands, what is open) is *volatile* and
built anew. So an event that sorts last costs the same in a thread of five events or five thousand.
"""

from typing import Any, Final

from stream_app.domain import deal_facts
from stream_app.domain.deal_facts import WINNING, Passage, Stock
from stream_app.domain.events import Event, EventType
from stream_app.domain.facts import Fact, Measures, Members
from stream_app.domain.lead import Lead, raw_members
from stream_app.domain.rules import FoldRules
from stream_app.domain.sizing import MONEY_FIELDS, DealSize

OPEN, WON, LOST = 0, 1, 2
_RESULTS: Final[dict[int, int]] = {EventType.DEAL_WON: WON, EventType.DEAL_LOST: LOST}
_BACK: Final = frozenset({EventType.DEAL_CREATED, EventType.DEAL_REOPENED})
_SLIPPED: Final[Measures] = (("slipped_deals", 1),)


class Deal:
    """The running state of one deal.

    Attributes:
        raw: its own members in force now.
        said: the same, filled from its lead's: what events carry.
        members: the same, with the directory's team where events carry none.
        status: OPEN, WON or LOST.
        result_at: the instant of the result that stands, or None while open.
        first_at: the instant of the deal's first event.
        first_raw: its own members as of that first event.
        created_at: the instant of the first `deal.created`, or None.
        deleted: nothing of the deal counts at present.
        sealed: facts that later events do not change, in order. It only grows; when the past is
            written anew it is *another* list, so that an observer sees it.
    """

    __slots__ = (
        "_entry",
        "_passages",
        "_size",
        "_slips",
        "_stock",
        "attributes",
        "created_at",
        "created_members",
        "deleted",
        "first_at",
        "first_index",
        "first_members",
        "first_raw",
        "id",
        "last_stage",
        "lead",
        "members",
        "raw",
        "result_at",
        "result_index",
        "result_lead_raw",
        "result_members",
        "rules",
        "said",
        "sealed",
        "stage",
        "status",
    )

    def __init__(self, deal_id: str, lead: Lead | None, rules: FoldRules) -> None:
        self.id = deal_id
        self.lead = lead
        self.rules = rules
        nobody: Members = (None,) * len(rules.dimensions)
        self.attributes: dict[str, Any] = {}
        self.raw = self.said = self.members = nobody
        self.first_at: int | None = None
        self.first_index = 0
        self.first_raw = self.first_members = nobody
        self.created_at: int | None = None
        self.created_members = nobody
        self.deleted = False
        self.status = OPEN
        self.result_at: int | None = None
        self.result_index = 0
        self.result_members = self.result_lead_raw = nobody
        self.stage: str | None = None
        self.last_stage: str | None = None
        self._entry: Passage | None = None
        self._passages: list[Passage] = []
        self._slips: list[tuple[int, Members]] = []
        self._stock: Stock | None = None
        self._size: DealSize | None = None
        self.sealed: list[Fact] = []

    # -- folding ---------------------------------------------------------------------------------

    def apply(self, event: Event, index: int) -> None:
        """Continue with the event that comes next in the thread's order, the `index`-th."""
        data, kind, instant = event.data, event.type, event.time
        is_first = self.first_at is None
        closes_before = self.attributes.get("expected_close_on")
        fills_only = kind == EventType.DEAL_CREATED and not is_first
        stage_is_said = self.stage is not None or "stage" in self.attributes
        self._merge(data, fills_only=fills_only)
        if is_first:
            self.first_at, self.first_index = instant, index
            self.first_raw, self.first_members = self.raw, self.members
        if kind == EventType.DEAL_CREATED and self.created_at is None:
            self.created_at, self.created_members = instant, self.members
        if kind == EventType.DEAL_DELETED or kind in _BACK:
            self.deleted = kind == EventType.DEAL_DELETED
        result = _RESULTS.get(kind)
        if result is not None:
            self._close(result, instant, index)
        elif self.status != OPEN:
            self._perhaps_reopen(kind, data.get("stage"), instant)
        else:
            if "stage" in data and not (fills_only and stage_is_said):
                self._move_to(data["stage"], instant)
            self._note_slip(closes_before, instant)
        self.restock(instant)

    def lead_changed(self, instant: int) -> None:
        """The lead's values in force changed: inherit them, and move the stock on that day."""
        self._refresh_members()
        self.restock(instant)

    def restock(self, instant: int) -> None:
        """Move the stocks when what is in force differs from what they hold."""
        held = self._stock
        stock = self._in_force() if self.status == OPEN else None
        if stock == held:
            return
        if held is not None:
            self.sealed.append(deal_facts.stock_movement(instant, held, -1, self.rules))
        if stock is not None:
            self.sealed.append(deal_facts.stock_movement(instant, stock, 1, self.rules))
        self._stock = stock

    @property
    def size(self) -> DealSize:
        """The money in force."""
        if self._size is None:
            self._size = DealSize.of(self.attributes, self.rules)
        return self._size

    @property
    def pipeline(self) -> str | None:
        """The pipeline known last, or the default one."""
        named: str | None = self.attributes.get("pipeline")
        return named if named is not None else self.rules.default_pipeline

    def _in_force(self) -> Stock:
        return Stock(self.members, self.size, self.pipeline, self.stage)

    def _merge(self, data: dict[str, Any], *, fills_only: bool) -> None:
        attributes = self.attributes
        before = attributes.get("pipeline"), attributes.get("lines")
        members_changed = False
        for name, value in data.items():
            if fills_only and (value is None or name in attributes):
                continue
            if value is None:
                attributes.pop(name, None)
            else:
                attributes[name] = value
            if name in MONEY_FIELDS:
                self._size = None
            elif name in self.rules.dimensions:
                members_changed = True
        if members_changed or self.first_at is None:
            self.raw = raw_members(attributes, self.rules)
            self._refresh_members()
        if before != (attributes.get("pipeline"), attributes.get("lines")):
            self._rewrite()

    def _refresh_members(self) -> None:
        raw = self.raw
        if self.lead is not None:
            raw = tuple(
                own if own is not None else inherited
                for own, inherited in zip(raw, self.lead.raw, strict=True)
            )
        self.said = raw
        self.members = self.rules.with_directory_team(raw)

    def _close(self, status: int, instant: int, index: int) -> None:
        if self.status == status:
            return
        if self.status == OPEN:
            self._end_visit(WINNING if status == WON else None, instant)
        self.status = status
        self.result_at, self.result_index = instant, index
        self.result_members = self.members
        self.result_lead_raw = (
            self.lead.raw if self.lead is not None else (None,) * len(self.rules.dimensions)
        )

    def _perhaps_reopen(self, kind: int, stage: str | None, instant: int) -> None:
        if kind == EventType.DEAL_REOPENED:
            stage = self.last_stage if stage is None else stage
        elif kind != EventType.DEAL_STAGE_CHANGED or not self._is_configured(stage):
            return
        self.status = OPEN
        self.result_at = None
        if stage is not None:
            self._enter(stage, instant)

    def _is_configured(self, stage: str | None) -> bool:
        return stage in self.rules.stage_order.get(self.pipeline or "", {})

    def _move_to(self, stage: str | None, instant: int) -> None:
        if stage == self.stage:
            return
        self._end_visit(stage, instant)
        if stage is not None:
            self._enter(stage, instant)

    def _enter(self, stage: str, instant: int) -> None:
        self.stage = self.last_stage = stage
        self._entry = Passage(instant, self.members, stage)

    def _end_visit(self, into: str | None, instant: int) -> None:
        entry = self._entry
        if entry is None:
            return
        left = Passage(instant, self.members, entry.stage, into, instant - entry.instant_us)
        for passage in (entry, left):
            self._passages.append(passage)
            self.sealed.append(deal_facts.passage_fact(passage, self.pipeline, self.rules))
        self.stage = self._entry = None

    def _note_slip(self, closes_before: int | None, instant: int) -> None:
        closes_now = self.attributes.get("expected_close_on")
        if closes_before is not None and closes_now is not None and closes_now > closes_before:
            self._slips.append((instant, self.members))
            self.sealed.append(self.fact(instant, self.members, _SLIPPED))

    def _rewrite(self) -> None:
        """Pipeline or lines known last changed: flows follow them, also those of the past."""
        if not self._passages and not self._slips:
            return
        rules, pipeline = self.rules, self.pipeline
        stocks = [fact for fact in self.sealed if fact.measures[0][0] == "open_deals"]
        passages = [deal_facts.passage_fact(each, pipeline, rules) for each in self._passages]
        self.sealed = stocks + passages + [self.fact(*slip, _SLIPPED) for slip in self._slips]

    # -- what it counts --------------------------------------------------------------------------

    def volatile(self) -> tuple[Fact, ...]:
        """What the present state counts beside the sealed facts; conversions are the thread's."""
        if self.deleted or self.first_at is None:
            return ()
        created_at = self.first_at if self.created_at is None else self.created_at
        members = self.first_members if self.created_at is None else self.created_members
        created = self.fact(created_at, members, (("deals_created", 1),))
        if self.result_at is None:
            return (created, *self._open_facts())
        return (created, self._result_fact(self.result_at))

    def fact(self, instant: int, members: Members, measures: Measures) -> Fact:
        """A fact of this deal that counts it once, and once under each of its lines."""
        return deal_facts.once(instant, members, measures, self.size, self.rules)

    def started_at(self) -> int | None:
        """Where the sales cycle starts: the lead's creation if known, else `deal.created`."""
        lead_created_at = self.lead_created_at()
        return self.created_at if lead_created_at is None else lead_created_at

    def lead_created_at(self) -> int | None:
        """The lead's creation: `lead.created` in the thread, else what the deal says of it."""
        if self.lead is not None and self.lead.created_at is not None:
            return self.lead.created_at
        known: int | None = self.attributes.get("lead_created_at")
        return known

    def _result_fact(self, result_at: int) -> Fact:
        members, size, rules = self.result_members, self.size, self.rules
        if self.status == LOST:
            reason = self.attributes.get("loss_reason")
            return deal_facts.lost(result_at, members, size, reason, rules)
        return deal_facts.won(result_at, members, size, self.started_at(), rules)

    def _open_facts(self) -> list[Fact]:
        facts = []
        closes_on = self.attributes.get("expected_close_on")
        if closes_on is not None:
            facts.append(deal_facts.closing(closes_on, self._in_force(), self.rules))
        entry = self._entry
        if entry is not None:
            pipeline, rules = self.pipeline, self.rules
            facts.append(deal_facts.passage_fact(entry, pipeline, rules))
            facts.append(deal_facts.still_open(entry, self.size, pipeline, rules))
        return facts
