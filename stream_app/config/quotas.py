"""The CSV file that `values_from` names: what each member should reach in each window.

    member,period,value          member,start,value
    r-17,2026-11,50000           r-17,2026-11-01,50000
    *,2026-11,30000              r-18,2026-11-01,40000

`period` is the window in words (2026-11-03, 2026-W45, 2026-11, 2026-Q4, 2026), `start` its first
day; where both are empty or left out the value holds for every window. The member `*` is everybody
who is not named, `all` the company. Values are decimal numbers in the KPI's unit.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Final

from stream_app.config.errors import ConfigError
from stream_app.config.nearest import hint, shown
from stream_app.config.scalars import day_of

COLUMNS: Final = ("member", "start", "period", "value")
ROWS_MAX: Final = 1_000_000

_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,12})?")
_PERIOD: Final = re.compile(r"([0-9]{4})(?:-(?:W([0-9]{2})|Q([1-4])|([0-9]{2})(?:-([0-9]{2}))?))?")
_PARTS: Final = ("week", "quarter", "month", "day")
_EXAMPLES: Final = {
    "day": "2026-11-03",
    "week": "2026-W45",
    "month": "2026-11",
    "quarter": "2026-Q4",
    "year": "2026",
}


PeriodStart = Callable[[str, int], int]
"""(kind of calendar window, a day in it) → its first day (`WindowRules.period_start`)."""


@dataclass(slots=True)
class QuotaFile:
    """What a file of quotas says, and everything that is wrong with it.

    Attributes:
        quotas: (member, first day of the window or None) → value.
    """

    quotas: dict[tuple[str, int | None], Decimal] = field(default_factory=dict)
    errors: list[ConfigError] = field(default_factory=list)


def read_quotas(path: Path, window: str, period_start: PeriodStart) -> QuotaFile:
    """Read a file of quotas.

    Args:
        path: of the file, UTF-8; columns are separated by commas or semicolons.
        window: the target's kind of window.
        period_start: the first day of the calendar window that holds a day.
    """
    found = QuotaFile()
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        found.errors.append(ConfigError(str(path), line, "", "not UTF-8; save the file in UTF-8"))
        return found
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        found.errors.append(ConfigError(str(path), None, "", f"cannot be read: {reason}"))
        return found
    _Reading(str(path), window, period_start, found).rows(text)
    return found


class _Reading:
    def __init__(
        self, filename: str, window: str, period_start: PeriodStart, found: QuotaFile
    ) -> None:
        self._filename = filename
        self._window = window
        self._period_start = period_start
        self._found = found
        self._lines: dict[tuple[str, int | None], int] = {}
        self._line = 1

    def rows(self, text: str) -> None:
        """All rows of the file."""
        head = text.partition("\n")[0]
        delimiter = ";" if head.count(";") > head.count(",") else ","
        reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
        try:
            columns = [name.strip().lower() for name in next(reader, [])]
            if not self._are_columns(columns):
                return
            for number, cells in enumerate(reader):
                self._line = reader.line_num
                if number >= ROWS_MAX:
                    self._complain(f"more than {ROWS_MAX:,} rows; split the target")
                    return
                if any(cell.strip() for cell in cells):
                    self._row(columns, [cell.strip() for cell in cells])
        except csv.Error as error:
            self._line = reader.line_num
            self._complain(f"not CSV: {error}")
            return
        if not (self._found.quotas or self._found.errors):
            self._complain("has no quota; write at least one row")

    def _are_columns(self, columns: list[str]) -> bool:
        for name in columns:
            if name not in COLUMNS:
                self._complain(f"{shown(name)} is not a column{hint(name, COLUMNS)}")
        for name in ("member", "value"):
            if name not in columns:
                self._complain(f"has no column {name!r}; the first line names the columns")
        if len(set(columns)) < len(columns):
            self._complain("names a column twice; keep one")
        return not self._found.errors

    def _row(self, columns: list[str], cells: list[str]) -> None:
        if len(cells) != len(columns):
            self._complain(f"has {len(cells)} cells; the first line names {len(columns)} columns")
            return
        row = dict(zip(columns, cells, strict=True))
        member, value = row["member"], row["value"]
        if not member:
            self._complain("names no member; write one, or * for all others")
        if not _NUMBER.fullmatch(value):
            self._complain(f"{shown(value)} is not a number like 50000 or 0.25{_advice(value)}")
        before = len(self._found.errors)
        first = self._first_day(row.get("start", ""), row.get("period", ""))
        if not member or not _NUMBER.fullmatch(value) or len(self._found.errors) > before:
            return
        key = (member, first)
        if key in self._lines:
            self._complain(
                f"the quota of {shown(member)} for that window is already on line "
                f"{self._lines[key]}; keep one of the two"
            )
            return
        self._lines[key] = self._line
        self._found.quotas[key] = Decimal(value)

    def _first_day(self, start: str, period: str) -> int | None:
        if start and period:
            self._complain("has both a start and a period; keep one of the two")
        elif (start or period) and self._window not in _EXAMPLES:
            self._complain(f"the window {self._window} always ends now; leave the cell empty")
        elif start:
            first = day_of(start, self._complain)
            if first is not None:
                return self._checked(start, first.toordinal())
        elif period:
            return self._of_period(period)
        return None

    def _checked(self, text: str, day: int) -> int | None:
        first = self._period_start(self._window, day)
        if first != day:
            meant = date.fromordinal(first)
            self._complain(f"no {self._window} begins on {text}; did you mean {meant}?")
        return first

    def _of_period(self, text: str) -> int | None:
        match = _PERIOD.fullmatch(text)
        day = None
        if match is not None:
            parts = dict(zip(_PARTS, match.groups()[1:], strict=True))
            kind = next((kind for kind in reversed(_PARTS) if parts[kind]), "year")
            if kind == self._window:
                day = self._day_in(kind, int(match[1]), parts)
        if day is None:
            example = _EXAMPLES.get(self._window, "")
            self._complain(f"{shown(text)} is not a {self._window}; write it like {example}")
            return None
        return self._period_start(self._window, day)

    def _day_in(self, kind: str, year: int, parts: dict[str, str | None]) -> int | None:
        """Some day of the period; None where the calendar has no such period."""
        try:
            if kind == "week":
                return date.fromisocalendar(year, int(parts["week"] or 0), 4).toordinal()
            if kind == "month":
                return date(year, int(parts["month"] or 0), 1).toordinal()
            if kind == "day":
                month, day = int(parts["month"] or 0), int(parts["day"] or 0)
                return date(year, month, day).toordinal()
            # A fiscal year is called after the calendar year in which it begins.
            first = self._period_start("year", date(year, 12, 31).toordinal())
        except ValueError:
            return None
        if kind == "year":
            return first
        moment = date.fromordinal(first)
        months = moment.month - 1 + 3 * (int(parts["quarter"] or 1) - 1)
        return date(moment.year + months // 12, months % 12 + 1, 1).toordinal()

    def _complain(self, message: str) -> None:
        self._found.errors.append(ConfigError(self._filename, self._line, "", message))


def _advice(text: str) -> str:
    plain = re.sub(r"[ _']", "", text)
    if plain != text and _NUMBER.fullmatch(plain):
        return f"; write {plain}"
    if text.count(",") == 1 and _NUMBER.fullmatch(text.replace(",", ".")):
        return f"; write {text.replace(',', '.')}, with a point"
    return ""


def first_errors(errors: Iterable[ConfigError], limit: int = 20) -> list[ConfigError]:
    """The first errors of a long list, and how many more there are."""
    listed = list(errors)
    if len(listed) <= limit:
        return listed
    last = listed[limit - 1]
    more = ConfigError(last.filename, last.line, "", f"… and {len(listed) - limit:,} more")
    return [*listed[:limit], more]
