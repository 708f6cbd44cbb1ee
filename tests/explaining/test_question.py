"""Wrong names get the nearest right one."""

import re

import pytest

from stream_app.domain.evaluation import Evaluator
from stream_app.explaining.question import (
    Question,
    Standing,
    WrongQuestion,
    question,
    window_asked,
    windows_of,
)
from tests.board.records import record
from tests.explaining.stories import NOW_US, company

COMPANY = company()


def asked(**words: str | None) -> Question:
    said: dict[str, str | None] = {
        "window": "month",
        "start": None,
        "dimension": "company",
        "member": None,
        "kpi": "revenue",
    } | words
    return question(COMPANY, **said)  # type: ignore[arg-type] # kpi and window are given


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"kpi": "win_rat"}, "there is no KPI 'win_rat'; did you mean 'win_rate'?"),
        ({"window": "mont"}, "there is no window 'mont'; did you mean 'month'?"),
        ({"dimension": "reps", "member": "x"}, "there is no dimension 'reps'; did you mean 'rep'?"),
        ({"dimension": "rep"}, "which rep? write --member as well"),
        ({"member": "r-1"}, "--member needs --dimension, such as --dimension rep"),
        ({"window": "30d", "start": "2026-02"}, "the window '30d' always runs: leave --start out"),
        (
            {"kpi": "revenue", "window": "hour", "dimension": "product_line", "member": "x"},
            "revenue does not exist for product_line in the window hour",
        ),
    ],
)
def test_a_wrong_word_is_told_with_the_nearest(words: dict[str, str], message: str) -> None:
    with pytest.raises(WrongQuestion, match=f"^{re.escape(message)}$"):
        asked(**words)


def window_of(**words: str | None) -> str:
    rules = windows_of(COMPANY)
    at_now = Evaluator(COMPANY.catalogue, rules).windows_at(NOW_US)
    return window_asked(asked(**words), at_now, rules).start


@pytest.mark.parametrize(
    ("window", "start", "begins"),
    [
        ("month", None, "2026-03-01"),
        ("month", "running", "2026-03-01"),
        ("month", "2026-02", "2026-02-01"),
        ("month", "2026-02-17", "2026-02-01"),
        ("month", "2026-02-01T00:00:00+00:00", "2026-02-01"),
        ("week", "2026-W10", "2026-03-02"),
        ("day", "2026-03-19", "2026-03-19"),
        ("30d", None, "2026-02-19"),
    ],
)
def test_a_period_is_found_however_it_is_written(
    window: str, start: str | None, begins: str
) -> None:
    assert window_of(window=window, start=start)[:10] == begins


def test_a_period_that_is_none_is_told_with_an_example() -> None:
    with pytest.raises(WrongQuestion, match=r"'Feb' names no month; write 2026-10"):
        window_of(start="Feb")


def test_a_window_that_is_not_kept_is_told_with_those_that_are() -> None:
    with pytest.raises(WrongQuestion, match="they begin on 2024-02-01 and end with the running"):
        window_of(start="2019-01")


def standing() -> Standing:
    found = Standing(asked(dimension="rep", member="Ada Example"))
    for member in ("r-1", "r-2"):
        found.take(*record(dimension="rep", member=member))
    return found


def test_a_rep_is_found_by_display_name() -> None:
    assert standing().member({"r-1": "Ada Example"}) == "r-1"


def test_an_unknown_member_gets_the_nearest() -> None:
    found = standing()
    found.question = asked(dimension="rep", member="ada")
    with pytest.raises(WrongQuestion, match=r"there is no rep 'ada'; known: Ada Example$"):
        found.member({"r-1": "Ada Example"})
    found.question = asked(dimension="rep", member="r-3")
    with pytest.raises(WrongQuestion, match=r"there is no rep 'r-3'; did you mean 'r-[12]'"):
        found.member({})


def test_the_record_with_the_highest_revision_stands() -> None:
    found = Standing(asked())
    key, newest = record(value=2, revision=7)
    found.take(key, newest)
    found.take(*record(value=1, revision=3))
    told = found.record(key)
    assert told is not None
    assert told.value == 2
    found.take(key, None)
    assert found.record(key) is None
