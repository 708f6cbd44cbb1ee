"""Scopes: whose number it is. A dimension with a member, or the company as a whole.

A scope's key is `dimension|member`; in each part `%`, `|`, `+` and `/` are percent-encoded, the
parts of a combination each by itself and joined by a plain `+` (contract.md, section 1).
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

COMPANY: Final = "company|all"
UNASSIGNED: Final = "unassigned"

_ENCODED: Final = str.maketrans({"%": "%25", "|": "%7C", "+": "%2B", "/": "%2F"})
_DECODED: Final = (("%2F", "/"), ("%2B", "+"), ("%7C", "|"), ("%25", "%"))


def encode(part: str) -> str:
    """One part of a key, percent-encoded."""
    return part.translate(_ENCODED)


def decode(part: str) -> str:
    """The inverse of `encode`."""
    if "%" in part:
        for coded, plain in _DECODED:
            part = part.replace(coded, plain)
    return part


def scope_key(dimension: Sequence[str], members: Sequence[str | None]) -> str:
    """The key of a scope; an absent member is `unassigned`."""
    names = "+".join(encode(name) for name in dimension)
    values = "+".join(encode(UNASSIGNED if m is None else m) for m in members)
    return f"{names}|{values}"


@lru_cache(maxsize=65_536)
def split_scope(key: str) -> tuple[str, str]:
    """(dimension, member) as `kpi.values` shows them, a combination joined by `+`."""
    dimension, member = key.split("|")
    return (
        "+".join(decode(part) for part in dimension.split("+")),
        "+".join(decode(part) for part in member.split("+")),
    )
