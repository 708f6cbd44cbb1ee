"""A record of `kpi.values` as those read it who did not write it (contract.md, section 4)."""

from decimal import Decimal
from typing import Final

import msgspec


class PublishedTarget(msgspec.Struct, frozen=True, gc=False):
    """How the value stands against one target."""

    name: str
    value: Decimal | None
    attainment: Decimal | None
    state: str


class Published(msgspec.Struct, frozen=True, gc=False):
    """What stands under one key; numbers exactly as they are written.

    Attributes:
        value: None while undefined.
        event_time: the newest event that it knows of, RFC 3339.
        published_at: when it was sent, RFC 3339.
        revision: only ever grows; of two records the one with the higher is true.
    """

    kpi: str
    window: str
    start: str
    end: str
    complete: bool
    dimension: str
    member: str
    value: Decimal | None
    unit: str
    numerator: Decimal | None
    denominator: Decimal | None
    previous: Decimal | None
    event_time: str
    published_at: str
    revision: int
    targets: tuple[PublishedTarget, ...] = ()


_decoder: Final = msgspec.json.Decoder(Published)


def decode_published(value: bytes) -> Published:
    """A record's value; unknown fields are ignored.

    Raises:
        msgspec.DecodeError: it is none; the message names the field.
    """
    return _decoder.decode(value)
