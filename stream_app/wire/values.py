"""Validators of single values: JSON value in, normalised value out, or `Refused`.

None of them ever sees null or `""`: whoever reads a field takes both as "says nothing" first.
"""

import re
from collections.abc import Callable
from typing import Any, Final

from stream_app.wire.numbers import Number, integer, ten_thousandths, ten_thousandths_of_text
from stream_app.wire.reasons import Reason, Refused, first_of
from stream_app.wire.timestamps import (
    MAX_INSTANT_US,
    MIN_DAY,
    MIN_INSTANT_US,
    day_ordinal,
    instant_us,
)

Check = Callable[[Any], object]

MAX_STRING_CHARACTERS: Final = 256
MAX_ID_DIGITS: Final = 256
MAX_SEQUENCE_DIGITS: Final = 256

_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f]")
_NUMBER_FORM: Final = (
    "expected a decimal number with at most 15 digits before the point and 4 after it"
)


def described(value: object) -> str:
    """What kind of JSON value this is, without its content."""
    kinds: dict[type, str] = {
        dict: "an object",
        list: "a list",
        bool: "a boolean",
        int: "a number",
        Number: "a number",
    }
    if value is None:
        return "null"
    if isinstance(value, str):
        return f"a string of {len(value)} characters"
    return kinds[type(value)]


def wrong(value: object, expected: str) -> Refused:
    """A `schema` fault: the value's kind and what was expected."""
    return Refused(Reason.SCHEMA, f"is {described(value)}, expected {expected}")


def text(value: Any) -> str:
    """A string of at most 256 characters without control characters (C0, DEL, C1)."""
    if type(value) is not str:
        raise wrong(value, "a string")
    if len(value) > MAX_STRING_CHARACTERS:
        raise wrong(value, f"at most {MAX_STRING_CHARACTERS} characters")
    # isprintable is cheap and true for nearly everything; it also doubts other characters.
    if not value.isprintable() and _CONTROL.search(value):
        raise Refused(Reason.SCHEMA, "contains a control character, expected none")
    return value


def identifier(value: Any) -> str:
    """A string, or an integer read as one: 501 and 501.0 are `"501"`."""
    if type(value) is str:
        return text(value)
    number = integer(value, MAX_ID_DIGITS)
    if number is None:
        raise wrong(value, f"a string, or an integer of at most {MAX_ID_DIGITS} digits")
    return str(number)


def sequence(value: Any) -> int:
    """A non-negative integer or a string of ASCII digits."""
    number: int | None = None
    if type(value) is str:
        if value.isascii() and value.isdigit() and len(value) <= MAX_SEQUENCE_DIGITS:
            number = int(value)
    else:
        number = integer(value, MAX_SEQUENCE_DIGITS)
    if number is None or number < 0:
        raise wrong(
            value,
            "a non-negative integer or a string of digits, "
            f"of at most {MAX_SEQUENCE_DIGITS} digits",
        )
    return number


def boolean(value: Any) -> bool:
    """True or false; 0 and 1 are numbers."""
    if type(value) is not bool:
        raise wrong(value, "true, false or null")
    return value


def whole_number(value: Any) -> int:
    """A JSON number that is an integer of at most 15 digits, however it is written."""
    number = integer(value, 15)
    if number is None:
        raise wrong(value, "an integer")
    return number


def instant(value: Any) -> int:
    """RFC 3339 with a mandatory offset → microseconds since 1970."""
    instant_or_none = instant_us(text(value))
    if instant_or_none is None:
        raise wrong(value, "an RFC 3339 time with offset, such as 2026-11-22T01:59:58Z")
    return instant_or_none


def calendar_instant(value: Any) -> int:
    """The same, but only what every time zone's calendar can show: nothing judges it later."""
    instant_or_none = instant(value)
    if not MIN_INSTANT_US <= instant_or_none <= MAX_INSTANT_US:
        raise wrong(value, "a time within the years 1 to 9999 in every time zone")
    return instant_or_none


def day(value: Any) -> int:
    """A date → its proleptic ordinal; 0001-01-01 is refused, for its hours lie in the year 0."""
    ordinal = day_ordinal(text(value))
    if ordinal is None or ordinal < MIN_DAY:
        raise wrong(value, "a date from 0001-01-02 on, such as 2026-11-22")
    return ordinal


def amount(value: Any) -> int:
    """A decimal string or a JSON number → ten-thousandths.

    Raises:
        Refused: `schema` for other types and over-long strings, else `bad_number`.
    """
    kind = type(value)
    if kind is str:
        units = ten_thousandths_of_text(value) if len(value) <= MAX_STRING_CHARACTERS else None
        if units is None:
            text(value)  # too long or with control characters: `schema` comes first
    elif kind is int or kind is Number:
        units = ten_thousandths(value)
    else:
        raise wrong(value, "a decimal string or a number")
    if units is None:
        raise Refused(Reason.BAD_NUMBER, f"is {described(value)}, {_NUMBER_FORM}")
    return units


_LINE_FIELDS: Final[tuple[tuple[str, Check], ...]] = (
    ("product_line", text),
    ("amount", amount),
    ("cost", amount),
)


def lines(value: Any) -> list[list[object]]:
    """Order lines → `[product_line | None, amount | None, cost | None]` each."""
    if type(value) is not list:
        raise wrong(value, "a list of objects")
    rows: list[list[object]] = []
    later: Refused | None = None
    for place, line in enumerate(value):
        if type(line) is not dict:
            raise wrong(line, "an object with product_line, amount, cost").below(f"[{place}]")
        row: list[object] = []
        for name, check in _LINE_FIELDS:
            said = line.get(name)
            try:
                row.append(None if said is None or said == "" else check(said))
            except Refused as fault:
                later = first_of(later, fault.below(f"[{place}].{name}"))
        rows.append(row)
    if later is not None:
        raise later
    return rows


def known(names: frozenset[str], reason: Reason, expected: str) -> Check:
    """A check for a string that must be one of `names`, refused with `reason` otherwise."""

    def one_of(value: Any) -> str:
        name = text(value)
        if name not in names:
            raise Refused(reason, f"is {described(name)}, expected {expected}")
        return name

    return one_of
