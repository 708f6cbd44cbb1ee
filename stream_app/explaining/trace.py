"""One pass over the log: what a scope and window are made of, and which events changed it (pure).

The fold and the splitting into cells are the worker's own; only their results are looked at one by
one. Kept are the accepted events of all threads (one may still come that changes them), packed; a
bounded number of folded threads; and the contributions to what is asked.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

import msgspec

from stream_app.config.model import Config
from stream_app.domain.cells import FIVE_MINUTE_BASE, CellSplitter, Deltas
from stream_app.domain.events import Event
from stream_app.domain.facts import Fact, Measures, Members
from stream_app.domain.ledger import ThreadLedger, Verdict
from stream_app.domain.measures import split_measure
from stream_app.domain.rules import FoldRules
from stream_app.domain.scopes import split_scope
from stream_app.domain.thread import Change, UnitKey
from stream_app.explaining.span import Span
from stream_app.stages.cache import BoundedCache
from stream_app.stages.ports import SourceRecord
from stream_app.wire.cloudevent import Ignored, Rejection, Rules, decode

THREADS_HELD: Final = 20_000
RESTATEMENTS_HELD: Final = 1_000
"""The newest; how many there were in all is counted."""

_PASSING: Final = frozenset(
    {"closing_value", "closing_value_staged", "still_open", "still_open_value"}
)
"""Measures of what is open: that they end is how things go, and no correction."""

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Event).decode


class Cause(NamedTuple):
    """An event of the log.

    Attributes:
        arrived_ms: its record's timestamp.
    """

    type: int
    time_us: int
    source: str
    id: str
    partition: int
    offset: int
    arrived_ms: int
    deal_id: str | None


class Unit(NamedTuple):
    """What contributes: a deal, a lead, an answer …, in its thread."""

    thread: bytes
    kind: str
    id: str


class Cell(NamedTuple):
    """What a unit adds to one bucket and measure; `instant_us` of what counted last there."""

    value: int
    instant_us: int
    cause: Cause


Place = tuple[int, str]
"""(bucket, measure key)."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What an event made of a unit's contribution to the value, by one measure."""

    unit: Unit
    measure: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Restatement:
    """An event that changed what had been counted, or came after the window was over."""

    cause: Cause
    late: bool
    moved: tuple[Moved, ...]


@dataclass(slots=True)
class Trace:
    """What a scope is made of, event by event.

    Attributes:
        scope: its key.
        ends_us: the first instant after the window; an event that arrives later is late.
        units: unit → bucket and measure → what it adds.
        restatements: the newest ones, in the order in which they came.
        restated: how many there were.
        newest_us: time of the newest accepted event, 0 before the first.
        records: how many were read.
    """

    config: Config
    scope: str
    span: Span
    ends_us: int
    threads_held: int = THREADS_HELD
    units: dict[Unit, dict[Place, Cell]] = field(default_factory=dict)
    restatements: deque[Restatement] = field(
        default_factory=lambda: deque(maxlen=RESTATEMENTS_HELD)
    )
    restated: int = 0
    newest_us: int = 0
    records: int = 0
    _accepted: Rules = field(init=False)
    _rules: FoldRules = field(init=False)
    _splitter: CellSplitter = field(init=False)
    _folded: BoundedCache[ThreadLedger] = field(init=False)
    _told: dict[bytes, list[bytes]] = field(default_factory=dict)
    _asks: dict[str, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._accepted = Rules.from_config(self.config)
        self._rules = _only(FoldRules.from_config(self.config), split_scope(self.scope)[0])
        self._splitter = CellSplitter(self._rules)
        self._folded = BoundedCache(self.threads_held)

    def add(self, partition: int, record: SourceRecord) -> None:
        """Take in the next record of a partition."""
        self.records += 1
        event = decode(record.key, record.value, record.timestamp, self._accepted)
        if isinstance(event, Ignored | Rejection):
            return
        key = record.key or b""
        thread = self._thread(key)
        if thread.accept(event) is not Verdict.APPLIED:
            return
        self._told.setdefault(key, []).append(_encode(event))
        self.newest_us = max(self.newest_us, event.time)
        cause = Cause(
            event.type,
            event.time,
            event.source,
            event.id,
            partition,
            record.offset,
            record.timestamp,
            event.data.get("deal_id"),
        )
        self._count(key, thread.changes(), cause)

    def _thread(self, key: bytes) -> ThreadLedger:
        if self._folded.missing((key,)):
            self._folded.trim()
            told = map(_decode, self._told.get(key, ()))
            self._folded[key] = ThreadLedger(self._rules, told)
        return self._folded[key]

    # -- what is counted -------------------------------------------------------------------------

    def _count(self, key: bytes, changes: Iterable[Change], cause: Cause) -> None:
        # What is taken back and told again at once has not changed.
        net: Counter[tuple[UnitKey, Fact, Members]] = Counter()
        for fact, latest, sign, unit_key in changes:
            if self._is_asked(fact):
                net[unit_key, fact, latest] += sign
        added: dict[Unit, dict[Place, tuple[int, int]]] = {}
        taken_back = False
        for (unit_key, fact, latest), times in net.items():
            if not times:
                continue
            unit = Unit(key, *unit_key)
            cells = added.setdefault(unit, {})
            for place, value in self._cells(Change(fact, latest, 1, unit_key)):
                held = cells.get(place, (0, 0))
                cells[place] = held[0] + times * value, max(held[1], fact.instant_us)
                taken_back |= times < 0 and split_measure(place[1])[0] not in _PASSING
        moved = tuple(m for unit, cells in added.items() for m in self._apply(unit, cells, cause))
        late = cause.arrived_ms * 1_000 >= self.ends_us
        if moved and (late or taken_back):
            self.restated += 1
            self.restatements.append(Restatement(cause, late, moved))

    def _is_asked(self, fact: Fact) -> bool:
        """Whether it may add to a measure that is asked for; called for every fact there is."""
        for key, _ in fact.measures:
            asked = self._asks.get(key)
            if asked is None:
                asked = self._asks[key] = split_measure(key)[0] in self.span.measures
            if asked:
                return True
        if not fact.people and fact.lines is None:
            return False
        rows: list[Measures] = [fact.people, *(m for _, m in fact.lines or ())]
        return any(split_measure(k)[0] in self.span.measures for row in rows for k, _ in row)

    def _cells(self, change: Change) -> Iterator[tuple[Place, int]]:
        """What one fact adds to the scope, in the buckets that are asked for."""
        deltas: Deltas = {}
        self._splitter.add(deltas, (change,), 0 if self.span.fives else FIVE_MINUTE_BASE)
        for (scope, bucket), measures in deltas.items():
            if scope != self.scope:
                continue
            for measure, value in measures.items():
                kept_in = self.span.place(bucket, measure)
                if kept_in is not None:
                    yield (kept_in, measure), value

    def _apply(
        self, unit: Unit, added: dict[Place, tuple[int, int]], cause: Cause
    ) -> Iterator[Moved]:
        cells = self.units.setdefault(unit, {})
        changes: dict[str, int] = {}
        for place, (value, instant_us) in added.items():
            if not value:
                continue
            if self.span.makes_the_value(*place):
                changes[place[1]] = changes.get(place[1], 0) + value
            held = cells.get(place)
            total = value + (0 if held is None else held.value)
            if total:
                cells[place] = Cell(total, instant_us, cause)
            else:
                cells.pop(place, None)
        for measure, change in changes.items():
            after = sum(
                cell.value
                for (bucket, key), cell in cells.items()
                if key == measure and self.span.makes_the_value(bucket, key)
            )
            if change:
                yield Moved(unit, measure, after - change, after)
        if not cells:
            del self.units[unit]


def _only(rules: FoldRules, dimension: str) -> FoldRules:
    """The same rules, split by one dimension only."""
    splits = tuple(
        split
        for split, name in zip(rules.splits, rules.split_names, strict=True)
        if name == dimension
    )
    return replace(rules, splits=splits, split_names=(dimension,) if splits else ())
