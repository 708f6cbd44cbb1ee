from dataclasses import dataclass

import pytest

from stream_app.transport.batch import Batch, Gap, align


@dataclass(frozen=True)
class At:
    """A record of which only the place matters."""

    offset: int
    timestamp: int = 0
    key: bytes | None = None
    value: bytes | None = None


def batch(start: int, end: int, *offsets: int) -> Batch:
    return Batch("t", 3, [At(offset) for offset in offsets], start, end, log_end=99, epoch=7)


def offsets(found: Batch | Gap) -> tuple[int, int, list[int]]:
    assert isinstance(found, Batch)
    return found.start, found.end, [record.offset for record in found.records]


def test_a_batch_that_starts_where_it_should_is_left_alone() -> None:
    whole = batch(10, 13, 10, 11, 12)
    assert align(whole, 10) is whole


def test_what_is_committed_already_is_trimmed() -> None:
    trimmed = align(batch(10, 13, 10, 11, 12), 12)
    assert offsets(trimmed) == (12, 13, [12])
    assert isinstance(trimmed, Batch)
    assert (trimmed.tp, trimmed.log_end, trimmed.epoch) == (("t", 3), 99, 7)


@pytest.mark.parametrize("expected", [13, 20])
def test_of_an_old_batch_nothing_is_left(expected: int) -> None:
    rest = align(batch(10, 13, 10, 11, 12), expected)
    assert offsets(rest) == (expected, expected, [])
    assert not rest


def test_a_batch_that_starts_too_late_is_a_gap() -> None:
    assert align(batch(10, 13, 10, 11, 12), 9) == Gap("t", 3, expected=9, found=10, epoch=7)


def test_a_hole_that_the_broker_made_is_no_gap() -> None:
    holes = batch(10, 20, 13, 17)
    assert offsets(align(holes, 10)) == (10, 20, [13, 17])
    assert offsets(align(holes, 15)) == (15, 20, [17])
    assert offsets(align(holes, 18)) == (18, 20, [])
    assert align(holes, 18)  # there is still something to commit


def test_a_split_batch_covers_what_the_whole_one_covered() -> None:
    head, rest = batch(10, 20, 13, 17, 18).split(1)
    assert (offsets(head), offsets(rest)) == ((10, 17, [13]), (17, 20, [17, 18]))
    none, everything = batch(10, 20, 13, 17).split(0)
    assert (offsets(none), offsets(everything)) == ((10, 10, []), (10, 20, [13, 17]))
    everything, none = batch(10, 20, 13, 17).split(2)
    assert (offsets(everything), offsets(none)) == ((10, 20, [13, 17]), (20, 20, []))
