"""The life of an alert: each change once, whatever the order of values, windows and restarts."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_app.domain.alert_states import possible_states
from stream_app.domain.alerts import Alert, Sight, Tick, Transition, advance, end
from stream_app.domain.calendar import rfc3339_utc
from stream_app.domain.coaching import coach, streak
from stream_app.domain.evaluation import KpiValue
from stream_app.domain.formula import Number
from stream_app.domain.goal import Goal
from stream_app.domain.targets import Standing, Verdict, stand
from stream_app.domain.windows import CALENDAR_KINDS, Window
from tests.domain.standings import CALENDAR, RULES, WORKING, goal_of, totals_of, us

SCOPE = "team|emea"
MINUTE_US = 60_000_000
NOBODY = totals_of({})


bound = lru_cache(goal_of)


@lru_cache(maxsize=10_000)
def at(kind: str, now_us: int) -> tuple[Tick, Window, Window | None]:
    today = CALENDAR.day_of(now_us)
    rules = replace(RULES, kinds=(kind,))
    (running,) = rules.current(now_us)
    closed = None
    if kind in CALENDAR_KINDS:
        closed = RULES.closed_window(kind, RULES.step(kind, RULES.period_start(kind, today), -1))
    return Tick(now_us, today, running.key, running.start), running, closed


def standing_of(goal: Goal, window: Window, value: Number | None, today: int) -> Standing | None:
    told = KpiValue(goal.kpi, SCOPE, window, value, None, None, None)
    return stand(goal, told, NOBODY, today, WORKING)


class Life:
    """One alert, told values at instants."""

    def __init__(self, text: str) -> None:
        self.goal = bound(text)
        self.alert: Alert | None = None
        self.made: list[Transition] = []
        self.sights: list[Sight] = []

    def see(
        self,
        now_us: int,
        value: Number | None,
        before: Number | None = None,
        *,
        silent: bool = False,
    ) -> list[Transition]:
        tick, running, closed = at(self.goal.target.window, now_us)
        sight = Sight(
            at=tick,
            running=standing_of(self.goal, running, value, tick.day),
            closed=None if closed is None else standing_of(self.goal, closed, before, tick.day),
            is_silent=silent,
            for_us=self.goal.target.for_us,
        )
        self.alert, made = advance(self.goal, SCOPE, self.alert, sight)
        self.made += made
        self.sights.append(sight)
        return made

    def told(self) -> list[tuple[str, str, str]]:
        return [(change.state, change.reason, change.about[5:10]) for change in self.made]


RATE = "kpi: win_rate, window: month, at_least: 0.25, resolve_at: 0.27, for: 10m"
PACED = "kpi: revenue, window: month, at_least: 3000, pace: calendar_days"
TOTAL = "kpi: revenue, window: month, at_least: 3000"
ROLLING = "kpi: win_rate, window: 30d, at_least: 0.25, for: 10m"
DAILY = "kpi: deals_won, window: day, at_least: 5"


def test_a_miss_is_pending_then_fires_then_resolves_past_resolve_at() -> None:
    life = Life(RATE)
    begin = us("2026-11-16T12:00")
    for minute, value in enumerate([0.3, 0.2, 0.2, *[0.2] * 9, 0.26, 0.27, 0.26]):
        life.see(begin + minute * MINUTE_US, value)

    assert life.told() == [
        ("pending", "below_target", "11-01"),
        ("firing", "below_target", "11-01"),
        ("resolved", "recovered", "11-01"),
    ]
    assert [(c.since_us - begin) // MINUTE_US for c in life.made] == [1, 11, 13]
    assert [c.previous for c in life.made] == ["ok", "pending", "firing"]


def test_a_short_miss_never_fires() -> None:
    life = Life(RATE)
    begin = us("2026-11-16T12:00")
    for minute in range(60):
        life.see(begin + minute * MINUTE_US, 0.2 if minute % 10 else 0.3)

    assert {change.state for change in life.made} == {"pending", "ok"}


def test_what_cannot_be_judged_any_more_is_not_wrong() -> None:
    life = Life("kpi: win_rate, window: month, at_least: 0.25")
    life.see(us("2026-11-16T12:00"), 0.2)
    life.see(us("2026-11-16T12:01"), None)

    assert life.told() == [
        ("firing", "below_target", "11-01"),
        ("resolved", "recovered", "11-01"),
    ]


def test_a_total_achieves_once_in_each_window() -> None:
    life = Life(TOTAL)
    for now, value in [
        ("2026-11-16T12:00", 2_999),
        ("2026-11-16T12:01", 3_000),
        ("2026-11-17T12:00", 2_000),
        ("2026-11-18T12:00", 4_000),
    ]:
        life.see(us(now), value)
    life.see(us("2026-12-01T00:01"), 0, before=4_000)
    life.see(us("2026-12-02T00:01"), 3_000, before=4_000)

    assert life.told() == [
        ("achieved", "goal_reached", "11-01"),
        ("ok", "recovered", "12-01"),
        ("achieved", "goal_reached", "12-01"),
    ]


def test_a_missed_total_is_told_on_the_day_after_its_window() -> None:
    life = Life(TOTAL)
    life.see(us("2026-11-30T23:59"), 2_000)
    life.see(us("2026-12-01T00:00"), 0, before=2_000)
    life.see(us("2026-12-01T18:00"), 10, before=2_000)
    life.see(us("2026-12-02T00:00"), 10, before=2_000)

    assert life.told() == [
        ("firing", "below_target", "11-01"),
        ("resolved", "recovered", "11-01"),
    ]
    assert life.made[0].standing is not None
    assert life.made[0].standing.value == 2_000


def test_a_late_event_mends_a_closed_window() -> None:
    life = Life(TOTAL)
    life.see(us("2026-11-30T23:59"), 2_000)
    life.see(us("2026-12-01T00:00"), 0, before=2_000)
    life.see(us("2026-12-01T00:10"), 0, before=3_000)

    assert life.told()[-1] == ("resolved", "recovered", "11-01")


def test_a_rate_that_closed_well_is_an_achievement_for_a_day() -> None:
    life = Life("kpi: win_rate, window: month, at_least: 0.25")
    life.see(us("2026-11-30T23:59"), 0.3)
    life.see(us("2026-12-01T00:00"), None, before=0.3)
    life.see(us("2026-12-02T00:00"), 0.2, before=0.3)

    assert life.told() == [
        ("achieved", "goal_exceeded", "11-01"),
        ("ok", "recovered", "12-01"),
        ("firing", "below_target", "12-01"),
    ]


def test_behind_pace_fires_and_catching_up_with_the_goal_resolves_and_achieves() -> None:
    life = Life(PACED)
    life.see(us("2026-11-16T12:00"), 1_499)
    life.see(us("2026-11-16T12:01"), 3_000)

    assert life.told() == [
        ("firing", "behind_pace", "11-01"),
        ("resolved", "recovered", "11-01"),
        ("achieved", "goal_reached", "11-01"),
    ]
    assert life.made[0].standing is not None
    assert life.made[0].standing.expected == 1_500


def test_what_fired_to_the_end_stays_for_the_day() -> None:
    life = Life(PACED)
    life.see(us("2026-11-30T12:00"), 100)
    life.see(us("2026-12-01T00:00"), 0, before=100)
    life.see(us("2026-12-02T00:00"), 200, before=100)

    assert life.told() == [
        ("firing", "behind_pace", "11-01"),
        ("resolved", "recovered", "11-01"),
    ]


def test_each_missed_day_is_news_of_its_own() -> None:
    life = Life(DAILY)
    life.see(us("2026-11-16T12:00"), 1)
    life.see(us("2026-11-17T00:00"), 0, before=1)
    life.see(us("2026-11-18T00:00"), 0, before=2)
    life.see(us("2026-11-19T00:00"), 0, before=9)

    assert life.told() == [
        ("firing", "below_target", "11-16"),
        ("resolved", "recovered", "11-16"),
        ("firing", "below_target", "11-17"),
        ("resolved", "recovered", "11-17"),
        ("achieved", "goal_exceeded", "11-18"),
    ]


def test_windows_that_ended_before_a_target_was_set_are_no_news() -> None:
    life = Life(TOTAL)
    life.see(us("2026-12-01T00:00"), 0, before=100)

    assert life.told() == []


def test_silence_fires_although_nothing_can_be_judged() -> None:
    life = Life("kpi: win_rate, window: month, at_least: 0.25, no_data: 2d")
    life.see(us("2026-11-16T12:00"), None, silent=True)
    life.see(us("2026-11-16T12:01"), 0.3)

    assert life.told() == [
        ("firing", "no_data", "11-01"),
        ("resolved", "recovered", "11-01"),
    ]


# -- coaching ------------------------------------------------------------------------------------


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


# -- laws ----------------------------------------------------------------------------------------

rates = st.one_of(st.none(), st.sampled_from([0.1, 0.24, 0.25, 0.26, 0.27, 0.5]))
euros = st.integers(0, 4_000)
pauses = st.sampled_from([1, 30, 60, 300, 660, 3_600, 40_000, 86_400, 86_400 * 3, 86_400 * 45])
TEXTS = [RATE, PACED, TOTAL, ROLLING, DAILY, "kpi: leads, window: week, at_most: 90, for: 1m"]


@st.composite
def lives(draw: st.DrawFn) -> tuple[str, list[tuple[int, Any, Any, bool]]]:
    text = draw(st.sampled_from(TEXTS))
    numbers = rates if "rate" in text else euros
    now_us = us("2026-10-20T09:00")
    seen = []
    for _ in range(draw(st.integers(1, 30))):
        now_us += draw(pauses) * 1_000_000
        seen.append((now_us, draw(numbers), draw(numbers), draw(st.integers(0, 19)) == 0))
    return text, seen


def lived(text: str, seen: list[tuple[int, Any, Any, bool]]) -> Life:
    life = Life(text)
    for now_us, value, before, silent in seen:
        life.see(now_us, value, before, silent=silent)
    return life


@settings(max_examples=60, deadline=None)
@given(lives())
def test_no_id_is_ever_repeated(told: tuple[str, list[tuple[int, Any, Any, bool]]]) -> None:
    life = lived(*told)

    ids = [change.id for change in life.made]
    assert len(ids) == len(set(ids))


@settings(max_examples=60, deadline=None)
@given(lives())
def test_every_change_begins_where_the_last_one_ended(
    told: tuple[str, list[tuple[int, Any, Any, bool]]],
) -> None:
    life = lived(*told)

    states = ["ok", *(change.state for change in life.made)]
    assert [change.previous for change in life.made] == states[:-1]
    assert all(change.state != change.previous for change in life.made)
    assert {c.state for c in life.made if c.previous == "firing"} <= {"resolved"}


@settings(max_examples=60, deadline=None)
@given(lives())
def test_an_alert_fires_only_after_its_miss_has_lasted(
    told: tuple[str, list[tuple[int, Any, Any, bool]]],
) -> None:
    life = lived(*told)

    began_us = 0
    for change in life.made:
        if change.state == "pending":
            began_us = change.since_us
        if change.state == "firing" and life.goal.target.for_us:
            assert change.previous == "pending"
            assert change.since_us - began_us >= life.goal.target.for_us


@settings(max_examples=60, deadline=None)
@given(lives())
def test_a_success_is_told_once_in_each_window(
    told: tuple[str, list[tuple[int, Any, Any, bool]]],
) -> None:
    life = lived(*told)

    achieved = [c.about for c in life.made if c.state == "achieved" and c.about != "now"]
    assert len(achieved) == len(set(achieved))


@settings(max_examples=60, deadline=None)
@given(lives())
def test_every_firing_ends(told: tuple[str, list[tuple[int, Any, Any, bool]]]) -> None:
    life = lived(*told)
    last = life.sights[-1]
    assert life.alert is not None

    after, made = end(life.goal, "level", SCOPE, life.alert, last.at)

    assert after.state not in ("firing", "pending")
    assert {change.id for change in made}.isdisjoint({change.id for change in life.made})


@settings(max_examples=60, deadline=None)
@given(lives())
def test_looking_again_changes_nothing(
    told: tuple[str, list[tuple[int, Any, Any, bool]]],
) -> None:
    """So it does not matter who else is looked at, nor how often."""
    life = lived(*told)

    again, made = advance(life.goal, SCOPE, life.alert, life.sights[-1])

    assert (again, made) == (life.alert, [])


@settings(max_examples=60, deadline=None)
@given(lives())
def test_what_is_remembered_survives_being_stored(
    told: tuple[str, list[tuple[int, Any, Any, bool]]],
) -> None:
    life = lived(*told)

    assert msgspec.json.decode(msgspec.json.encode(life.alert), type=Alert) == life.alert


@settings(max_examples=60, deadline=None)
@given(lives())
def test_a_state_is_among_those_that_the_moment_allows(
    told: tuple[str, list[tuple[int, Any, Any, bool]]],
) -> None:
    life = Life(told[0])
    for now_us, value, before, _ in told[1]:
        life.see(now_us, value, before)
        sight = life.sights[-1]
        assert life.alert is not None
        assert sight.running is not None
        assert life.alert.state in possible_states(sight.running, sight.closed), rfc3339_utc(now_us)


@settings(max_examples=60, deadline=None)
@given(lives())
def test_a_missed_window_is_never_calm(
    told: tuple[str, list[tuple[int, Any, Any, bool]]],
) -> None:
    life = Life(told[0])
    for now_us, value, before, silent in told[1]:
        life.see(now_us, value, before, silent=silent)
        running = life.sights[-1].running
        assert life.alert is not None
        if running is not None and running.verdict is Verdict.MISSED:
            assert life.alert.state in ("pending", "firing")
            assert life.alert.about == life.sights[-1].at.window
