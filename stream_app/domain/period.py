"""Periods as people name them: `2026-10`, `2026-W43`, `2026-Q4`, `2026`, a date (pure)."""

import re
from datetime import date, datetime, timedelta
from typing import Final

from stream_app.domain.windows import CALENDAR_KINDS, WindowRules

EXAMPLES: Final = {
    "day": "2026-10-05",
    "week": "2026-W41",
    "month": "2026-10",
    "quarter": "2026-Q4",
    "year": "2026",
}
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_PATTERNS: Final = {
    "week": re.compile(r"(\d{4})-?[Ww](\d{1,2})"),
    "month": re.compile(r"(\d{4})-(\d{1,2})"),
    "quarter": re.compile(r"(\d{4})-?[Qq]([1-4])"),
    "year": re.compile(r"(\d{4})"),
}
_JANUARY: Final = 1


class UnknownPeriod(ValueError):
    """A text that names no period of that kind; the message says what does."""


def first_day(kind: str, text: str, rules: WindowRules) -> int:
    """The first day (ordinal) of the calendar window that a text names.

    A date names the window that holds it. Quarters and years are those of the fiscal year that
    begins in the year given.

    Raises:
        UnknownPeriod: it names none.
    """
    try:
        day = _day_in(kind, text.strip(), rules)
    except (ValueError, OverflowError):
        day = None
    if day is None:
        raise UnknownPeriod(
            f"{text!r} names no {kind}; write {EXAMPLES[kind]}, or any date in it (2026-10-05)"
        )
    return rules.period_start(kind, day.toordinal())


def period_title(kind: str, first: int, rules: WindowRules) -> str:
    """What the calendar window that begins on `first` is called: `October 2026`."""
    start = date.fromordinal(first)
    if kind == "day":
        return f"{start:%A}, {_day_of(start)} {start:%B} {start.year}"
    last = date.fromordinal(rules.step(kind, first, 1) - 1)
    if kind == "week":
        return f"Week of {_day_of(start)} {start:%B} {start.year}"
    if kind == "month":
        return f"{start:%B} {start.year}"
    calendar_year = rules.fiscal_year_starts == _JANUARY
    if kind == "quarter":
        begins = date.fromordinal(rules.period_start("year", first))
        number = (12 * (start.year - begins.year) + start.month - begins.month) // 3 + 1
        if calendar_year:
            return f"Q{number} {start.year}"
        return f"Q{number} of {_fiscal(begins, rules)} ({start:%b %Y} to {last:%b %Y})"
    return str(start.year) if calendar_year else f"{start:%b %Y} to {last:%b %Y}"


def short_title(kind: str, first: int) -> str:
    """The same for the axis of a chart: `Oct 26`, `5 Oct`, `Q4 26`."""
    start = date.fromordinal(first)
    if kind in {"day", "week"}:
        return f"{_day_of(start)} {start:%b}"
    if kind == "year":
        return str(start.year)
    return f"{start:%b} {start:%y}"


def _day_in(kind: str, text: str, rules: WindowRules) -> date | None:
    if kind in CALENDAR_KINDS and _DATE.match(text):
        return datetime.fromisoformat(text).date()
    pattern = _PATTERNS.get(kind)
    match = None if pattern is None else pattern.fullmatch(text)
    if match is None:
        return None
    year, *numbers = map(int, match.groups())
    if kind == "week":
        return date.fromisocalendar(year, numbers[0], 1)
    if kind == "month":
        return date(year, numbers[0], 1)
    begins = date(year, rules.fiscal_year_starts, 1)
    if kind == "year":
        return begins
    return date.fromordinal(rules.step("quarter", begins.toordinal(), numbers[0] - 1))


def _fiscal(begins: date, rules: WindowRules) -> str:
    ends = date.fromordinal(rules.step("year", begins.toordinal(), 1)) - timedelta(days=1)
    return f"{begins.year}/{ends:%y}"


def _day_of(moment: date) -> str:
    return str(moment.day)
