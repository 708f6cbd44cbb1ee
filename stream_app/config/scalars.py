"""Readers of single values: each returns what was meant, or complains and returns None."""

import re
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Final, TypeVar

from stream_app.config.nearest import nearest, shown
from stream_app.config.yaml_nodes import Reader, Value

T = TypeVar("T")

SECOND_US: Final = 1_000_000
DAY_US: Final = 86_400 * SECOND_US
DURATION_US_MAX: Final = 36_525 * DAY_US

_UNIT_US: Final = {
    "s": SECOND_US,
    "m": 60 * SECOND_US,
    "h": 3600 * SECOND_US,
    "d": DAY_US,
    "w": 7 * DAY_US,
}
_DURATION: Final = re.compile(r"([0-9]{1,9})([smhdwy])")
_NUMBER: Final = re.compile(r"[+-]?(?=[0-9.])(0|[1-9][0-9]*)?(\.[0-9]+)?")
_DIGITS_BEFORE_MAX: Final = 15
_DIGITS_AFTER_MAX: Final = 12
_WHOLE: Final = re.compile(r"0|[1-9][0-9]{0,17}")
_GROWTH: Final = re.compile(r"([+-]?)([0-9]{1,6}(?:\.[0-9]{1,6})?) ?%")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_YEAR_MIN: Final = 1970
_YEAR_MAX: Final = 2999
_PROSE_CHARACTERS_MAX: Final = 2_000
_FLAGS: Final = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def number(value: Value) -> Decimal | None:
    """A decimal number as written, exactly."""
    text = value.text(what="a number")
    if text is None:
        return None
    match = _NUMBER.fullmatch(text)
    if match is None:
        value.error(f"{shown(text)} is not a number like 1250, -3 or 0.25{_number_advice(text)}")
        return None
    before, after = match[1] or "", match[2] or "."
    if len(before) > _DIGITS_BEFORE_MAX or len(after) - 1 > _DIGITS_AFTER_MAX:
        value.error(
            f"{shown(text)} has more than {_DIGITS_BEFORE_MAX} digits before "
            f"or {_DIGITS_AFTER_MAX} after the point",
        )
        return None
    return Decimal(text)


def _number_advice(text: str) -> str:
    plain = text.replace("_", "").replace(" ", "")
    if plain != text and _NUMBER.fullmatch(plain):
        return f"; write {plain}"
    if "," in text and _NUMBER.fullmatch(text.replace(",", ".", 1)):
        return f"; write {text.replace(',', '.')}, with a point"
    if text.endswith("%") and _NUMBER.fullmatch(text[:-1].strip()):
        return f"; write {Decimal(text[:-1].strip()) / 100:f}"
    return ""


def positive(value: Value) -> Decimal | None:
    """A decimal number above 0."""
    found = number(value)
    if found is not None and found <= 0:
        value.error(f"{found} is not above 0")
        return None
    return found


def probability(value: Value) -> Decimal | None:
    """A decimal number from 0 to 1."""
    found = number(value)
    if found is not None and not 0 <= found <= 1:
        value.error(f"{found} is no probability; write a number from 0 to 1")
        return None
    return found


def growth(value: Value) -> Decimal | None:
    """A rate of growth in per cent, as a ratio: `+10 %` is 0.1."""
    text = value.text(what="a rate of growth")
    if text is None:
        return None
    match = _GROWTH.fullmatch(text)
    if match is None:
        value.error(f'{shown(text)} is no rate of growth; write it in per cent, like "+10 %"')
        return None
    return Decimal(match[1] + match[2]) / 100


def whole(low: int, high: int) -> Reader[int]:
    """A whole number from `low` to `high`."""

    def read(value: Value) -> int | None:
        text = value.text(what="a whole number")
        if text is None:
            return None
        if not _WHOLE.fullmatch(text) or not low <= int(text) <= high:
            value.error(f"{shown(text)} is not a whole number from {low} to {high}")
            return None
        return int(text)

    return read


def duration_us(low_us: int = 1) -> Reader[int]:
    """A duration like `10m` in microseconds, at least `low_us`.

    A year has 365.2425 days, cut to whole days: `10y` is 3,652 days.
    """

    def read(value: Value) -> int | None:
        text = value.text(what="a duration, like 10m")
        if text is None:
            return None
        match = _DURATION.fullmatch(text)
        if match is None:
            value.error(
                f"{shown(text)} is not a duration; write a whole number and a unit "
                "(s, m, h, d, w or y), like 10m, 2h or 35d",
            )
            return None
        count = int(match[1])
        length = count * 3_652_425 // 10_000 * DAY_US if match[2] == "y" else 0
        length = length or count * _UNIT_US.get(match[2], 0)
        if low_us <= length <= DURATION_US_MAX:
            return length
        value.error(f"{shown(text)} is too {'long; at most 100y' if length > low_us else 'short'}")
        return None

    return read


def days(low: int) -> Reader[int]:
    """A duration of whole days, as their number."""
    read_us = duration_us(0)

    def read(value: Value) -> int | None:
        length = read_us(value)
        if length is None:
            return None
        if length % DAY_US or length < low * DAY_US:
            value.error(f"{shown(value.text() or '')} is not a number of whole days, like 30d")
            return None
        return length // DAY_US

    return read


def day(value: Value) -> date | None:
    """A calendar day, `2025-12-31`."""
    text = value.text(what="a date, like 2025-12-31")
    return None if text is None else day_of(text, value.error)


def day_of(text: str, complain: Callable[[str], None]) -> date | None:
    """The day that a text names; None after complaining."""
    found = None
    if _DAY.fullmatch(text):
        try:
            found = date.fromisoformat(text)
        except ValueError:
            found = None
    if found is None:
        complain(f"{shown(text)} is not a date; write year-month-day, like 2025-12-31")
    elif not _YEAR_MIN <= found.year <= _YEAR_MAX:
        complain(f"{text} is outside the years {_YEAR_MIN} to {_YEAR_MAX}")
        found = None
    return found


def flag(value: Value) -> bool | None:
    """True or false, in any of YAML's spellings."""
    text = value.text(what="true or false")
    if text is None:
        return None
    found = _FLAGS.get(text.lower())
    if found is None:
        value.error(f"{shown(text)} is neither true nor false")
    return found


def choice(options: Sequence[T]) -> Reader[T]:
    """One of some words, in upper or lower case."""
    by_word = {str(option): option for option in options}

    def read(value: Value) -> T | None:
        text = value.text()
        if text is None:
            return None
        if text.lower() in by_word:
            return by_word[text.lower()]
        match = nearest(text, by_word)
        meant = "" if match is None else f"; did you mean {match!r}?"
        value.error(f"{shown(text)} is not one of {', '.join(by_word)}{meant}")
        return None

    return read


def name(pattern: re.Pattern[str], what: str) -> Reader[str]:
    """A name of the given form, described in words for the message."""

    def read(value: Value) -> str | None:
        text = value.text()
        if text is None or pattern.fullmatch(text):
            return text
        value.error(f"{shown(text)} cannot be a name here; use {what}")
        return None

    return read


IDENTIFIER: Final = name(
    re.compile(r"[a-z][a-z0-9_]{0,63}"),
    "lower-case letters, digits and _, a letter first, at most 64",
)
"""A name that becomes part of metric names: measures, KPIs, dimensions."""

UNIT: Final = name(
    re.compile(r"[a-z][a-z0-9_]*( [a-z0-9_]+)*"),
    "lower-case words, like count, currency, ratio or seconds",
)
"""The unit of a measure or KPI."""


def prose(value: Value) -> str | None:
    """A sentence or formula; line breaks and runs of blanks become one blank."""
    return value.text(_PROSE_CHARACTERS_MAX, on_one_line=True)


def file_path(base_dir: Path) -> Reader[Path]:
    """A path, relative ones from the configuration's own folder; whether it exists is not asked."""

    def read(value: Value) -> Path | None:
        text = value.text(1_024)
        return None if text is None else base_dir / text

    return read
