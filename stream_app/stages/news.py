"""What a run of records of `kpi.partials` says: partials, clocks, and words of predecessors."""

from dataclasses import dataclass, field
from typing import NamedTuple

from stream_app.wire.partial import (
    AGAIN,
    CLOCK,
    HEARD,
    READY,
    REBUILD,
    REVISION,
    WALL,
    Again,
    Cell,
    Heard,
    PartialKey,
    decode_again,
    decode_cell,
    decode_control,
    decode_heard,
    parse_key,
)

CellNews = tuple[PartialKey, bytes | None, Cell | None]
"""A partial's key, value, and what the value says; None: the cell has expired."""


class Advance(NamedTuple):
    """The clock moved on.

    Attributes:
        cells: how many cells of the run came before.
        ready: how many sources had caught up.
        offset: of the next record.
        heard: how often a source of events had been heard.
    """

    now_us: int
    cells: int
    ready: int
    offset: int
    heard: int


@dataclass(slots=True)
class News:
    """What a run of records says.

    Attributes:
        now_us: the latest clock.
        ready: sources that have caught up with their logs.
        rebuilds: source → how far in its log it is known to be ready, or to be rebuilt.
        clock: what "now" follows: `wall`, `event` or `as_of`.
        revision: up to which values may have been published.
        said_us: when somebody began to publish more.
        again: what may have been said too late.
        advances: every step of the clock, in order.
        heard: configured sources of events, and when each was heard last, in order.
        scopes_known_before_us: new scopes that predecessors may have spoken of.
    """

    now_us: int
    ready: set[str]
    rebuilds: dict[str, int]
    clock: str
    revision: int = 0
    said_us: list[int] = field(default_factory=list)
    again: list[Again] = field(default_factory=list)
    scopes_known_before_us: list[str] = field(default_factory=list)
    advances: list[Advance] = field(default_factory=list)
    cells: list[CellNews] = field(default_factory=list)
    heard: list[tuple[str, Heard]] = field(default_factory=list)

    def add(self, raw_key: bytes, value: bytes | None, offset: int) -> None:
        """Take in the next record."""
        key = parse_key(raw_key)
        if "|" in key.scope:
            self.cells.append((key, value, None if value is None else decode_cell(value)))
        elif key.scope in (CLOCK, READY):
            if key.scope == READY:
                self._hear_ready(key.source, value)
            self._hear_clock(key.source, value, offset)
        elif value is None:
            pass  # nobody takes back the others
        elif key.scope == REBUILD:
            self._hear_rebuild(key.source, decode_control(value).version)
        elif key.scope == REVISION:
            limit = decode_control(value)
            self.revision = max(self.revision, limit.version)
            self.said_us.append(limit.instant_us)
        elif key.scope == AGAIN:
            self.again.append(decode_again(value))
        elif key.scope == HEARD:
            self.heard.append((key.source.rpartition("/")[0], decode_heard(value)))

    def now(self, next_offset: int) -> Advance:
        """The end of the run as a step of the clock."""
        counts = len(self.cells), len(self.ready), next_offset, len(self.heard)
        return Advance(self.now_us, *counts)

    def _hear_ready(self, source: str, value: bytes | None) -> None:
        self.ready.add(source)
        if value is not None:
            version = decode_control(value).version
            self.rebuilds[source] = max(version, self.rebuilds.get(source, 0))

    def _hear_rebuild(self, source: str, until: int) -> None:
        """A source begins again, unless it is a zombie that tells of what is over."""
        if until > self.rebuilds.get(source, 0):
            self.rebuilds[source] = until
            self.ready.discard(source)

    def _hear_clock(self, source: str, value: bytes | None, offset: int) -> None:
        """A source that is ready says its newest event; what is of another clock does not count."""
        if value is None or self.clock != (WALL if source == WALL else "event"):
            return
        told_us = decode_control(value).instant_us
        if told_us > self.now_us:
            self.now_us = told_us
            self.advances.append(self.now(offset + 1))
