"""Kafka keys made of parts: `part|part|part` (contract.md, section 1).

In every part `%`, `|`, `+` and `/` are percent-encoded; a combination (a dimension such as
`source+technique`, a member such as `web+free-trial`) has each of its members encoded by itself
and joined by a plain `+`. Nothing else is encoded; keys are UTF-8 on the wire.
"""

from collections.abc import Sequence
from typing import Final

from stream_app.domain.scopes import decode, encode

_BETWEEN_PARTS: Final = "|"
_BETWEEN_MEMBERS: Final = "+"


def join_key(*parts: str | tuple[str, ...]) -> str:
    """A key from its plain parts; a tuple is a combination.

    `join_key("revenue", "month", "now", ("source", "technique"), ("web", "free-trial"))` is
    `revenue|month|now|source+technique|web+free-trial`.
    """
    return _BETWEEN_PARTS.join(
        encode(part) if isinstance(part, str) else encode_member(part) for part in parts
    )


def split_key(key: str) -> tuple[tuple[str, ...], ...]:
    """The inverse of `join_key`: every part as its plain members, most have exactly one.

    `((kpi,), (window,), (start,), dimension, member) = split_key(key)` reads a key of `kpi.values`.
    """
    return tuple(decode_member(part) for part in key.split(_BETWEEN_PARTS))


def encode_member(members: Sequence[str]) -> str:
    """One part of a key from the plain members of a combination, or from a single one.

    Raises:
        ValueError: there is no member; an empty part would be read back as the member `""`.
    """
    if not members:
        raise ValueError("a key's part has no members, expected at least one")
    return _BETWEEN_MEMBERS.join(map(encode, members))


def decode_member(part: str) -> tuple[str, ...]:
    """The inverse of `encode_member`."""
    return tuple(map(decode, part.split(_BETWEEN_MEMBERS)))
