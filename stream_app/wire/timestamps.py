"""Instants (RFC 3339) and dates, strictly, as integers.

Read with tables instead of patterns: the four parts of an instant are looked up, and a part that
is in no table is no part of an instant. Twice as fast as a regular expression, and as strict.
"""

from datetime import date
from functools import lru_cache
from typing import Final

_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
_SECOND_US: Final = 1_000_000
_MINUTE_US: Final = 60 * _SECOND_US
_DAY_US: Final = 24 * 60 * _MINUTE_US
_DATE_LENGTH: Final = len("2026-11-22")
_OFFSET_LENGTH: Final = len("+01:00")
_MICROSECOND_DIGITS: Final = 6

MIN_DAY: Final = date(1, 1, 2).toordinal()
"""The first day that begins within the years 1-9999 in every time zone."""

MIN_INSTANT_US: Final = (MIN_DAY - _EPOCH_ORDINAL) * _DAY_US
MAX_INSTANT_US: Final = (date(9999, 12, 31).toordinal() - _EPOCH_ORDINAL) * _DAY_US - 1
"""Between these two (inclusive) an instant exists in every time zone's calendar of years 1-9999."""

_MINUTES: Final = {
    f"{letter}{hour:02}:{minute:02}": (hour * 60 + minute) * _MINUTE_US
    for letter in "Tt"
    for hour in range(24)
    for minute in range(60)
}
# No ":60": a leap second has no place of its own in the microseconds since 1970.
_SECONDS: Final = {f":{second:02}": second * _SECOND_US for second in range(60)}
_OFFSETS: Final = {"Z": 0, "z": 0} | {
    f"{sign}{hour:02}:{minute:02}": factor * (hour * 60 + minute) * _MINUTE_US
    for sign, factor in (("+", -1), ("-", 1))
    for hour in range(24)
    for minute in range(60)
}
"""Offset → what it adds to local time to make it UTC."""

_ENDINGS: Final = _OFFSETS | {f".{ms:03}Z": ms * 1000 for ms in range(1000)}
"""What follows the second in nearly every event → what it adds."""


@lru_cache(maxsize=8192)
def day_ordinal(text: str) -> int | None:
    """A date `YYYY-MM-DD` of the years 1 to 9999 as its proleptic ordinal, or None."""
    if len(text) != _DATE_LENGTH or text[4] != "-" or text[7] != "-":
        return None
    year, month, day = text[:4], text[5:7], text[8:]
    digits = year + month + day
    if not (digits.isascii() and digits.isdigit()):
        return None
    try:
        return date(int(year), int(month), int(day)).toordinal()
    except ValueError:
        return None


def instant_us(text: str) -> int | None:
    """An RFC 3339 instant in microseconds since 1970-01-01T00:00:00Z, or None.

    The offset is mandatory, fractions beyond microseconds are cut. The letters T and Z may be
    small; a space for the T, hour 24, second 60 and the year 0 are refused.
    """
    day = day_ordinal(text[:10])
    minute = _MINUTES.get(text[10:16])
    second = _SECONDS.get(text[16:19])
    if day is None or minute is None or second is None:
        return None
    ending = text[19:]
    rest = _ENDINGS.get(ending)
    if rest is None:
        rest = _fraction_and_offset_us(ending)
        if rest is None:
            return None
    return (day - _EPOCH_ORDINAL) * _DAY_US + minute + second + rest


def _fraction_and_offset_us(ending: str) -> int | None:
    if ending[:1] != ".":
        return None
    length = 1 if ending[-1] in "Zz" else _OFFSET_LENGTH
    digits = ending[1:-length]
    offset = _OFFSETS.get(ending[-length:])
    if offset is None or not (digits.isascii() and digits.isdigit()):
        return None
    return offset + int(digits[:_MICROSECOND_DIGITS].ljust(_MICROSECOND_DIGITS, "0"))
