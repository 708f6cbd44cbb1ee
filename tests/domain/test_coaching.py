"""Repeated misses are told to the coach."""

from collections.abc import Iterator, Sequence
from datetime import date

import pytest

from stream_app.domain.alerts import Alert, Tick
from stream_app.domain.coaching import coach, streak
from stream_app.domain.formula import Number
from stream_app.domain.goal import Goal
from stream_app.domain.targets import Standing
from tests.domain.life import (
    SCOPE,
    standing_of,
)
from tests.domain.standings import RULES, goal_of, us


def closed(goal: Goal, values: Sequence[Number | None]) -> Iterator[Standing | None]:
    today = date(2026, 11, 16).toordinal()
    start = RULES.period_start("month", today)
    for steps, value in enumerate(values, 1):
        window = RULES.closed_window("month", RULES.step("month", start, -steps))
        yield standing_of(goal, window, value, today)


@pytest.mark.parametrize(
    ("values", "misses"),
    [
        ([0.1, 0.1, 0.1, 0.3], 3),
        ([0.1, 0.1, 0.3, 0.1], 2),
        ([0.1, None, 0.1, None, 0.1], 3),
        ([0.3, 0.1, 0.1, 0.1], 0),
        ([None, None], 0),
        ([0.1] * 9, 3),
    ],
    ids=str,
)
def test_only_judged_windows_break_or_count(values: list[Number | None], misses: int) -> None:
    goal = goal_of("kpi: win_rate, window: month, at_least: 0.25, repeat_misses: 3")

    assert streak(closed(goal, values), 3).misses == misses


def test_repeated_misses_fire_once_until_one_is_met() -> None:
    goal = goal_of("kpi: win_rate, window: month, at_least: 0.25, repeat_misses: 2")
    alert: Alert | None = None
    told = []
    for day, values in enumerate([[0.1], [0.1, 0.1], [0.1, 0.1, 0.1], [0.3, 0.1, 0.1]], 1):
        tick = Tick(us(f"2026-11-{day:02d}T00:00"), 0, "", "")
        alert, made = coach(goal, SCOPE, alert, tick, streak(closed(goal, values), 2))
        told += [(change.state, change.reason, change.kind) for change in made]

    assert told == [
        ("firing", "missed_repeatedly", "coaching"),
        ("resolved", "recovered", "coaching"),
    ]
