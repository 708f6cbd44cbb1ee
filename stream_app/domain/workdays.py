"""Which business days are worked, and how much business time lies between two instants."""

from collections.abc import Callable
from datetime import date
from typing import Final

from stream_app.domain.calendar import DAY_US, BusinessCalendar

OPENS_US: Final = 8 * DAY_US // 24
CLOSES_US: Final = 18 * DAY_US // 24
"""Business hours: from eight to six, local time, of every working day."""

_SATURDAY: Final = 5
_YEAR_DAYS: Final = 366


def is_weekday(day: int) -> bool:
    """Monday to Friday: what is worked where no public holidays are known."""
    return date.fromordinal(day).weekday() < _SATURDAY


class WorkingDays:
    """The working days of one company; every other day is free."""

    __slots__ = ("_is_worked", "_known")

    def __init__(self, is_worked: Callable[[int], bool] = is_weekday) -> None:
        """Take what says whether a day (an ordinal) is worked; it is asked once for each."""
        self._is_worked = is_worked
        self._known: dict[int, bool] = {}

    def __contains__(self, day: int) -> bool:
        worked = self._known.get(day)
        if worked is None:
            worked = self._known[day] = self._is_worked(day)
        return worked

    def count(self, first: int, end: int) -> int:
        """How many of the days `first <= day < end` are worked."""
        return sum(day in self for day in range(first, end))

    def days_us(self, since_us: int, until_us: int, calendar: BusinessCalendar) -> int:
        """How much of the time between two instants lies on working days, at most a year of it."""
        return self._between(since_us, until_us, calendar, (0, DAY_US))

    def hours_us(self, since_us: int, until_us: int, calendar: BusinessCalendar) -> int:
        """How much of the time between two instants lies in business hours."""
        return self._between(since_us, until_us, calendar, (OPENS_US, CLOSES_US))

    def _between(
        self, since_us: int, until_us: int, calendar: BusinessCalendar, part: tuple[int, int]
    ) -> int:
        last = calendar.day_of(until_us)
        first = max(calendar.day_of(since_us), last - _YEAR_DAYS)
        total = 0
        for day in range(first, last + 1):
            if day not in self:
                continue
            begin = calendar.day_start(day)
            opens = begin + part[0]
            closes = calendar.day_start(day + 1) if part[1] == DAY_US else begin + part[1]
            total += max(0, min(until_us, closes) - max(since_us, opens))
        return total
