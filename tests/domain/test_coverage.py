"""Pipeline coverage: open deals of the window by what is missing of its revenue target."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from stream_app.domain.asked import Asked
from stream_app.domain.evaluation import Evaluator
from stream_app.domain.goal import Quotas
from stream_app.domain.standings import Goals
from tests.domain.standings import CALENDAR, KPIS, RULES, WORKING, goal_of, totals_of, us

DAYS: dict[str, Any] = {
    "2025-11-03": {"revenue": 8_000},
    "2026-10-05": {"revenue": 500},
    "2026-11-03": {"revenue": 4_000},
    "2026-11-24": {"closing_value": 9_000},
    "2026-12-24": {"closing_value": 70_000},
}
NOVEMBER = date(2026, 11, 1).toordinal()


def coverage(
    text: str, scope: str = "company|all", quotas: Quotas | None = None
) -> dict[str, float | None]:
    """Running windows of 16 November that have a coverage."""
    now_us = us("2026-11-16T12:00")
    goals = Goals([goal_of(text, quotas)] if text else [], WORKING, RULES.kinds)
    asked = Asked(goals, RULES, 2)
    windows = tuple(RULES.current(now_us))
    asked.refresh(windows, CALENDAR.day_of(now_us))
    totals = totals_of(DAYS)
    totals.asked = asked.of(scope, totals)
    return {
        value.window.kind: value.value
        for value in Evaluator(KPIS, RULES).values(scope, totals, windows, {"pipeline_coverage"})
    }


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", {}),
        ("kpi: revenue, window: month, at_least: 10000", {"month": 1.5}),
        ("kpi: revenue, window: month, at_least: 4000", {"month": None}),
        ("kpi: revenue, window: year, at_least: 44000", {"year": 79_000 / 39_500}),
        ('kpi: revenue, window: month, growth: "+25 %", over: last_year', {"month": 1.5}),
        ("kpi: revenue, window: month, at_most: 10000", {}),
        ("kpi: revenue, window: 30d, at_least: 10000", {}),
        ("kpi: leads, window: month, at_least: 10000", {}),
        ("kpi: revenue, window: month, dimension: team, at_least: 10000", {}),
        ("kpi: revenue, window: month, at_least: 10000, by: 2026-11-15", {}),
    ],
)
def test_it_exists_where_revenue_has_a_target(text: str, wanted: dict[str, float | None]) -> None:
    assert coverage(text) == wanted


def test_a_quota_is_the_members_own() -> None:
    text = "kpi: revenue, window: month, dimension: rep, values_from: q.csv"
    quotas = {("r-1", NOVEMBER): Decimal(7_000)}

    assert coverage(text, "rep|r-1", quotas) == {"month": 3}
    assert coverage(text, "rep|r-2", quotas) == {}
