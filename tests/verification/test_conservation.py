import pytest

from stream_app.verification.conservation import Committed, conservation_differences
from stream_app.verification.outcomes import OUTCOMES, Outcomes


def outcomes(*noted: str, begin: int = 0) -> Outcomes:
    found = Outcomes(begin)
    for offset, outcome in enumerate(noted, start=begin):
        found.note(offset, outcome)
    return found


LOG = ("applied", "applied", "duplicate", "dead_letter", "ignored", "applied")


def told(committed: Committed, found: Outcomes | None = None, end: int = 6) -> list[str]:
    known = found or outcomes(*LOG)
    return [str(d) for d in conservation_differences("crm.events/1", known, end, committed)]


def test_equal_counts_at_the_end_are_no_difference() -> None:
    counts = {"applied": 3, "duplicate": 1, "dead_letter": 1, "ignored": 1}
    assert told(Committed(6, counts)) == []


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_one_record_counted_twice_is_a_difference(outcome: str) -> None:
    counts = {"applied": 3, "duplicate": 1, "dead_letter": 1, "ignored": 1}
    counts[outcome] += 1
    assert told(Committed(6, counts)) == [
        f"crm.events/1: {outcome} is {counts[outcome]}, the log says {counts[outcome] - 1}"
    ]


def test_a_worker_that_is_behind_is_right_up_to_where_it_is() -> None:
    counts = {"applied": 2, "duplicate": 1}
    assert told(Committed(3, counts)) == ["crm.events/1: offset is 3, the log says 6"]


def test_nothing_committed_is_a_difference_where_there_is_a_log() -> None:
    assert told(Committed(None, {})) == ["crm.events/1: offset is missing, the log says 6"]
    assert told(Committed(None, {}), Outcomes(0), 0) == []


def test_an_offset_beyond_the_log_is_a_difference() -> None:
    assert told(Committed(9, {"applied": 9})) == ["crm.events/1: offset is 9, the log says 6"]


@pytest.mark.parametrize(("applied", "right"), [(4, True), (2, True), (5, False), (1, False)])
def test_of_a_log_without_its_beginning_only_the_sum_is_judged(
    applied: int, *, right: bool
) -> None:
    found = outcomes("applied", "applied", begin=2)
    differences = told(Committed(4, {"applied": applied}), found, end=4)
    assert (differences == []) is right
