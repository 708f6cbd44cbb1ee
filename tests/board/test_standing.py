from stream_app.board.standing import Standing
from tests.board.records import record, standing


def value_of(found: Standing) -> object:
    here = found.get("revenue", "month", "company", "all")
    return None if here is None else here.value


def test_the_record_of_the_highest_revision_stands() -> None:
    newer, older = record(value=2, revision=7), record(value=1, revision=6)
    assert value_of(standing([older, newer])) == value_of(standing([newer, older])) == 2


def test_a_tombstone_takes_a_record_away() -> None:
    key, value = record()
    assert value_of(standing([(key, value), (key, None)])) is None


def test_a_window_that_closed_gives_way_whichever_record_comes_first() -> None:
    march = b"revenue|month|2026-03-01|company|all"
    april = b"revenue|month|2026-04-01|company|all"
    running, closed, following = (
        (march, record(value=1)[1]),
        (march, record(value=2, complete=True, revision=2)[1]),
        (april, record(value=3, revision=3)[1]),
    )
    assert value_of(standing([running, closed, following])) == 3
    assert value_of(standing([running, following, closed])) == 3
    assert value_of(standing([running, closed])) is None


def test_what_is_no_value_is_passed_over() -> None:
    found = standing([(b"k", b"nonsense"), (b"k", None), record(value=4)])
    assert value_of(found) == 4


def test_the_newest_times_are_kept() -> None:
    found = standing([record(event_time="2026-03-02T00:00:00Z"), record("leads")])
    assert found.newest_event == "2026-03-20T11:59:58Z"
    assert found.newest_publication == "2026-03-20T11:59:59.500Z"
