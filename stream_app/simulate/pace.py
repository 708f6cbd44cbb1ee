"""How fast the past goes by, so that exactly so many events fit into it."""

from bisect import bisect_left, bisect_right
from itertools import accumulate
from typing import Final

_GRID: Final = 512
_LEAST_NATURAL: Final = 0.2


class Pace:
    """The expected number of events as a function of time, for an empty company that begins.

    In the first days there are only new leads; their deals, wins and surveys follow. Measured on a
    sample of leads rather than derived, so that the life of a deal can change without this file.

    Args:
        ages: after how many business days each event of a sample of leads came.
        leads: how many leads the sample had.
        booked_per_day: events per business day that do not come from leads.
        days: the past's length in business days.
        events: how many events it has.
        natural: the share of them that leads and bookings shall bring about.

    Attributes:
        leads_per_day: how many leads have to arrive on a business day.
    """

    def __init__(
        self,
        *,
        ages: list[float],
        leads: int,
        booked_per_day: float,
        days: float,
        events: int,
        natural: float,
    ) -> None:
        ages = sorted(ages)
        sums = [0.0, *accumulate(ages)]

        def per_lead(until: float) -> float:
            count = bisect_right(ages, until)
            return (count * until - sums[count]) / leads

        wanted = max(_LEAST_NATURAL, natural) * events - booked_per_day * days
        self.leads_per_day = (
            max(0.1 * events / days, wanted / per_lead(days))
            if wanted > 0
            else (0.1 * events / days)
        )
        grid = [days * place / _GRID for place in range(_GRID + 1)]
        expected = [booked_per_day * at + self.leads_per_day * per_lead(at) for at in grid]
        self._grid = grid
        self._told = [events * value / expected[-1] for value in expected]

    def days_at(self, told: int) -> float:
        """Return when the event after so many is expected, in business days since the start."""
        place = bisect_left(self._told, told)
        if place == 0:
            return 0.0
        low, high = self._told[place - 1], self._told[place]
        share = (told - low) / (high - low)
        return self._grid[place - 1] + share * (self._grid[place] - self._grid[place - 1])
