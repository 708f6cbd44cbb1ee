"""The totals of one scope: newest partial of every cell and source, summed and converted.

Partials are absolute and versioned; the newest version per (bucket, source partition) wins, so a
repeat, a reordering or a duplicate is harmless. Flows of money are converted per bucket and
currency (and stage, where its chance weighs them) as they arrive; stocks keep their currencies and
are converted with the rate of the day they are asked for.
"""

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from fractions import Fraction
from typing import Final

from stream_app.domain.cells import FIVE_MINUTE_BASE
from stream_app.domain.histogram import Histogram
from stream_app.domain.measures import (
    COUNTS,
    HISTOGRAMS,
    MONEY,
    OF_ARMS,
    STOCKS,
    WEIGHABLE,
    split_measure,
)
from stream_app.domain.rates import Rates
from stream_app.domain.series import Series
from stream_app.domain.views import Exact
from stream_app.domain.windows import Days, FiveMinutes, Range

Partial = tuple[int, dict[str, int]]
"""(version, measures) of one cell from one source partition."""

Parts = tuple[str, ...]
"""Of a measure's key behind its name: currency, and pipeline and stage where chances weigh it."""

_NO_SERIES: Final = Series()
_NO_PARTS: Final[Mapping[str, Parts]] = {}
_HISTOGRAMS: Final = frozenset(HISTOGRAMS.values())
_WEIGHED: Final = frozenset(WEIGHABLE.values())
_PLAIN_FLOWS: Final = COUNTS - STOCKS - OF_ARMS - _HISTOGRAMS
"""Of what is counted without parts nearly all."""


class _Rows:
    """The rows of one kind of bucket.

    Attributes:
        series: a flow's name, or a stock's whole key → its row.
        keys: the name of a stock of money → its keys with their parts.
        stocks: the names of all stocks.
        histograms: name → its bins.
    """

    __slots__ = ("histograms", "keys", "series", "stocks")

    def __init__(self) -> None:
        self.series: dict[str, Series] = {}
        self.keys: dict[str, dict[str, Parts]] = {}
        self.stocks: set[str] = set()
        self.histograms: dict[str, Histogram] = {}

    def row(self, name: str) -> Series:
        """The row of that name, empty if there is none."""
        return self.series.get(name, _NO_SERIES)

    def add(self, name: str, index: int, change: int) -> None:
        """Add to the row of that name."""
        series = self.series.get(name)
        if series is None:
            series = self.series[name] = Series()
        series.add(index, change)


class ScopeTotals:
    """What one scope has counted, by day and by five-minute bucket."""

    __slots__ = ("_day_of_bucket", "_days", "_fives", "_partials", "_rates", "_raw", "asked")

    def __init__(self, rates: Rates, day_of_bucket: Callable[[int], int]) -> None:
        """Begin empty.

        Args:
            rates: what converts money into the business currency.
            day_of_bucket: the business day of a five-minute bucket, for the day's rate.

        Attributes:
            asked: what targets ask of the scope (`domain/asked.py`); None: nothing.
        """
        self.asked: Callable[[str, Range], Exact | None] | None = None
        self._rates = rates
        self._day_of_bucket = day_of_bucket
        self._partials: dict[tuple[int, str], Partial] = {}
        self._days = _Rows()
        self._fives = _Rows()
        self._raw: dict[tuple[int, str], int] = {}  # foreign money of a flow per (bucket, key)

    def put(
        self, bucket: int, source: str, version: int, measures: dict[str, int]
    ) -> set[str] | None:
        """Take in a partial; an older version than the one held changes nothing.

        Returns:
            The names of the measures that changed; None if this or a later version is held.
        """
        held = self._partials.get((bucket, source))
        if held is not None and held[0] >= version:
            return None
        self._partials[bucket, source] = (version, measures)
        if held is None:
            return {self._add(bucket, key, value) for key, value in measures.items() if value}
        before = held[1]
        changed = set()
        for key, value in measures.items():
            change = value - before.get(key, 0)
            if change:
                changed.add(self._add(bucket, key, change))
        for key in before.keys() - measures.keys():
            if before[key]:
                changed.add(self._add(bucket, key, -before[key]))
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
        return self._rows(over).row(name).total(over.first, over.end)

    def by_day(self, key: str, end: int) -> Iterator[tuple[int, int]]:
        """(day, value) of an arm's row on every day before `end` on which it is not 0."""
        return ((day, value) for day, value in self._days.row(key).items(0, end) if value)

    def stock_at_start(self, name: str, over: Range) -> int:
        """A stock just before a range."""
        first = over.first if isinstance(over, Days) else over.day
        return self._level(name, first)

    def stock_at_end(self, name: str, over: Range) -> int:
        """A stock at the end of a range."""
        if isinstance(over, Days):
            return self._level(name, over.end)
        return self._level(name, over.day, over)

    def aged(self, name: str, over: Range, days: int) -> int:
        """A flow's total before so many days before the last day of a range."""
        last = over.end - 1 if isinstance(over, Days) else over.day
        return self._days.row(name).total_before(last - days)

    def target(self, name: str, over: Range) -> Exact | None:
        """What is asked of a total in the window that a range begins; None: nothing."""
        return None if self.asked is None else self.asked(name, over)

    def percentile(self, name: str, over: Range, percent: Fraction) -> int | None:
        """The nearest rank in a histogram over a range; None where it is empty."""
        histogram = self._rows(over).histograms.get(name)
        return None if histogram is None else histogram.percentile(percent, over.first, over.end)

    def touched(self, over: Range, among: AbstractSet[str] | None) -> set[str]:
        """Which of some measures are not zero in the range, a stock at some moment of it.

        Args:
            over: the range.
            among: the measures; None for all.
        """
        first, end = over.first, over.end
        rows = self._rows(over)
        series = rows.series
        stocks = self._days.stocks | rows.stocks
        names = series.keys() if among is None else series.keys() & among
        touched = {name for name in names if series[name].any_in(first, end)}
        asked = stocks if among is None else stocks & among
        touched.update(name for name in asked if self._held(name, over))
        return touched

    def _held(self, name: str, over: Range) -> bool:
        """Whether a stock is other than zero at one of the ends of a range, or moved within it."""
        keys = self._keys(name, over) if name in MONEY else (name,)
        if isinstance(over, Days):
            rows = [self._days.row(key) for key in keys]
            return any(
                row.total_before(over.end) or row.any_in(over.first, over.end) for row in rows
            )
        return any(self._units(key, over.day, over) for key in keys)

    def _keys(self, name: str, over: Range | None) -> Mapping[str, Parts]:
        keys = self._days.keys.get(name, _NO_PARTS)
        if isinstance(over, FiveMinutes):
            # What came and went within one day has five-minute cells, but none of the day.
            keys = {**keys, **self._fives.keys.get(name, _NO_PARTS)}
        return keys

    def _rows(self, over: Range) -> _Rows:
        return self._days if isinstance(over, Days) else self._fives

    def _level(self, name: str, end_day: int, part_of_day: Range | None = None) -> int:
        """A stock after the days before `end_day`, and a part of that day if given."""
        if name not in MONEY:
            return self._units(name, end_day, part_of_day)
        rate_day = end_day if part_of_day is not None else end_day - 1
        value = self._value
        return sum(
            value(name, parts, self._units(key, end_day, part_of_day), rate_day)
            for key, parts in self._keys(name, part_of_day).items()
        )

    def _units(self, key: str, end_day: int, part_of_day: Range | None) -> int:
        level = self._days.row(key).total_before(end_day)
        return level if part_of_day is None else level + self.flow(key, part_of_day)

    # -- what is kept ----------------------------------------------------------------------------

    def _add(self, bucket: int, key: str, change: int) -> str:
        name, parts = split_measure(key)
        if bucket >= FIVE_MINUTE_BASE:
            rows, index = self._fives, bucket - FIVE_MINUTE_BASE
        else:
            rows, index = self._days, bucket
        if not parts and name in _PLAIN_FLOWS:
            rows.add(name, index, change)
            return name
        if name in STOCKS:
            rows.stocks.add(name)
        if name in STOCKS or name in OF_ARMS:
            if parts:
                rows.keys.setdefault(name, {})[key] = parts
            rows.add(key, index, change)
            return name
        if name in _HISTOGRAMS:
            histogram = rows.histograms.get(name)
            if histogram is None:
                histogram = rows.histograms[name] = Histogram()
            histogram.add(index, int(parts[0]), change)
        elif parts:
            change = self._change_of_value(bucket, index, key, change)
        rows.add(name, index, change)
        return name

    def _change_of_value(self, bucket: int, index: int, key: str, change: int) -> int:
        """How the value of a bucket changes: rounding is per bucket and currency (and stage)."""
        name, parts = split_measure(key)
        day = index if bucket < FIVE_MINUTE_BASE else self._day_of_bucket(index)
        before = self._raw.get((bucket, key), 0)
        after = self._raw[bucket, key] = before + change
        return self._value(name, parts, after, day) - self._value(name, parts, before, day)

    def _value(self, name: str, parts: Parts, minor: int, day: int) -> int:
        if name in _WEIGHED:
            currency, pipeline, stage = parts
            return self._rates.weighted(minor, currency, day, pipeline, stage)
        return self._rates.convert(minor, parts[0], day)
