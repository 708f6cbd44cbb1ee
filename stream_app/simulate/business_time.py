"""Business time: a clock that runs fast in working hours, slowly at night and at the weekend.

The simulation draws all its delays in *business days* (five a week) and turns them into instants
at the very end. So leads, calls and signatures crowd into working hours by themselves.
"""

from bisect import bisect_right
from itertools import accumulate
from typing import Final

_HOUR_MS: Final = 3_600_000
_WEEK_MS: Final = 7 * 24 * _HOUR_MS
_MONDAY_MS: Final = 4 * 24 * _HOUR_MS  # 1970-01-05T00:00:00Z, a Monday
_BUSINESS_DAYS_A_WEEK: Final = 5.0

_WORKDAY: Final = (
    *(0.03, 0.02, 0.02, 0.02, 0.03, 0.08),
    *(0.25, 0.80, 2.20, 3.20, 3.60, 3.20),
    *(1.90, 2.60, 3.40, 3.40, 2.90, 2.00),
    *(0.90, 0.50, 0.35, 0.25, 0.15, 0.08),
)
_WEEKEND: Final = tuple(0.06 * weight for weight in _WORKDAY)
_WEIGHTS: Final = (*(_WORKDAY * 5), *(_WEEKEND * 2))
_PER_HOUR: Final = tuple(_BUSINESS_DAYS_A_WEEK * w / sum(_WEIGHTS) for w in _WEIGHTS)
_BEFORE_HOUR: Final = (0.0, *accumulate(_PER_HOUR))[: len(_PER_HOUR)]


def business_days(instant_ms: int) -> float:
    """Return the business days from Monday 1970-01-05T00:00Z to an instant of UTC."""
    week, rest_ms = divmod(instant_ms - _MONDAY_MS, _WEEK_MS)
    hour, rest_ms = divmod(rest_ms, _HOUR_MS)
    return week * _BUSINESS_DAYS_A_WEEK + _BEFORE_HOUR[hour] + _PER_HOUR[hour] * rest_ms / _HOUR_MS


def instant_ms(days: float) -> int:
    """Return the instant at which so many business days have passed; inverse of the above."""
    week, rest = divmod(days, _BUSINESS_DAYS_A_WEEK)
    hour = bisect_right(_BEFORE_HOUR, rest) - 1
    within = (rest - _BEFORE_HOUR[hour]) / _PER_HOUR[hour]
    return _MONDAY_MS + int(week) * _WEEK_MS + hour * _HOUR_MS + int(within * _HOUR_MS)
