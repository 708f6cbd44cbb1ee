"""Scopes in the state of stage two: their cells by source, loaded when they are needed."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from stream_app.domain.calendar import FIVE_MINUTES_US, BusinessCalendar
from stream_app.domain.cells import FIVE_MINUTE_BASE
from stream_app.domain.evaluation import KpiValue
from stream_app.domain.measures import AGED, STOCKS
from stream_app.domain.scopes import COMPANY
from stream_app.domain.totals import ScopeTotals
from stream_app.domain.windows import Window
from stream_app.stages.ports import State
from stream_app.wire.experiment import SaidResult
from stream_app.wire.partial import Cell, PartialKey, bucket_text, decode_cell, parse_bucket
from stream_app.wire.value import Said, TargetSaid

SCOPE_CELLS: Final = "scope_cells"
"""Grouped by scope: `bucket|source` → the partial as it was published."""

SCOPES: Final = "scopes"
"""The names of all scopes of the partition."""


@dataclass(slots=True)
class Dirt:
    """What changed in a scope since it was last evaluated.

    Attributes:
        measures: names of the measures that changed; None: look at every KPI.
        windows: `all`, or only those that `days` touch, or only the ones of the five minutes.
        days: business days whose cells changed.
        levels_from: the earliest day on which a stock changed, or something that has an age; every
            later level moved too, and so did every later answer to what is older than some days.
    """

    measures: set[str] | None = field(default_factory=set)
    everything: bool = False
    five_minutes: bool = False
    days: set[int] = field(default_factory=set)
    levels_from: int | None = None

    @classmethod
    def all(cls) -> "Dirt":
        """Everything must be looked at."""
        return cls(measures=None, everything=True)

    def note(self, day: int, measures: Iterable[str]) -> None:
        """Cells of a day changed in these measures."""
        self.days.add(day)
        if self.measures is not None:
            self.measures.update(measures)
        if any(name in STOCKS or name in AGED for name in measures):
            self.levels_from = day if self.levels_from is None else min(day, self.levels_from)

    def touches(self, window: Window) -> bool:
        """Whether a window's value, or what it is compared with, may have changed."""
        if self.everything:
            return True
        if self.five_minutes and window.kind in ("hour", "day") and not window.complete:
            return True
        first, end = window.reach
        if self.levels_from is not None and self.levels_from < end:
            return True
        return any(first <= day < end for day in self.days)


@dataclass(slots=True)
class LoadedScope:
    """A scope in memory.

    Attributes:
        event_us: newest event time among its cells.
        news_ms: newest record timestamp not yet published, 0 for none.
        said: record key → what the topic says last.
        said_results: the same of `kpi.experiments`, where the scope is an experiment.
        keys_by_window: (kind, start key) → record keys said for it.
        current: (KPI, kind of running window) → value, for the gauges.
        targets: the same → how it stands against its targets, where it has any.
    """

    totals: ScopeTotals
    event_us: int = 0
    news_ms: int = 0
    said: dict[bytes, Said] = field(default_factory=dict)
    said_results: dict[bytes, SaidResult] = field(default_factory=dict)
    keys_by_window: dict[tuple[str, str], dict[bytes, None]] = field(default_factory=dict)
    current: dict[tuple[str, str], KpiValue] = field(default_factory=dict)
    targets: dict[tuple[str, str], tuple[TargetSaid, ...]] = field(default_factory=dict)

    @property
    def words(self) -> Mapping[bytes, Said | SaidResult]:
        """What the topics say last; an experiment has results only, and others have none."""
        return self.said or self.said_results

    def show(self, value: KpiValue, targets: tuple[TargetSaid, ...]) -> None:
        """This is the value of a running window."""
        place = (value.kpi.name, value.window.kind)
        self.current[place] = value
        if targets:
            self.targets[place] = targets
        else:
            self.targets.pop(place, None)

    def standings(self) -> Iterator[tuple[KpiValue, TargetSaid]]:
        """Each value of a running window with how it stands against each of its targets."""
        for place, targets in self.targets.items():
            for target in targets:
                yield self.current[place], target

    def hide(self, kpi: str, window: str) -> None:
        """A running window has no value."""
        self.current.pop((kpi, window), None)
        self.targets.pop((kpi, window), None)

    def leave(self, kept: Collection[tuple[str, str]]) -> Iterator[bytes]:
        """The keys said for windows that are not among those kept; they are forgotten."""
        for place in [place for place in self.keys_by_window if place not in kept]:
            for key in self.keys_by_window.pop(place):
                if self.said.pop(key, None) is not None:
                    yield key


class ScopeStore:
    """The scopes of one partition of `kpi.partials`."""

    def __init__(
        self,
        state: State,
        new_totals: Callable[[str], ScopeTotals],
        calendar: BusinessCalendar,
    ) -> None:
        self._state = state
        self._new_totals = new_totals
        self._calendar = calendar
        self._loaded: dict[str, LoadedScope] = {}
        self.known: dict[str, None] = {}
        self._new: list[str] = []

    async def load_names(self) -> None:
        """Learn the names of all scopes."""
        async for name, _ in self._state.scan(SCOPES):
            self.known[name.decode()] = None

    async def load(self, scopes: Iterable[str]) -> bool:
        """Make scopes available; new ones begin empty. Whether anything was read for that."""
        missing = [scope for scope in scopes if scope not in self._loaded]
        stored = [scope.encode() for scope in missing if scope in self.known]
        rows = await self._state.prefetch_groups(SCOPE_CELLS, stored)
        for scope in missing:
            loaded = self._loaded[scope] = LoadedScope(self._new_totals(scope))
            for name, value in rows.get(scope.encode(), {}).items():
                bucket, _, source = name.decode().partition("|")
                cell = decode_cell(value)
                loaded.totals.put(parse_bucket(bucket), source, cell.version, cell.measures)
                loaded.event_us = max(loaded.event_us, cell.event_us)
        return bool(stored)

    def __getitem__(self, scope: str) -> LoadedScope:
        return self._loaded[scope]

    def put(self, key: PartialKey, value: bytes | None, cell: Cell | None) -> tuple[int, set[str]]:
        """Take in one partial, or the end of one (None).

        Returns:
            The business day it belongs to, and the measures that changed.
        """
        scope = self._loaded[key.scope]
        group, name = key.scope.encode(), f"{bucket_text(key.bucket)}|{key.source}".encode()
        day = self._day_of(key.bucket)
        if cell is None or value is None:
            if key.bucket < FIVE_MINUTE_BASE:
                return day, set()  # days never expire; somebody read a Redis that was emptied
            scope.totals.expire(key.bucket, key.source)
            self._state.put_group(SCOPE_CELLS, group, name, None)
            return day, set()
        changed = scope.totals.put(key.bucket, key.source, cell.version, cell.measures)
        if changed is None:
            return day, set()
        # Also what changes no measure: who loads it must know that older versions are outdone.
        self._state.put_group(SCOPE_CELLS, group, name, value)
        scope.event_us = max(scope.event_us, cell.event_us)
        if key.scope not in self.known:
            self.known[key.scope] = None
            self._new.append(key.scope)
            self._state.put(SCOPES, group, b"")
        if changed:
            scope.news_ms = max(scope.news_ms, cell.record_ms)
        return day, changed

    def forget(self) -> None:
        """Drop everything but the names that are committed."""
        self._loaded.clear()
        for name in self._new:
            del self.known[name]
        self._new.clear()

    def committed(self) -> None:
        """What was put is in the state now."""
        self._new.clear()

    def said(self) -> Iterable[tuple[str, Iterable[bytes]]]:
        """Scope → the keys that it said and has not taken back."""
        return [(name, words) for name, loaded in self._loaded.items() if (words := loaded.words)]

    def forget_said(self, scope: str) -> list[bytes]:
        """It is not known what the topic says of a scope; the keys that may stand."""
        loaded = self._loaded.get(scope)
        if loaded is None:
            return []
        keys = list(loaded.said)
        loaded.said.clear()
        loaded.said_results.clear()
        loaded.keys_by_window.clear()
        return keys

    def take_back(
        self, scope: str, standing: Mapping[bytes, int], own: tuple[int, int]
    ) -> list[bytes]:
        """The records that are not as we said them last, gone or said by others; forgets them.

        Args:
            scope: whose they are.
            standing: key → revision that stands.
            own: the first revision that is surely ours, and the last one used.
        """
        loaded = self._loaded.get(scope)
        said: Mapping[bytes, object] = {} if loaded is None else loaded.words
        first, last = own
        theirs = [key for key in said if key not in standing]
        theirs += [
            key
            for key, revision in standing.items()
            if key not in said or not first <= revision <= last
        ]
        if loaded is not None:
            for key in theirs:
                loaded.said.pop(key, None)
                loaded.said_results.pop(key, None)
        return theirs

    def with_five_minutes(self) -> Iterable[str]:
        """Loaded scopes that move within a day: they hold something by five minutes.

        The company's `hour` is there whatever it holds, and its bounds move.
        """
        return [
            name
            for name, scope in self._loaded.items()
            if name == COMPANY or scope.totals.has_five_minutes
        ]

    def sizes(self) -> Mapping[str, int]:
        """How many scopes are known and how many are in memory."""
        return {"scopes": len(self.known), "scopes_loaded": len(self._loaded)}

    def _day_of(self, bucket: int) -> int:
        if bucket < FIVE_MINUTE_BASE:
            return bucket
        return self._calendar.day_of((bucket - FIVE_MINUTE_BASE) * FIVE_MINUTES_US)
