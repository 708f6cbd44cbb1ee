"""A sparse row of additive integers over days (or five-minute buckets) with fast range sums."""

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate


class Series:
    """Integers by index; `total` of any range in O(log n), also after late additions.

    Windows overlap, move and are restated, so none of them is kept as a running sum: all are
    differences of two prefix sums. An addition today only extends the row; a late one makes the
    prefix sums behind it be built again, once, when the next total is asked for.
    """

    __slots__ = ("_indexes", "_prefix", "_valid", "_values")

    def __init__(self) -> None:
        self._indexes: list[int] = []
        self._values: list[int] = []
        self._prefix: list[int] = [0]  # _prefix[i] is the sum of the first i values
        self._valid = 0  # so many values are covered by _prefix

    def add(self, index: int, change: int) -> None:
        """Add `change` at `index`.

        What becomes zero is forgotten: five minutes that have expired are taken back, and a worker
        that never stops must not remember them.
        """
        if not change:
            return
        indexes, values = self._indexes, self._values
        if not indexes or indexes[-1] < index:  # the common case: time goes on
            indexes.append(index)
            values.append(change)
            return
        place = bisect_left(indexes, index)
        if indexes[place] != index:
            indexes.insert(place, index)
            values.insert(place, change)
        elif values[place] + change:
            values[place] += change
        else:
            del indexes[place], values[place]
        self._valid = min(self._valid, place)

    def total(self, start: int, end: int) -> int:
        """The sum over `start <= index < end`."""
        prefix = self._prefix_sums()
        indexes = self._indexes
        return prefix[bisect_left(indexes, end)] - prefix[bisect_left(indexes, start)]

    def total_before(self, end: int) -> int:
        """The sum over `index < end`: a stock's level."""
        return self._prefix_sums()[bisect_left(self._indexes, end)]

    def any_in(self, start: int, end: int) -> bool:
        """Whether some value in `start <= index < end` is not zero."""
        first, last = bisect_left(self._indexes, start), bisect_left(self._indexes, end)
        return first < last

    def items(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """(index, value) over `start <= index < end`."""
        first, last = bisect_left(self._indexes, start), bisect_left(self._indexes, end)
        return zip(self._indexes[first:last], self._values[first:last], strict=True)

    def __len__(self) -> int:
        return len(self._indexes)

    def _prefix_sums(self) -> list[int]:
        if self._valid < len(self._values):
            del self._prefix[self._valid + 1 :]
            base = self._prefix[self._valid]
            sums = accumulate(self._values[self._valid :], initial=base)
            next(sums)  # the base itself is there already
            self._prefix.extend(sums)
            self._valid = len(self._values)
        return self._prefix
