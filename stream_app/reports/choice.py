"""What a report is about, and which windows its trends have (pure)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from stream_app.company import Company
from stream_app.domain.currencies import MINOR_UNIT_EXPONENTS
from stream_app.domain.period import short_title
from stream_app.domain.windows import CALENDAR_KINDS, WindowRules
from stream_app.reports.archive import Archive
from stream_app.reports.figures import Figures

_TREND_WINDOWS: Final = {"day": 35, "week": 14, "month": 13, "quarter": 9, "year": 7}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the report is about.

    Attributes:
        start: of the window, as `kpi.values` has it.
        dimension: and `member`: whose report; the company's by default. A dimension without member:
            of the sections by member only that one.
        top: members of each section at most.
    """

    window: str
    start: str
    dimension: str = "company"
    member: str | None = None
    top: int = 20


def figures_of(company: Company, rules: WindowRules, archive: Archive, choice: Choice) -> Figures:
    """The maker of figures for a period, with its trend windows."""
    return Figures(
        archive,
        start=choice.start,
        history=_history(rules, archive, choice),
        currency=company.config.business.currency,
        exponent=MINOR_UNIT_EXPONENTS[company.config.business.currency],
    )


def _history(rules: WindowRules, archive: Archive, choice: Choice) -> list[tuple[str, str]]:
    """The windows up to the reported one, without those before anything was recorded."""
    kind = choice.window
    if kind not in CALENDAR_KINDS:
        return []
    starts = archive.starts()
    here = ordinal(choice.start)
    found: list[tuple[str, str]] = []
    for steps in range(_TREND_WINDOWS[kind] - 1, -1, -1):
        first = rules.step(kind, here, -steps)
        start = rules.closed_window(kind, first).start
        if start >= starts[0] or found:
            found.append((start, short_title(kind, first)))
    return found


def ordinal(start: str) -> int:
    """The day on which a window begins."""
    return date.fromisoformat(start[:10]).toordinal()


def last_day(end: str) -> str:
    """The last day of a window that ends with this instant."""
    return (datetime.fromisoformat(end) - timedelta(microseconds=1)).date().isoformat()
