"""Which period and whose."""

import pytest

from stream_app.reports.archive import Archive
from stream_app.reports.asking import (
    NothingThere,
    WrongChoice,
    check_dimension,
    check_window,
    choice_of,
)
from stream_app.reports.choice import Choice
from tests.reports.stories import COMPANY, RULES, archive, published, record


def asked(
    period: str | None = None,
    dimension: str | None = None,
    member: str | None = None,
    of: Archive | None = None,
) -> Choice:
    return choice_of(
        COMPANY, of or archive(), RULES, period=period, dimension=dimension, member=member, top=5
    )


@pytest.mark.parametrize(
    ("period", "start"),
    [
        (None, "2026-03-01"),
        ("running", "2026-04-01"),
        ("2026-02", "2026-02-01"),
        ("2026-02-11", "2026-02-01"),
    ],
)
def test_the_period_is_the_last_complete_one_or_the_one_asked_for(
    period: str | None, start: str
) -> None:
    assert asked(period).start[:10] == start


def test_a_period_without_values_says_which_there_are() -> None:
    with pytest.raises(
        NothingThere, match="the first begins on 2026-01-01, the last on 2026-04-01"
    ):
        asked("2025-11")


def test_an_empty_topic_asks_for_a_worker() -> None:
    with pytest.raises(NothingThere, match="is a worker running"):
        asked(of=Archive("month"))


def test_a_word_that_is_no_period_is_wrong() -> None:
    with pytest.raises(WrongChoice, match="'March' names no month; write 2026-10"):
        asked("March")


def test_a_member_is_found_by_name_and_a_wrong_one_gets_the_nearest() -> None:
    assert asked(dimension="rep", member="ada example").member == "r-1"
    with pytest.raises(WrongChoice, match=r"there is no rep 'Adda Example' in that period; did"):
        asked(dimension="rep", member="Adda Example")


@pytest.mark.parametrize(
    ("window", "period", "message"),
    [
        ("mnth", None, "there is no window 'mnth'; did you mean 'month'"),
        ("30d", "2026-03", "the window '30d' always runs: leave --period out"),
    ],
)
def test_a_wrong_window_is_told(window: str, period: str | None, message: str) -> None:
    with pytest.raises(WrongChoice, match=message):
        check_window(COMPANY, window, period)


def test_a_wrong_dimension_is_told() -> None:
    with pytest.raises(WrongChoice, match="there is no dimension 'reps'; did you mean 'rep'"):
        check_dimension(COMPANY, "reps", None)
    with pytest.raises(WrongChoice, match="--member needs --dimension"):
        check_dimension(COMPANY, None, "r-1")


def test_the_last_complete_period_is_one_of_the_company() -> None:
    """While a worker catches up a rep may be ahead."""
    later = record("revenue", "2026-05", 5, dimension="rep", member="r-1")
    ahead = archive([*published(), later])
    assert asked(of=ahead).start[:10] == "2026-03-01"
    assert asked("2026-02", of=ahead).start[:10] == "2026-02-01"
