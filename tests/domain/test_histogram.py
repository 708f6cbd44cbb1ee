"""The histogram of durations: at most 1 % off, and additive."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from stream_app.domain.histogram import Histogram, bin_of, seconds_of

SECONDS = st.integers(0, 400_000_000)
PERCENT = st.sampled_from([1, 25, 50, 90, 99, 100])


@given(SECONDS)
def test_a_bin_answers_with_less_than_one_percent_of_error(seconds: int) -> None:
    assert abs(seconds_of(bin_of(seconds)) - seconds) * 100 <= seconds


@given(SECONDS)
def test_bins_are_in_the_order_of_their_durations(seconds: int) -> None:
    assert bin_of(seconds) <= bin_of(seconds + 1) <= bin_of(seconds) + 1


@given(st.lists(st.tuples(st.integers(0, 9), SECONDS), min_size=1), PERCENT)
def test_a_percentile_is_the_nearest_rank(counted: list[tuple[int, int]], percent: int) -> None:
    histogram = Histogram()
    for day, seconds in counted:
        histogram.add(day, bin_of(seconds), 1)

    inside = sorted(seconds for day, seconds in counted if 2 <= day < 8)
    found = histogram.percentile(Fraction(percent), 2, 8)

    if not inside:
        assert found is None
    else:
        rank = -(-percent * len(inside) // 100)
        assert found == seconds_of(bin_of(inside[rank - 1]))


@given(st.lists(SECONDS, min_size=1), SECONDS)
def test_taking_back_undoes_counting(counted: list[int], more: int) -> None:
    before, after = Histogram(), Histogram()
    for histogram in (before, after):
        for seconds in counted:
            histogram.add(1, bin_of(seconds), 1)
    after.add(1, bin_of(more), 1)
    after.add(1, bin_of(more), -1)

    for percent in (50, 90):
        asked = Fraction(percent), 0, 2
        assert after.percentile(*asked) == before.percentile(*asked)
