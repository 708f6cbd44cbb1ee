"""A cell of text to what it means. Messages show a cell's shape, never its content.

A column that slipped by one puts names where dates should be, and names must not reach a log. The
shape (`Aaaaa 99.99.9999`) with the line number is enough to find and mend it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_PATTERNS: Final = {"iso": "ISO 8601", "epoch": "seconds since 1970", "epoch_ms": "ms since 1970"}
_FLAGS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_SHAPE_CHARACTERS_MAX: Final = 24
_CACHED: Final = 65_536  # dates repeat from row to row
_SPACES: Final = str.maketrans(dict.fromkeys(" \u00a0\u202f\u2009", " "))


class Refused(Exception):
    """A row from which no events are made; the text says why, without the row's content."""


def shape(text: str) -> str:
    """What a text looks like: letters become A or a, digits 9; at most 24 characters."""
    drawn = "".join(
        "9" if c.isdigit() else "A" if c.isupper() else "a" if c.isalpha() else c
        for c in text[:_SHAPE_CHARACTERS_MAX]
    )
    return repr(drawn + "…" if len(text) > _SHAPE_CHARACTERS_MAX else drawn)


@dataclass(frozen=True, slots=True)
class TimeFormat:
    """How the times of a column are written.

    Attributes:
        patterns: tried in turn: `iso`, `epoch`, `epoch_ms` or a pattern of `strptime`.
        zone: of times that name no offset. A date is midnight of that day there; a midnight that
            the clocks skip is the day's first instant, one that comes twice its first.
        precision_us: times are cut to multiples of this.
    """

    patterns: tuple[str, ...]
    zone: ZoneInfo
    precision_us: int = 1

    def reader(self) -> Callable[[str], datetime]:
        """A function from text to an aware instant; raises `Refused`."""

        @lru_cache(_CACHED)
        def read(text: str) -> datetime:
            for pattern in self.patterns:
                found = _parsed(text, pattern)
                if found is not None:
                    break
            else:
                wanted = " or ".join(_PATTERNS.get(p, p) for p in self.patterns)
                raise Refused(f"looks like {shape(text)}, expected a time as {wanted}")
            if found.tzinfo is None:
                found = found.replace(tzinfo=self.zone)
            return found

        return read

    def instant_us(self, found: datetime) -> int:
        """Microseconds since 1970 of an aware time, cut to the precision."""
        instant = (found - _EPOCH) // _MICROSECOND
        return instant - instant % self.precision_us

    def day(self, found: datetime) -> date:
        """The day of an aware time in the column's zone."""
        return found.astimezone(self.zone).date()


def _parsed(text: str, pattern: str) -> datetime | None:
    try:
        if pattern == "iso":
            return datetime.fromisoformat(text)
        if pattern in ("epoch", "epoch_ms"):
            seconds = Decimal(text) / (1000 if pattern == "epoch_ms" else 1)
            return _EPOCH + timedelta(microseconds=int(seconds * 1_000_000))
        return datetime.strptime(text, pattern)  # noqa: DTZ007 - the zone comes from the mapping
    except (ValueError, InvalidOperation, OverflowError):
        return None


def is_pattern(text: str) -> bool:
    """Whether a text can be one of `TimeFormat.patterns`."""
    if text in _PATTERNS:
        return True
    try:
        datetime.strptime("?", text)  # noqa: DTZ007 - only the pattern is looked at
    except ValueError as error:
        return "%" in text and "does not match" in str(error)
    return False


def rfc3339(instant_us: int) -> str:
    """An instant in UTC, as CloudEvents want it."""
    moment = _EPOCH + timedelta(microseconds=instant_us)
    text = moment.isoformat(timespec="microseconds" if moment.microsecond else "seconds")
    return text.removesuffix("+00:00") + "Z"


def number_reader(point: str, thousands: str) -> Callable[[str], str]:
    """A function from a number as the file writes it to a plain decimal string.

    Args:
        point: the decimal separator.
        thousands: the character between groups of three digits, or empty: there is none.
    """
    group = rf"(?:{re.escape(thousands)}[0-9]{{3}})" if thousands else "(?!)"
    number = re.compile(rf"([+-]?)([0-9]{{1,3}}{group}+|[0-9]+)(?:{re.escape(point)}([0-9]+))?")
    example = f"-1{thousands}234{point}5"

    def read(text: str) -> str:
        match = number.fullmatch(text.translate(_SPACES))
        if match is None:
            raise Refused(f"looks like {shape(text)}, expected a number like {example}")
        sign, whole, fraction = match.groups()
        digits = whole.replace(thousands, "") if thousands else whole
        return ("-" if sign == "-" else "") + digits + (f".{fraction}" if fraction else "")

    return read


def integer(text: str) -> int:
    """A whole number; spreadsheets like to write 9 as `9.0`."""
    match = re.fullmatch(r"([+-]?[0-9]{1,15})(?:\.0+)?", text)
    if match is None:
        raise Refused(f"looks like {shape(text)}, expected a whole number")
    return int(match[1])


def flag(text: str) -> bool:
    """Yes or no."""
    found = _FLAGS.get(text.casefold())
    if found is None:
        raise Refused(f"looks like {shape(text)}, expected one of {', '.join(_FLAGS)}")
    return found
