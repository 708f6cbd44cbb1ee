"""Cells in the state: what a source partition has counted, by scope and bucket.

A day's cell stays for ever. A five-minute one goes when no window asks for it any more: they are
grouped by the hour they begin in, so that an hour's are found without looking at all.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from stream_app.domain.calendar import DAY_US, FIVE_MINUTES_US, five_minute_bucket
from stream_app.domain.cells import FIVE_MINUTE_BASE, Deltas
from stream_app.stages.cache import BoundedCache
from stream_app.stages.ports import State
from stream_app.stages.turns import PART, others, parts
from stream_app.wire.partial import Cell, cell_name, decode_cell, encode_value, parse_bucket

CELLS: Final = "cells"
EXPIRY: Final = "expiry"
"""Five-minute cells grouped by the hour they begin in, numbered since the epoch."""

HOURS: Final = "hours"
"""The hours that have five-minute cells."""

FIVE_MINUTES_KEPT_US: Final = 4 * DAY_US
"""How far five-minute buckets reach back from the partition's newest event. The running `day` is
compared with yesterday, and that with the day before: three days, 73 hours when clocks change."""

_HOUR_US: Final = 3_600_000_000
_CACHED: Final = 50_000


class CellStore:
    """The cells of one source partition: cached, loaded when a batch needs them."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._cache: BoundedCache[Cell | None] = BoundedCache(_CACHED)
        self._hours: set[int] = set()
        self._never_sent: set[bytes] = set()
        self._changed: dict[bytes, Cell] = {}
        self._expired: list[bytes] = []
        self._hours_begun: set[int] = set()
        self._hours_gone: list[int] = []

    async def load_hours(self) -> None:
        """Learn which hours have cells."""
        async for hour, _ in self._state.scan(HOURS):
            self._hours.add(int(hour))

    async def load(self, names: Iterable[bytes]) -> bool:
        """Make cells available; None for those that do not exist. Whether anything was read."""
        missing = self._cache.missing(names)
        await self._state.prefetch(CELLS, missing)
        for name in missing:
            row = self._state.get(CELLS, name)
            self._cache[name] = None if row is None else decode_cell(row)
        return bool(missing)

    def __getitem__(self, name: bytes) -> Cell | None:
        """A cell loaded before, as it is committed; None: it does not exist."""
        return self._cache[name]

    def exists(self, name: bytes) -> bool:
        """Whether a cell is in memory and exists."""
        return self._cache.get(name) is not None

    # -- within a batch --------------------------------------------------------------------------

    async def change(
        self, deltas: Deltas, version: int, batch_us: int, newest_ms: int
    ) -> Iterable[bytes]:
        """Add the differences to the cells and write them; they are remembered after the commit.

        Returns:
            The names of the cells that changed.
        """
        named = {cell_name(*cell).encode(): (cell, change) for cell, change in deltas.items()}
        await self.load(named)
        self._changed, self._hours_begun = {}, set()
        for part in parts(named.items(), each=4 * PART):
            rows: dict[bytes, bytes | None] = {}
            for name, ((_, bucket), change) in part:
                before = self._cache[name]
                if bucket >= FIVE_MINUTE_BASE:
                    self._hours_begun.add(_hour_of(bucket))
                if before is None:
                    if bucket >= FIVE_MINUTE_BASE:
                        self._begin(name, b"%d" % _hour_of(bucket))
                    cell = Cell(version, batch_us, newest_ms, change)
                else:
                    event_us = max(batch_us, before.event_us)
                    cell = Cell(version, event_us, newest_ms, _added(before.measures, change))
                self._changed[name] = cell
                rows[name] = encode_value(cell)
            self._state.put_all(CELLS, rows)
            await others()
        return self._changed

    def _begin(self, name: bytes, hour: bytes) -> None:
        self._never_sent.add(name)
        self._state.put_group(EXPIRY, hour, name, b"")
        self._state.put(HOURS, hour, b"")

    async def expire(self, asked_us: int) -> Iterable[bytes]:
        """Delete five-minute cells before an instant: no window asks for them; their names."""
        end = asked_us // _HOUR_US
        self._hours_gone = [hour for hour in self._hours if hour < end]
        self._expired = []
        groups = [b"%d" % hour for hour in self._hours_gone]
        for group, found in (await self._state.prefetch_groups(EXPIRY, groups)).items():
            await self._state.prefetch(HOURS, (group,))
            self._state.put(HOURS, group, None)
            self._expired += found
            self._state.put_all(CELLS, dict.fromkeys(found))
            for name in found:
                self._state.put_group(EXPIRY, group, name, None)
        return self._expired

    def committed(self) -> None:
        """What was changed and expired is in the state now."""
        self._cache.update(self._changed)
        self._cache.drop_all(self._expired)
        self._hours |= self._hours_begun
        self._hours.difference_update(self._hours_gone)
        self._cache.trim()

    def forget(self) -> None:
        """Drop all memory of cells: it may say more than what was committed."""
        self._cache.clear()

    # -- for publishing --------------------------------------------------------------------------

    def came_and_went(self, name: bytes) -> bool:
        """Whether a cell is gone that was never told; from now on it counts as told."""
        never_sent = name in self._never_sent
        self._never_sent.discard(name)
        return never_sent and not self.exists(name)


def has_expired(name: bytes, asked_us: int) -> bool:
    """Whether a cell is so old that its end may be told; days never are."""
    bucket = parse_bucket(name.decode().rpartition("|")[2])
    return FIVE_MINUTE_BASE <= bucket < FIVE_MINUTE_BASE + five_minute_bucket(asked_us)


def _hour_of(bucket: int) -> int:
    return (bucket - FIVE_MINUTE_BASE) * FIVE_MINUTES_US // _HOUR_US


def _added(measures: Mapping[str, int], change: Mapping[str, int]) -> dict[str, int]:
    total = dict(measures)
    for key, value in change.items():
        added = total.get(key, 0) + value
        if added:
            total[key] = added
        else:
            del total[key]
    return total
