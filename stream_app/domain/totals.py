"""The totals of one scope: newest partial of every cell and source, summed and converted.

Partials are absolute and versioned; the newest version per (bucket, source partition) wins, so a
repeat, a reordering or a duplicate is harmless. Flows of money are converted per bucket and
currency as they arrive; stocks keep their currencies and are converted with the rate of the day
they are asked for.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Final

from stream_app.domain.cells import FIVE_MINUTE_BASE
from stream_app.domain.measures import MONEY, STOCKS, split_measure
from stream_app.domain.rates import Rates
from stream_app.domain.series import Series
from stream_app.domain.windows import Days, Range

Partial = tuple[int, dict[str, int]]
"""(version, measures) of one cell from one source partition."""

_NO_SERIES: Final = Series()


class ScopeTotals:
    """What one scope has counted, by day and by five-minute bucket."""

    __slots__ = ("_day_of_bucket", "_days", "_fives", "_partials", "_rates", "_raw")

    def __init__(self, rates: Rates, day_of_bucket: Callable[[int], int]) -> None:
        """Begin empty.

        Args:
            rates: what converts money into the business currency.
            day_of_bucket: the business day of a five-minute bucket, for the day's rate.
        """
        self._rates = rates
        self._day_of_bucket = day_of_bucket
        self._partials: dict[tuple[int, str], Partial] = {}
        self._days: dict[str, Series] = {}
        self._fives: dict[str, Series] = {}
        self._raw: dict[tuple[int, str], int] = {}  # foreign money of a flow per (bucket, key)

    def put(self, bucket: int, source: str, version: int, measures: dict[str, int]) -> set[str]:
        """Take in a partial; an older version than the one held changes nothing.

        Returns:
            The names of the measures that changed.
        """
        held = self._partials.get((bucket, source))
        if held is not None and held[0] >= version:
            return set()
        before: Mapping[str, int] = {} if held is None else held[1]
        self._partials[bucket, source] = (version, measures)
        changed = set()
        for key in before.keys() | measures.keys():
            change = measures.get(key, 0) - before.get(key, 0)
            if change:
                changed.add(self._add(bucket, key, change))
        return changed

    def expire(self, bucket: int, source: str) -> None:
        """Drop a five-minute cell that its source has dropped: no window asks for it any more."""
        held = self._partials.pop((bucket, source), None)
        if held is None:
            return
        for key, value in held[1].items():
            self._add(bucket, key, -value)
            self._raw.pop((bucket, key), None)

    @property
    def has_five_minutes(self) -> bool:
        """Whether anything of the last days is held by five minutes."""
        return any(bucket >= FIVE_MINUTE_BASE for bucket, _ in self._partials)

    # -- what formulas ask -----------------------------------------------------------------------

    def flow(self, name: str, over: Range) -> int:
        """A flow's total over a range; money in minor units of the business currency."""
        if isinstance(over, Days):
            return self._days.get(name, _NO_SERIES).total(over.first, over.end)
        return self._fives.get(name, _NO_SERIES).total(over.first, over.end)

    def stock_at_start(self, name: str, over: Range) -> int:
        """A stock just before a range."""
        first = over.first if isinstance(over, Days) else over.day
        return self._level(name, first)

    def stock_at_end(self, name: str, over: Range) -> int:
        """A stock at the end of a range."""
        if isinstance(over, Days):
            return self._level(name, over.end)
        return self._level(name, over.day, over)

    def is_touched(self, name: str, over: Range) -> bool:
        """Whether the measure is other than zero somewhere in the range, or a stock at its ends."""
        if name in STOCKS:
            return bool(self.stock_at_end(name, over) or self.stock_at_start(name, over))
        series = self._days if isinstance(over, Days) else self._fives
        return series.get(name, _NO_SERIES).any_in(over.first, over.end)

    def stages_of(self, name: str) -> Iterable[tuple[str, tuple[str, ...]]]:
        """The keys of a staged stock or flow with their (currency, pipeline, stage)."""
        for key in self._days:
            found, parts = split_measure(key)
            if found == name and parts:
                yield key, parts

    def weighted(self, name: str, over: Range, probability: Callable[[str, str], Decimal]) -> int:
        """Money times its stage's probability, rounded once per day, currency and stage."""
        days = over if isinstance(over, Days) else Days(over.day, over.day + 1)
        total = 0
        for key, (currency, pipeline, stage) in self.stages_of(name):
            share = probability(pipeline, stage)
            if not share:
                continue
            series = self._days[key]
            if name in STOCKS:
                level = series.total_before(days.end)
                total += self._rates.convert_share(level, currency, days.end - 1, share)
            else:
                total += sum(
                    self._rates.convert_share(value, currency, day, share)
                    for day, value in series.items(days.first, days.end)
                )
        return total

    def _level(self, name: str, end_day: int, part_of_day: Range | None = None) -> int:
        """A stock after the days before `end_day`, and a part of that day if given."""
        if name not in MONEY:
            level = self._days.get(name, _NO_SERIES).total_before(end_day)
            if part_of_day is not None:
                level += self.flow(name, part_of_day)
            return level
        rate_day = end_day if part_of_day is not None else end_day - 1
        # What came and went within one day has five-minute cells, but none of the day.
        keys = self._days.keys() if part_of_day is None else self._days.keys() | self._fives.keys()
        total = 0
        for key in keys:
            found, parts = split_measure(key)
            if found != name or not parts:
                continue
            minor = self._days.get(key, _NO_SERIES).total_before(end_day)
            if part_of_day is not None:
                minor += self.flow(key, part_of_day)
            total += self._rates.convert(minor, parts[0], rate_day)
        return total

    def _add(self, bucket: int, key: str, change: int) -> str:
        name, parts = split_measure(key)
        if bucket >= FIVE_MINUTE_BASE:
            series_by_name, index = self._fives, bucket - FIVE_MINUTE_BASE
        else:
            series_by_name, index = self._days, bucket
        if name in STOCKS or len(parts) > 1 or (parts and name not in MONEY):
            row = key
        else:
            row = name
            if parts:
                change = self._converted(bucket, index, key, parts[0], change)
        series = series_by_name.get(row)
        if series is None:
            series = series_by_name[row] = Series()
        series.add(index, change)
        return name

    def _converted(self, bucket: int, index: int, key: str, currency: str, change: int) -> int:
        """How the converted sum of a bucket changes: rounding is per bucket and currency."""
        day = index if bucket < FIVE_MINUTE_BASE else self._day_of_bucket(index)
        before = self._raw.get((bucket, key), 0)
        after = self._raw[bucket, key] = before + change
        convert = self._rates.convert
        return convert(after, currency, day) - convert(before, currency, day)
