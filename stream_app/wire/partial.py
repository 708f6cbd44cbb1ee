"""`kpi.partials`: absolute measures of one cell from one source partition, and control records.

Keys: `dimension|member|bucket|source` for a partial (bucket `2026-11-22` or `2026-11-22T10:05Z`),
`clock|source` for a clock, `ready|source` when a source partition has caught up with its log,
`heard|name/source` when a configured source of events was heard last in a source partition;
`revision|partition` and `again|number` are words of stage two to its successors.
Values are JSON. A partial with the newest version wins; a tombstone means that the cell expired.
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

from stream_app.domain.calendar import FIVE_MINUTES_US
from stream_app.domain.cells import FIVE_MINUTE_BASE
from stream_app.domain.scopes import decode, encode

CLOCK: Final = "clock"
READY: Final = "ready"
REBUILD: Final = "rebuild"
HEARD: Final = "heard"
WALL: Final = "wall"
"""The source of the wall clock among the clocks; every other source is a source partition."""

REVISION: Final = "revision"
"""Up to which revision values may have been published (`version`)."""
AGAIN: Final = "again"
"""What must be said again, because a predecessor's words may have come after its successor's."""
FIVE_MINUTES_END: Final = b"Z"
"""How the name of a five-minute cell ends; that of a day ends with a digit."""
_CELL_PARTS: Final = 4
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Cell(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A cell's absolute measures.

    Attributes:
        version: offset in the source partition up to which they hold.
        event_us: the newest event time that changed the cell.
        record_ms: the newest record timestamp that changed it, for freshness.
        measures: measure key → value, zeros left out.
    """

    version: int
    event_us: int
    record_ms: int
    measures: dict[str, int]


class Control(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A clock's instant (`instant_us`), or that a source is ready, with the sender's version.

    Of a rebuild the version is where it ends: the offset at which the source is ready again.
    """

    version: int
    instant_us: int


class Again(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Scopes of which values were sent on a business day, and perhaps arrived too late."""

    day: int
    scopes: list[str]


class Heard(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """When a source was heard last: the newest record timestamp and the newest event time."""

    record_us: int
    event_us: int

    def or_later(self, other: "Heard | None") -> "Heard":
        """The later of both, each by itself."""
        if other is None:
            return self
        return Heard(max(self.record_us, other.record_us), max(self.event_us, other.event_us))


class PartialKey(NamedTuple):
    """What a record is about; in control records `scope` is one of the five words above."""

    scope: str
    bucket: int
    source: str


_cell_decoder: Final = msgspec.json.Decoder(Cell)
_control_decoder: Final = msgspec.json.Decoder(Control)
_heard_decoder: Final = msgspec.json.Decoder(Heard)
_again_decoder: Final = msgspec.json.Decoder(Again)
encode_value: Final = msgspec.json.encode


def decode_cell(value: bytes) -> Cell:
    """A partial's value.

    Raises:
        msgspec.DecodeError: it is none; only our own code writes the topic.
    """
    return _cell_decoder.decode(value)


def decode_control(value: bytes) -> Control:
    """A control record's value."""
    return _control_decoder.decode(value)


def decode_heard(value: bytes) -> Heard:
    """The value of a record under `heard`."""
    return _heard_decoder.decode(value)


def decode_again(value: bytes) -> Again:
    """The value of a record under `again`."""
    return _again_decoder.decode(value)


def cell_name(scope: str, bucket: int) -> str:
    """The name of a cell in the state and the outbox: `dimension|member|bucket`."""
    return f"{scope}|{bucket_text(bucket)}"


def partial_key(name: str, source: str) -> bytes:
    """The key of a cell's partial from one source partition."""
    return f"{name}|{encode(source)}".encode()


def control_key(kind: str, source: str) -> bytes:
    """The key of a control record."""
    return f"{kind}|{encode(source)}".encode()


def parse_key(key: bytes) -> PartialKey:
    """The inverse of `partial_key` and `control_key`."""
    parts = key.decode().split("|")
    if len(parts) == _CELL_PARTS:
        dimension, member, bucket, source = parts
        return PartialKey(f"{dimension}|{member}", parse_bucket(bucket), decode(source))
    return PartialKey(parts[0], 0, decode(parts[1]))


def scope_of_name(name: str) -> str:
    """The scope of a cell's name."""
    return name.rpartition("|")[0]


@lru_cache(maxsize=16_384)
def bucket_text(bucket: int) -> str:
    """A bucket as text: a business day, or the first instant of five minutes in UTC."""
    if bucket < FIVE_MINUTE_BASE:
        return date.fromordinal(bucket).isoformat()
    start = _EPOCH + timedelta(microseconds=(bucket - FIVE_MINUTE_BASE) * FIVE_MINUTES_US)
    return start.strftime("%Y-%m-%dT%H:%MZ")


@lru_cache(maxsize=16_384)
def parse_bucket(text: str) -> int:
    """The inverse of `bucket_text`."""
    if text.endswith("Z"):
        seconds = int((datetime.fromisoformat(text) - _EPOCH).total_seconds())
        return FIVE_MINUTE_BASE + seconds * 1_000_000 // FIVE_MINUTES_US
    return date.fromisoformat(text).toordinal()
