"""What a run of records of `kpi.partials` says: partials, clocks, and words of predecessors."""

from dataclasses import dataclass, field

from stream_app.wire.partial import (
    AGAIN,
    CLOCK,
    READY,
    REVISION,
    WALL,
    Again,
    Cell,
    PartialKey,
    decode_again,
    decode_cell,
    decode_control,
    parse_key,
)


@dataclass(slots=True)
class News:
    """What a run of records says.

    Attributes:
        now_us: the latest clock.
        ready: sources that have caught up with their logs.
        clock: what "now" follows: `wall`, `event` or `as_of`.
        revision: up to which values may have been published.
        said_us: when somebody began to publish more.
        again: what may have been said too late.
        scopes_known_before_us: new scopes that predecessors may have spoken of.
    """

    now_us: int
    ready: set[str]
    clock: str
    revision: int = 0
    said_us: list[int] = field(default_factory=list)
    again: list[Again] = field(default_factory=list)
    scopes_known_before_us: list[str] = field(default_factory=list)
    cells: list[tuple[PartialKey, bytes | None, Cell | None]] = field(default_factory=list)

    def add(self, raw_key: bytes, value: bytes | None) -> None:
        """Take in the next record."""
        key = parse_key(raw_key)
        if "|" in key.scope:
            self.cells.append((key, value, None if value is None else decode_cell(value)))
        elif key.scope in (CLOCK, READY):
            if key.scope == READY:
                self.ready.add(key.source)
            self._hear_clock(key.source, value)
        elif value is None:
            pass  # nobody takes back the others
        elif key.scope == REVISION:
            limit = decode_control(value)
            self.revision = max(self.revision, limit.version)
            self.said_us.append(limit.instant_us)
        elif key.scope == AGAIN:
            self.again.append(decode_again(value))

    def _hear_clock(self, source: str, value: bytes | None) -> None:
        """A source that is ready says its newest event; what is of another clock does not count."""
        if value is not None and self.clock == (WALL if source == WALL else "event"):
            self.now_us = max(self.now_us, decode_control(value).instant_us)
