"""`kpi.ticks`: the clock as an event; key: the partition's number, value `{"now": RFC 3339}`."""

from typing import Final

import msgspec

from stream_app.domain.calendar import rfc3339_utc
from stream_app.wire.timestamps import instant_us


class Tick(msgspec.Struct, frozen=True):
    """What the record says: the instant, RFC 3339."""

    now: str


_decoder: Final = msgspec.json.Decoder(Tick)


def encode_tick(now_us: int) -> bytes:
    """A tick's value."""
    return msgspec.json.encode(Tick(rfc3339_utc(now_us, "milliseconds")))


def decode_tick(value: bytes) -> int:
    """The instant of a tick, in microseconds.

    Raises:
        ValueError: it is no tick (`msgspec.DecodeError` is one).
    """
    text = _decoder.decode(value).now
    instant = instant_us(text)
    if instant is None:
        raise ValueError(f"a tick says it is {text!r}, expected RFC 3339")
    return instant
