"""Which buckets a question needs, so that nothing else is kept (pure)."""

from bisect import bisect_right
from dataclasses import dataclass
from typing import Final, Self

from stream_app.domain.cells import FIVE_MINUTE_BASE
from stream_app.domain.formula import Formula
from stream_app.domain.measures import AGED, STOCKS, split_measure
from stream_app.domain.windows import Days, FiveMinutes, Window
from stream_app.explaining.reads import Read, reads_expected

_SINCE_EVER: Final = 0


@dataclass(frozen=True, slots=True)
class Span:
    """The measures and ranges that a formula and its previous value can read of a window.

    Flows are kept for each bucket in a range. Of stocks only their level at the ranges' ends is
    asked, so that what came and went between two ends is not kept.

    Attributes:
        ends: the days before which levels of stocks are asked for.
        reads: what the value itself reads, for telling what restates it.
    """

    measures: frozenset[str]
    days: tuple[Days, ...]
    fives: tuple[FiveMinutes, ...]
    ends: tuple[int, ...]
    reads: tuple[Read, ...]

    @classmethod
    def of(cls, formula: Formula, window: Window) -> Self:
        """What a formula needs of a window."""
        asked = (
            window.range,
            window.compared,
            window.previous,
            window.before_previous,
            window.last_year,
            window.previous_last_year,
        )
        ranges = [each for over in asked if over is not None for each in (over, over.whole)]
        days = [each for each in ranges if isinstance(each, Days)]
        fives = [each for each in ranges if isinstance(each, FiveMinutes)]
        ends = {end for each in days for end in (each.first, each.end)} | {f.day for f in fives}
        if formula.as_of_now:
            days.append(Days(_SINCE_EVER, max(ends)))
        return cls(
            formula.measures,
            tuple(dict.fromkeys(days)),
            tuple(dict.fromkeys(fives)),
            tuple(sorted(ends)),
            tuple(reads_expected(formula, window)),
        )

    def place(self, bucket: int, key: str) -> int | None:
        """The bucket under which a measure's value is kept, or None if it is not asked for."""
        name, _ = split_measure(key)
        if name not in self.measures:
            return None
        if bucket >= FIVE_MINUTE_BASE:
            number = bucket - FIVE_MINUTE_BASE
            return bucket if any(f.first <= number < f.end for f in self.fives) else None
        if name in STOCKS:
            next_end = bisect_right(self.ends, bucket)
            return self.ends[next_end] - 1 if next_end < len(self.ends) else None
        days = [each for each in self.days if name in AGED or each.first > _SINCE_EVER]
        return bucket if any(d.first <= bucket < d.end for d in days) else None

    def makes_the_value(self, place: int, key: str) -> bool:
        """Whether the value itself depends on what is kept there, and not only what it follows."""
        name, _ = split_measure(key)
        return any(read.measure == name and is_read(place, read) for read in self.reads)


def is_read(place: int, read: Read) -> bool:
    """Whether a question to the totals is about what is kept in a bucket."""
    over = read.over
    if place >= FIVE_MINUTE_BASE:
        if not isinstance(over, FiveMinutes) or read.kind == "at_start":
            return False
        return over.first <= place - FIVE_MINUTE_BASE < over.end
    if read.measure in STOCKS:
        return place < level_end(read)
    return isinstance(over, Days) and over.first <= place < over.end


def level_end(read: Read) -> int:
    """The day before whose start a stock is asked for (and a part of that day, if in parts)."""
    over = read.over
    if isinstance(over, FiveMinutes):
        return over.day
    return over.first if read.kind == "at_start" else over.end
