"""One deal of a thread: its attributes, visits, status and what it counts (contract.md, rules 2-6).

A deal is folded event by event in the thread's order. What can no longer change by itself (a
completed visit, a day's movement of a stock) is *sealed*: appended to a list that only grows.
What the present state implies (creation, the result that stands, what is open) is *volatile* and
built anew. So an event that sorts last costs the same in a thread of five events or five thousand.
"""

from typing import Any

from stream_app.domain.events import Event, EventType
from stream_app.domain.facts import Fact, Measures, Members
from stream_app.domain.lead import Lead, raw_members
from stream_app.domain.measures import measure_key
from stream_app.domain.rules import FoldRules
from stream_app.domain.sizing import MONEY_FIELDS, DealSize

OPEN, WON, LOST = 0, 1, 2
_MICROSECONDS = 1_000_000
_RESULT_EVENTS = frozenset({EventType.DEAL_WON, EventType.DEAL_LOST})


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
        "_entered_at",
        "_entered_members",
        "_size",
        "_slips",
        "_stock",
        "_visits",
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
        self.raw = nobody
        self.said = nobody
        self.members = nobody
        self.first_at: int | None = None
        self.first_index = 0
        self.first_raw = nobody
        self.first_members = nobody
        self.created_at: int | None = None
        self.created_members = nobody
        self.deleted = False
        self.status = OPEN
        self.result_at: int | None = None
        self.result_index = 0
        self.result_members = nobody
        self.result_lead_raw = nobody
        self.stage: str | None = None
        self.last_stage: str | None = None
        self._entered_at = 0
        self._entered_members = nobody
        self._visits: list[tuple[int, Members, str, str | None, int]] = []
        self._slips: list[tuple[int, Members]] = []
        self._stock: tuple[Members, DealSize, str | None, str | None] | None = None
        self._size: DealSize | None = None
        self.sealed: list[Fact] = []

    # -- folding ---------------------------------------------------------------------------------

    def apply(self, event: Event, index: int) -> None:
        """Continue with the event that comes next in the thread's order, the `index`-th."""
        data, kind, instant = event.data, event.type, event.time
        is_first = self.first_at is None
        was_open = self.status == OPEN
        closes_before = self.attributes.get("expected_close_on")
        fills_only = kind == EventType.DEAL_CREATED and not is_first
        stage_is_said = self.stage is not None or "stage" in self.attributes
        self._merge(data, fills_only=fills_only)
        if is_first:
            self.first_at, self.first_index = instant, index
            self.first_raw, self.first_members = self.raw, self.members
        if kind == EventType.DEAL_CREATED:
            self.deleted = False
            if self.created_at is None:
                self.created_at, self.created_members = instant, self.members
        elif kind == EventType.DEAL_DELETED:
            self.deleted = True
        elif kind == EventType.DEAL_REOPENED:
            self.deleted = False

        if kind in _RESULT_EVENTS:
            self._close(WON if kind == EventType.DEAL_WON else LOST, instant, index)
        elif was_open:
            if "stage" in data and not (fills_only and stage_is_said):
                self._move_to(data["stage"], instant)
            closes_now = self.attributes.get("expected_close_on")
            if closes_before is not None and closes_now is not None and closes_now > closes_before:
                self._slips.append((instant, self.members))
                self.sealed.append(self._slip_fact(instant, self.members))
        elif kind == EventType.DEAL_REOPENED:
            self._reopen(data.get("stage") or self.last_stage, instant)
        elif kind == EventType.DEAL_STAGE_CHANGED and self._is_configured(data["stage"]):
            self._reopen(data["stage"], instant)
        self.restock(instant)

    def lead_changed(self, instant: int) -> None:
        """The lead's values in force changed: inherit them, and move the stock on that day."""
        self._refresh_members()
        self.restock(instant)

    def restock(self, instant: int) -> None:
        """Move the stocks when what is in force differs from what they hold."""
        held = self._stock
        if self.status != OPEN:
            stock = None
        else:
            stock = (
                self.members,
                self.size,
                self.pipeline,
                self.stage,
            )
        if stock == held:
            return
        if held is not None:
            self._seal_stock(instant, held, -1)
        if stock is not None:
            self._seal_stock(instant, stock, 1)
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

    def _is_configured(self, stage: str | None) -> bool:
        order = self.rules.stage_order.get(self.pipeline or "", {})
        return stage is not None and stage in order

    def _close(self, status: int, instant: int, index: int) -> None:
        if self.status == status:
            return
        if self.status == OPEN:
            self._end_visit("" if status == WON else None, instant)
        self.status = status
        self.result_at, self.result_index = instant, index
        self.result_members = self.members
        self.result_lead_raw = (
            self.lead.raw if self.lead is not None else (None,) * len(self.rules.dimensions)
        )

    def _reopen(self, stage: str | None, instant: int) -> None:
        self.status = OPEN
        self.result_at = None
        if stage is not None:
            self._enter(stage, instant)

    def _move_to(self, stage: str | None, instant: int) -> None:
        if stage == self.stage:
            return
        self._end_visit(stage, instant)
        if stage is not None:
            self._enter(stage, instant)

    def _enter(self, stage: str, instant: int) -> None:
        self.stage = self.last_stage = stage
        self._entered_at, self._entered_members = instant, self.members

    def _end_visit(self, into: str | None, instant: int) -> None:
        """End the running visit; `into` is the stage entered, "" for a win, None for neither."""
        if self.stage is None:
            return
        dwell_us = instant - self._entered_at
        visit = (instant, self.members, self.stage, into, dwell_us)
        entered = (self._entered_at, self._entered_members, self.stage, None, -1)
        for record in (entered, visit):
            self._visits.append(record)
            self.sealed.append(self._visit_fact(*record))
        self.stage = None

    # -- facts -----------------------------------------------------------------------------------

    def volatile(self) -> tuple[Fact, ...]:
        """What the present state counts beside the sealed facts; conversions are the thread's."""
        if self.deleted or self.first_at is None:
            return ()
        size = self.size
        created_at = self.first_at if self.created_at is None else self.created_at
        members = self.first_members if self.created_at is None else self.created_members
        facts = [self.fact(created_at, members, (("deals_created", 1),))]
        if self.status == OPEN:
            self._add_open_facts(facts, size)
        elif self.result_at is not None:
            facts.append(self._result_fact(self.result_at, size))
        return tuple(facts)

    def fact(self, instant: int, members: Members, measures: Measures) -> Fact:
        """A fact of this deal that counts it once, and once under each of its lines."""
        return Fact(
            instant,
            self.rules.at_time_only(members),
            measures,
            self.size.per_line(lambda _: measures),
        )

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

    def _result_fact(self, result_at: int, size: DealSize) -> Fact:
        if self.status == LOST:
            amount = measure_key("lost_value", size.currency)
            return Fact(
                result_at,
                self.rules.at_time_only(self.result_members),
                (("deals_lost", 1), (amount, size.amount_minor)),
                size.per_line(lambda line: (("deals_lost", 1), (amount, line.amount_minor))),
                (("loss_reason", self.attributes.get("loss_reason")),),
            )
        cycle: Measures = ()
        started_at = self.started_at()
        if started_at is not None:
            seconds = max(0, (result_at - started_at) // _MICROSECONDS)
            cycle = (("cycle_deals", 1), ("cycle_seconds", seconds))
        return Fact(
            result_at,
            self.rules.at_time_only(self.result_members),
            size.won_measures(size) + cycle,
            size.per_line(lambda line: size.won_measures(line) + cycle),
        )

    def _add_open_facts(self, facts: list[Fact], size: DealSize) -> None:
        closes_on = self.attributes.get("expected_close_on")
        currency = size.currency
        if closes_on is not None:
            keys = [measure_key("closing_value", currency)]
            if self.stage is not None:
                where = (currency, self.pipeline or "", self.stage)
                keys.append(measure_key("closing_value_staged", *where))
            facts.append(
                Fact(
                    self.rules.calendar.day_start(closes_on),
                    self.rules.at_time_only(self.members),
                    tuple((key, size.amount_minor) for key in keys),
                    size.per_line(lambda line: tuple((key, line.amount_minor) for key in keys)),
                ),
            )
        if self.stage is not None:
            entered = (self._entered_at, self._entered_members, self.stage, None, -1)
            facts.append(self._visit_fact(*entered))
            facts.append(
                Fact(
                    self._entered_at,
                    self.rules.at_time_only(self._entered_members),
                    (
                        ("still_open", 1),
                        (measure_key("still_open_value", currency), size.amount_minor),
                    ),
                    stage=self._stage_member(self.stage),
                ),
            )

    def _slip_fact(self, instant: int, members: Members) -> Fact:
        return self.fact(instant, members, (("slipped_deals", 1),))

    def _seal_stock(
        self,
        instant: int,
        stock: tuple[Members, DealSize, str | None, str | None],
        sign: int,
    ) -> None:
        members, size, pipeline, stage = stock
        value = measure_key("open_value", size.currency)
        keys = [value]
        if stage is not None:
            keys.append(measure_key("open_value_staged", size.currency, pipeline or "", stage))

        def measures(amount_minor: int) -> Measures:
            counted = [(key, sign * amount_minor) for key in keys if amount_minor]
            return (("open_deals", sign), *counted)

        self.sealed.append(
            Fact(
                instant,
                self.rules.at_time_only(members),
                measures(size.amount_minor),
                size.per_line(lambda line: measures(line.amount_minor)),
                (("pipeline", pipeline),) if self.rules.several_pipelines else (),
            ),
        )

    def _visit_fact(
        self,
        instant: int,
        members: Members,
        stage: str,
        into: str | None,
        dwell_us: int,
    ) -> Fact:
        """A visit's entering (`dwell_us` < 0) or leaving, under its pipeline known last."""
        measures: Measures
        if dwell_us < 0:
            measures = (("stage_entered", 1),)
        else:
            measures = (("dwell_seconds", dwell_us // _MICROSECONDS), ("stage_left", 1))
            if self._advanced(stage, into):
                measures += (("stage_advanced", 1),)
        return Fact(
            instant,
            self.rules.at_time_only(members),
            measures,
            stage=self._stage_member(stage),
        )

    def _advanced(self, stage: str, into: str | None) -> bool:
        if into is None:
            return False
        if into == "":
            return True
        order = self.rules.stage_order.get(self.pipeline or "", {})
        return stage in order and into in order and order[into] > order[stage]

    def _stage_member(self, stage: str) -> str:
        if not self.rules.several_pipelines:
            return stage
        return f"{self.pipeline or 'unassigned'}:{stage}"

    def _rewrite(self) -> None:
        """Pipeline or lines known last changed: flows follow them, also those of the past."""
        if not self._visits and not self._slips:
            return
        stocks = [fact for fact in self.sealed if fact.measures[0][0] == "open_deals"]
        visits = [self._visit_fact(*visit) for visit in self._visits]
        self.sealed = stocks + visits + [self._slip_fact(*slip) for slip in self._slips]
