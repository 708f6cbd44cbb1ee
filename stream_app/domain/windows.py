"""Windows: `[start, end)` in business days, what is compared with what, and what is kept.

Calendar windows (day … year) run to date; `Nd` are the last N business days, today included;
`hour` is the running five-minute bucket and the eleven before it. All follow from `now`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from stream_app.config.model import Config, History
from stream_app.domain.calendar import DAY_US, FIVE_MINUTES_US, BusinessCalendar, five_minute_bucket

CALENDAR_KINDS: Final = ("day", "week", "month", "quarter", "year")
HOUR_BUCKETS: Final = 12
_MONTHS_IN: Final = {"month": 1, "quarter": 3, "year": 12}
_DAYS_IN_YEAR: Final = 365
_WEEKS_IN_YEAR: Final = 52
_MONTHS_IN_YEAR: Final = 12


@dataclass(frozen=True, slots=True)
class Days:
    """A range of whole business days, `first <= day < end`.

    Attributes:
        whole_end: the end of the whole window that the range is the beginning of; None: `end`.
    """

    first: int
    end: int
    whole_end: int | None = None

    @property
    def whole(self) -> "Days":
        """All days of the window, those to come and those cut off too."""
        return self if self.whole_end is None else Days(self.first, self.whole_end)


@dataclass(frozen=True, slots=True)
class FiveMinutes:
    """A range of five-minute buckets, `first <= bucket < end`, of the business day `day`."""

    first: int
    end: int
    day: int

    @property
    def whole(self) -> Days:
        """The business day."""
        return Days(self.day, self.day + 1)


Range = Days | FiveMinutes


@dataclass(frozen=True, slots=True)
class Window:
    """One window with the ranges that its numbers and comparisons are made of.

    Attributes:
        kind: `hour`, `day` … `year`, or `30d`.
        key: how the key of `kpi.values` names its start: RFC 3339, or `now` if the window moves.
        start_us: first instant.
        end_us: first instant after the whole window, also while it still runs.
        start: `start_us` as `kpi.values` shows it: RFC 3339 in the business time zone.
        end: `end_us` likewise.
        complete: it is over.
        range: what the value covers, to date.
        compared: what a comparison covers on this side: `range`, cut while the window runs; None
            on the first day, when nothing is completed.
        previous: the same, one step earlier (a shorter earlier period whole).
        before_previous: the same, two steps earlier: what the previous value compares with.
        last_year: the same, a year earlier; None for hour and day.
        previous_last_year: the same, a year and one step earlier.
        whole: all days of the window, the future ones too; None for `hour`.
        reach: the days that the window and its comparisons cover, the first and after the last.
    """

    kind: str
    key: str
    start_us: int
    end_us: int
    start: str
    end: str
    complete: bool
    range: Range
    compared: Range | None
    previous: Range | None
    before_previous: Range | None
    last_year: Range | None
    previous_last_year: Range | None
    whole: Days | None
    reach: tuple[int, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Work out the reach once: it is asked for with every change."""
        sides = (
            self.range,
            self.previous,
            self.before_previous,
            self.last_year,
            self.previous_last_year,
            self.whole,
        )
        spans = [_span(side) for side in sides if side is not None]
        reach = min(first for first, _ in spans), max(end for _, end in spans)
        object.__setattr__(self, "reach", reach)


@dataclass(frozen=True, slots=True)
class WindowRules:
    """Which windows exist and where they begin."""

    calendar: BusinessCalendar
    kinds: tuple[str, ...]
    week_starts: int
    fiscal_year_starts: int
    history: History
    fixed_now: bool

    @classmethod
    def from_config(cls, config: Config, calendar: BusinessCalendar) -> "WindowRules":
        """The window rules of a configuration; `as_of` takes the `hour` away."""
        fixed = config.business.as_of is not None
        return cls(
            calendar=calendar,
            kinds=tuple(k for k in config.windows if not (fixed and k == "hour")),
            week_starts=config.business.week_starts,
            fiscal_year_starts=config.business.fiscal_year_starts,
            history=config.history,
            fixed_now=fixed,
        )

    # -- the calendar ----------------------------------------------------------------------------

    def period_start(self, kind: str, day: int) -> int:
        """The first day of the calendar window of that kind that holds `day`."""
        if kind == "day":
            return day
        moment = date.fromordinal(day)
        if kind == "week":
            return day - (moment.weekday() - self.week_starts) % 7
        months_in = (moment.month - self.fiscal_year_starts) % _MONTHS_IN_YEAR % _MONTHS_IN[kind]
        return _shift_months(moment.replace(day=1), -months_in).toordinal()

    def step(self, kind: str, start: int, steps: int) -> int:
        """The first day of the calendar window `steps` later (earlier if negative)."""
        if kind == "day":
            return start + steps
        if kind == "week":
            return start + 7 * steps
        return _shift_months(date.fromordinal(start), steps * _MONTHS_IN[kind]).toordinal()

    def year_before(self, kind: str, start: int) -> int:
        """The first day of the window a year earlier; a week goes back 52 weeks."""
        if kind == "week":
            return start - 7 * _WEEKS_IN_YEAR
        return _shift_months(date.fromordinal(start), -_MONTHS_IN_YEAR).toordinal()

    # -- the windows of a moment -----------------------------------------------------------------

    def current(self, now_us: int) -> Iterator[Window]:
        """The running windows."""
        today = self.calendar.day_of(now_us)
        for kind in self.kinds:
            if kind == "hour":
                yield self._hour(now_us, today)
            elif kind in CALENDAR_KINDS:
                yield self._running(kind, now_us, today)
            else:
                yield self._rolling(kind, today)

    def closed(self, now_us: int) -> Iterator[Window]:
        """The closed calendar windows that are still kept, newest first within a kind."""
        today = self.calendar.day_of(now_us)
        for kind in self.kinds:
            if kind not in CALENDAR_KINDS:
                continue
            start = self.period_start(kind, today)
            for steps in range(1, getattr(self.history, kind) + 1):
                yield self.closed_window(kind, self.step(kind, start, -steps))

    def closed_window(self, kind: str, start: int) -> Window:
        """The closed calendar window that begins on `start`."""
        whole = self._period(kind, start, 0)
        return Window(
            kind=kind,
            key=self._rfc3339(self.calendar.day_start(start)),
            start_us=self.calendar.day_start(start),
            end_us=self.calendar.day_start(whole.end),
            start=self._rfc3339(self.calendar.day_start(start)),
            end=self._rfc3339(self.calendar.day_start(whole.end)),
            complete=True,
            range=whole,
            compared=whole,
            previous=self._period(kind, start, -1),
            before_previous=self._period(kind, start, -2),
            last_year=None if kind == "day" else self._year_before(kind, start),
            previous_last_year=(
                None if kind == "day" else self._year_before(kind, self.step(kind, start, -1))
            ),
            whole=whole,
        )

    def _hour(self, now_us: int, today: int) -> Window:
        running = five_minute_bucket(now_us)
        first, end = running - HOUR_BUCKETS + 1, running + 1
        return Window(
            kind="hour",
            key="now",
            start_us=first * FIVE_MINUTES_US,
            end_us=end * FIVE_MINUTES_US,
            start=self._rfc3339(first * FIVE_MINUTES_US),
            end=self._rfc3339(end * FIVE_MINUTES_US),
            complete=False,
            range=FiveMinutes(first, end, today),
            compared=FiveMinutes(first, end, today),
            previous=FiveMinutes(first - HOUR_BUCKETS, first, today),
            before_previous=FiveMinutes(first - 2 * HOUR_BUCKETS, first - HOUR_BUCKETS, today),
            last_year=None,
            previous_last_year=None,
            whole=None,
        )

    def _running(self, kind: str, now_us: int, today: int) -> Window:
        start = self.period_start(kind, today)
        whole = self._period(kind, start, 0)
        compared: Range | None
        previous: Range | None
        before_previous: Range | None
        if kind == "day":
            compared = Days(today, today + 1)
            previous = self._earlier_day(now_us, today - 1)
            before_previous = self._earlier_day(now_us, today - 2)
            last_year = previous_last_year = None
        else:
            completed = today - start
            compared = _cut(whole, completed)
            previous = _cut(self._period(kind, start, -1), completed)
            before_previous = _cut(self._period(kind, start, -2), completed)
            last_year = _cut(self._year_before(kind, start), completed)
            earlier = self.step(kind, start, -1)
            previous_last_year = _cut(self._year_before(kind, earlier), completed)
        return Window(
            kind=kind,
            key=self._rfc3339(self.calendar.day_start(start)),
            start_us=self.calendar.day_start(start),
            end_us=self.calendar.day_start(whole.end),
            start=self._rfc3339(self.calendar.day_start(start)),
            end=self._rfc3339(self.calendar.day_start(whole.end)),
            complete=False,
            range=Days(start, today + 1, None if whole.end == today + 1 else whole.end),
            compared=compared,
            previous=previous,
            before_previous=before_previous,
            last_year=last_year,
            previous_last_year=previous_last_year,
            whole=whole,
        )

    def _rolling(self, kind: str, today: int) -> Window:
        length = int(kind[:-1])
        end = today + 1
        first = end - length
        days = Days(first, end)
        return Window(
            kind=kind,
            key="now",
            start_us=self.calendar.day_start(first),
            end_us=self.calendar.day_start(end),
            start=self._rfc3339(self.calendar.day_start(first)),
            end=self._rfc3339(self.calendar.day_start(end)),
            complete=False,
            range=days,
            compared=days,
            previous=Days(first - length, first),
            before_previous=Days(first - 2 * length, first - length),
            last_year=Days(first - _DAYS_IN_YEAR, end - _DAYS_IN_YEAR),
            previous_last_year=Days(first - length - _DAYS_IN_YEAR, first - _DAYS_IN_YEAR),
            whole=days,
        )

    def _earlier_day(self, now_us: int, day: int) -> Range:
        """An earlier day up to the end of the five-minute bucket that holds now's local time.

        A fixed "now" cuts nothing off, and may lie where five-minute buckets are gone already: then
        it is the day as a whole.
        """
        if self.fixed_now:
            return Days(day, day + 1)
        first_us, end_us = self.calendar.day_start(day), self.calendar.day_start(day + 1)
        cut_us = self.calendar.same_time_on(day, now_us)
        end = min(five_minute_bucket(cut_us) + 1, five_minute_bucket(end_us))
        return FiveMinutes(five_minute_bucket(first_us), end, day)

    def _period(self, kind: str, start: int, steps: int) -> Days:
        first = self.step(kind, start, steps)
        return Days(first, self.step(kind, first, 1))

    def _year_before(self, kind: str, start: int) -> Days:
        first = self.year_before(kind, start)
        return Days(first, self.step(kind, first, 1))

    def _rfc3339(self, instant_us: int) -> str:
        local: datetime = self.calendar.local(instant_us)
        return local.isoformat(timespec="seconds")


def last_instant_of(day: int, calendar: BusinessCalendar) -> int:
    """The last microsecond of a business day: what `as_of` fixes "now" to."""
    return calendar.day_start(day + 1) - 1


def _span(over: Range) -> tuple[int, int]:
    if isinstance(over, Days):
        return over.first, over.end
    return over.day - 1 - (over.end - over.first) * FIVE_MINUTES_US // DAY_US, over.day + 1


def _cut(period: Days, completed: int) -> Days | None:
    """The first `completed` days of a period; None while nothing is completed."""
    if completed <= 0:
        return None
    end = period.first + completed
    return period if end >= period.end else Days(period.first, end, period.end)


def _shift_months(first_of_month: date, months: int) -> date:
    index = first_of_month.year * _MONTHS_IN_YEAR + first_of_month.month - 1 + months
    return date(index // _MONTHS_IN_YEAR, index % _MONTHS_IN_YEAR + 1, 1)
