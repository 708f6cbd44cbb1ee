"""A fingerprint of what an event says, to tell a duplicate from an id conflict."""

from collections.abc import Mapping
from hashlib import blake2b
from types import NoneType
from typing import Any, Final

import msgspec

from stream_app.wire.numbers import Number, scientific

DIGEST_BYTES: Final = 8

_PLAIN_TYPES: Final = frozenset({str, bool, NoneType})
_PLAIN_DIGITS: Final = 18
_PLAIN_INT: Final = 10**_PLAIN_DIGITS

_encode: Final = msgspec.json.Encoder(order="deterministic").encode


def digest(event_type: int, time_us: int, data: Mapping[str, Any]) -> str:
    """16 hexadecimal digits over (type, instant, data as JSON values).

    Equal where JSON values are equal: the order of keys and the spelling of numbers and strings
    (1, 1.0 and 1e0; escapes) do not matter; 1, "1" and true differ, so do absent, null and "".
    The digests are stored: changing this function makes every known event an id conflict.
    """
    # Most events hold nothing but strings, which have only one form.
    if not _PLAIN_TYPES.issuperset(map(type, data.values())):
        data = _one_form(data)
    return blake2b(_encode((event_type, time_us, data)), digest_size=DIGEST_BYTES).hexdigest()


def _one_form(value: Any) -> Any:
    kind = type(value)
    if kind is dict:
        members = {}
        for name, member in value.items():  # a comprehension would need twice the stack
            members[name] = _one_form(member)
        return members
    if kind is list:
        elements = []
        for element in value:
            elements.append(_one_form(element))  # noqa: PERF401 - as above
        return elements
    if kind is Number or (kind is int and not -_PLAIN_INT < value < _PLAIN_INT):
        return _one_number(value)
    return value


def _one_number(value: int | Number) -> int | msgspec.Raw:
    """Small integers as such, all others as `digits`e`exponent`, which is JSON as well."""
    number = scientific(value)
    if number.exponent >= 0 and number.whole_digits <= _PLAIN_DIGITS:
        return number.times_ten_to(0)
    sign = "-" if number.negative else ""
    return msgspec.Raw(f"{sign}{number.digits}e{number.exponent}".encode())
