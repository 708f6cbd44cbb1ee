"""How values stand against targets: attainment, what is judged when, and by what."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.domain.standings import goal_of, standing

WON = {"2026-11-02": {"deals_won": 3, "deals_lost": 7}}
TEN_THOUSAND = {"2026-11-02": {"revenue": 10_000}}


def seen(text: str, days: Any, now: str, **more: Any) -> tuple[Any, ...]:
    """(verdict, attainment, expected by now, reached)."""
    found = standing(goal_of(text), days, now, **more)
    assert found is not None
    expected = None if found.expected is None else float(found.expected)
    return found.verdict.name, found.attainment, expected, found.reached


RUNNING = {
    "a rate is judged at any time": (
        "kpi: win_rate, window: month, at_least: 0.25",
        WON,
        ("MET", 1.2, None, False),
    ),
    "a rate that equals its target in decimals meets it": (
        "kpi: win_rate, window: month, at_least: 0.3",
        WON,
        ("MET", 1.0, None, False),
    ),
    "a rate below its target misses it": (
        "kpi: win_rate, window: month, at_least: 0.4",
        WON,
        ("MISSED", 0.75, None, False),
    ),
    "a rate of too small a sample is not judged": (
        "kpi: win_rate, window: month, at_least: 0.4, min_sample: 11",
        WON,
        ("NOT_JUDGED", 0.75, None, False),
    ),
    "a sample that just suffices is judged": (
        "kpi: win_rate, window: month, at_least: 0.4, min_sample: 10",
        WON,
        ("MISSED", 0.75, None, False),
    ),
    "an undefined rate has no attainment": (
        "kpi: win_rate, window: month, at_least: 0.4",
        {},
        ("NOT_JUDGED", None, None, False),
    ),
    "at_most is attained upside down": (
        "kpi: win_rate, window: month, at_most: 0.15",
        WON,
        ("MISSED", 0.5, None, False),
    ),
    "at_most of nothing has no attainment": (
        "kpi: deals_won, window: month, at_most: 5",
        {"2026-11-02": {"deals_lost": 1}},
        ("NOT_JUDGED", None, None, False),
    ),
    "a target of 0 has no attainment": (
        "kpi: revenue, window: month, at_least: 0",
        TEN_THOUSAND,
        ("NOT_JUDGED", None, None, True),
    ),
    "a total without pace waits for the end": (
        "kpi: revenue, window: month, at_least: 20000",
        TEN_THOUSAND,
        ("NOT_JUDGED", 0.5, None, False),
    ),
    "a total that has got there has reached": (
        "kpi: revenue, window: month, at_least: 10000",
        TEN_THOUSAND,
        ("NOT_JUDGED", 1.0, None, True),
    ),
    "a total that must not exceed is judged as soon as it does": (
        "kpi: revenue, window: month, at_most: 9999.99",
        TEN_THOUSAND,
        ("MISSED", 0.999999, None, False),
    ),
    "pace by working days: 10 of 21 are completed": (
        "kpi: revenue, window: month, at_least: 21000, pace: working_days",
        TEN_THOUSAND,
        ("MET", pytest.approx(10 / 21), 10_000.0, False),
    ),
    "pace by calendar days: 15 of 30 are completed": (
        "kpi: revenue, window: month, at_least: 21000, pace: calendar_days",
        TEN_THOUSAND,
        ("MISSED", pytest.approx(10 / 21), 10_500.0, False),
    ),
    "at_most with a pace is judged by now, too": (
        "kpi: revenue, window: month, at_most: 19000, pace: calendar_days",
        TEN_THOUSAND,
        ("MISSED", 1.9, 9_500.0, False),
    ),
    "a moving window is always full": (
        "kpi: revenue, window: 30d, at_least: 20000",
        TEN_THOUSAND,
        ("MISSED", 0.5, None, False),
    ),
    "a sum of one's own is a total": (
        "kpi: won_and_lost, window: month, at_least: 11",
        WON,
        ("NOT_JUDGED", pytest.approx(10 / 11), None, False),
    ),
}


@pytest.mark.parametrize(("text", "days", "wanted"), RUNNING.values(), ids=RUNNING.keys())
def test_a_running_window(text: str, days: Any, wanted: tuple[Any, ...]) -> None:
    assert seen(text, days, "2026-11-16T12:00") == wanted


CLOSED = {
    "a total is judged at its end": ("at_least: 20000", ("MISSED", 0.5, None, False)),
    "a total that met": ("at_least: 10000", ("MET", 1.0, None, True)),
    "at_most is kept": ("at_most: 10000", ("MET", 1.0, None, True)),
    "with a pace all days are completed": (
        "at_least: 20000, pace: working_days",
        ("MISSED", 0.5, None, False),
    ),
}


@pytest.mark.parametrize(("text", "wanted"), CLOSED.values(), ids=CLOSED.keys())
def test_a_closed_window(text: str, wanted: tuple[Any, ...]) -> None:
    goal = f"kpi: revenue, window: month, {text}"

    assert seen(goal, TEN_THOUSAND, "2026-12-05T12:00", closed=1) == wanted


GROWN = {
    "2025-11-03": {"revenue": 1_000},
    "2025-11-20": {"revenue": 9_000},
    "2026-10-05": {"revenue": 500},
    "2026-11-03": {"revenue": 1_050},
    "2026-11-16": {"revenue": 7_000},  # today: not completed
}


def test_growth_in_a_running_window_compares_completed_days_on_both_sides() -> None:
    growth = 'kpi: revenue, window: month, growth: "+10 %", pace: working_days, over: '

    over_year = standing(goal_of(growth + "last_year"), GROWN, "2026-11-16T12:00")
    over_month = standing(goal_of(growth + "previous"), GROWN, "2026-11-16T12:00")

    assert over_year is not None
    assert (over_year.value, over_year.threshold, over_year.expected) == (1_050, 1_100, 1_100)
    assert (over_year.attainment, over_year.reason) == (1_050 / 1_100, "behind_pace")
    assert over_month is not None
    assert (over_month.value, over_month.threshold) == (1_050, 550)
    assert over_month.verdict.name == "MET"


def test_growth_without_a_pace_is_judged_when_the_window_is_over() -> None:
    growth = goal_of('kpi: revenue, window: month, growth: "+10 %", over: last_year')

    running = standing(growth, GROWN, "2026-11-16T12:00")
    closed = standing(growth, GROWN, "2026-12-16T12:00", closed=1)

    assert running is not None
    assert (running.verdict.name, running.attainment) == ("NOT_JUDGED", 1_050 / 1_100)
    assert closed is not None
    assert (closed.value, closed.threshold, closed.verdict.name) == (8_050, 11_000, "MISSED")


def test_on_the_first_day_growth_is_undefined() -> None:
    growth = goal_of('kpi: revenue, window: month, growth: "+10 %", over: last_year')

    found = standing(growth, GROWN, "2026-11-01T12:00")

    assert found is not None
    assert (found.value, found.attainment, found.verdict.name) == (None, None, "NOT_JUDGED")


def test_growth_of_nothing_is_undefined() -> None:
    growth = goal_of('kpi: revenue, window: month, growth: "+10 %", over: last_year')

    found = standing(growth, {"2026-11-03": {"revenue": 5}}, "2026-12-03T12:00", closed=1)

    assert found is not None
    assert (found.threshold, found.attainment, found.verdict.name) == (None, None, "NOT_JUDGED")


def test_quotas_are_the_members_own_then_those_of_all_others() -> None:
    november, december = date(2026, 11, 1).toordinal(), date(2026, 12, 1).toordinal()
    quotas = {
        ("r-1", november): Decimal(20_000),
        ("r-1", None): Decimal(5_000),
        ("*", december): Decimal(7_000),
    }
    goal = goal_of("kpi: revenue, window: month, dimension: rep, values_from: q.csv", quotas)

    def asked(member: str, now: str) -> Any:
        found = standing(goal, TEN_THOUSAND, now, scope=f"rep|{member}")
        return None if found is None else found.threshold

    assert asked("r-1", "2026-11-16T12:00") == 20_000
    assert asked("r-1", "2026-12-16T12:00") == 5_000
    assert asked("r-2", "2026-12-16T12:00") == 7_000
    assert asked("r-2", "2026-11-16T12:00") is None


def test_after_its_last_day_nothing_is_asked() -> None:
    goal = goal_of("kpi: revenue, window: month, at_least: 20000, by: 2026-11-16")

    assert standing(goal, TEN_THOUSAND, "2026-11-16T23:59") is not None
    assert standing(goal, TEN_THOUSAND, "2026-11-17T00:00") is None
    assert standing(goal, TEN_THOUSAND, "2026-12-16T12:00", closed=1) is not None
    assert standing(goal, TEN_THOUSAND, "2027-01-16T12:00", closed=1) is None


def test_an_alert_ends_only_past_resolve_at_and_with_a_pace_past_its_share() -> None:
    rate = goal_of("kpi: win_rate, window: month, at_least: 0.25, resolve_at: 0.31")
    paced = goal_of(
        "kpi: revenue, window: month, at_least: 21000, resolve_at: 22000, pace: working_days"
    )

    between = standing(rate, WON, "2026-11-16T12:00")
    just = standing(paced, TEN_THOUSAND, "2026-11-16T12:00")
    past = standing(paced, {"2026-11-02": {"revenue": 10_477}}, "2026-11-16T12:00")

    assert between is not None
    assert just is not None
    assert past is not None
    assert (between.verdict.name, between.is_back) == ("MET", False)
    assert (just.verdict.name, just.is_back) == ("MET", False)
    assert past.is_back
