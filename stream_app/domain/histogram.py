"""A histogram of seconds that can be added up, subtracted and asked for percentiles.

Up to 127 seconds each second has its bin; above, each power of two is cut into 64 bins. A bin
answers with its middle, so an answer is off by at most 1/128 (0.8 %) of the true one.
"""

from fractions import Fraction
from typing import Final

from stream_app.domain.series import Series

_BITS: Final = 7
_BINS_PER_GROUP: Final = 1 << (_BITS - 1)
_EXACT_BELOW: Final = 1 << _BITS


def bin_of(seconds: int) -> int:
    """The bin of a duration of whole seconds, 0 or more."""
    shift = max(0, seconds.bit_length() - _BITS)
    return shift * _BINS_PER_GROUP + (seconds >> shift)


def seconds_of(bin_number: int) -> int:
    """What a bin answers with: the middle of the durations in it."""
    if bin_number < _EXACT_BELOW:
        return bin_number
    shift = bin_number // _BINS_PER_GROUP - 1
    low = (bin_number % _BINS_PER_GROUP + _BINS_PER_GROUP) << shift
    return low + ((1 << shift) - 1) // 2


class Histogram:
    """Counts by bin and index (a day, or five minutes)."""

    __slots__ = ("_all", "_bins", "_groups")

    def __init__(self) -> None:
        self._all = Series()
        self._groups: dict[int, Series] = {}
        self._bins: dict[int, dict[int, Series]] = {}

    def add(self, index: int, bin_number: int, change: int) -> None:
        """Add `change` to a bin at `index`."""
        group = bin_number // _BINS_PER_GROUP
        self._all.add(index, change)
        of_group = self._groups.get(group)
        if of_group is None:
            of_group = self._groups[group] = Series()
            self._bins[group] = {}
        of_group.add(index, change)
        bins = self._bins[group]
        of_bin = bins.get(bin_number)
        if of_bin is None:
            of_bin = bins[bin_number] = Series()
        of_bin.add(index, change)

    def percentile(self, percent: Fraction, start: int, end: int) -> int | None:
        """The nearest rank over `start <= index < end`; None where nothing is counted.

        Args:
            percent: above 0, at most 100.
            start: first index.
            end: after the last index.
        """
        count = self._all.total(start, end)
        if count <= 0:
            return None
        rank = -(-percent.numerator * count // (100 * percent.denominator))
        for group in sorted(self._groups):
            in_group = self._groups[group].total(start, end)
            if rank > in_group:
                rank -= in_group
                continue
            bins = self._bins[group]
            for bin_number in sorted(bins):
                rank -= bins[bin_number].total(start, end)
                if rank <= 0:
                    return seconds_of(bin_number)
        return None
