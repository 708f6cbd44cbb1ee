"""A sparse row is a dictionary of integers, and remembers nothing of what is zero."""

from hypothesis import given
from hypothesis import strategies as st

from stream_app.domain.series import Series

_INDEX = st.integers(-5, 15)
_CHANGES = st.lists(st.tuples(_INDEX, st.integers(-2, 2)))


@given(_CHANGES, st.lists(st.tuples(_INDEX, _INDEX), min_size=1))
def test_every_range_sums_up_what_was_added_in_it(
    changes: list[tuple[int, int]], asked: list[tuple[int, int]]
) -> None:
    series, values = Series(), dict[int, int]()
    for number, (index, change) in enumerate(changes):
        series.add(index, change)
        values[index] = values.get(index, 0) + change
        start, end = sorted(asked[number % len(asked)])
        inside = {i: value for i, value in values.items() if start <= i < end and value}
        assert series.total(start, end) == sum(inside.values())
        assert series.total_before(end) == sum(v for i, v in values.items() if i < end)
        assert series.any_in(start, end) == bool(inside)
        assert dict(series.items(start, end)) == inside


@given(_CHANGES)
def test_what_was_taken_back_leaves_nothing_behind(changes: list[tuple[int, int]]) -> None:
    series = Series()
    for index, change in (*changes, *((index, -change) for index, change in changes)):
        series.add(index, change)
    assert len(series) == 0
