"""Each change once, whatever the order of values, windows and restarts."""

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_app.domain.alert_states import possible_states
from stream_app.domain.alerts import Alert, advance, end
from stream_app.domain.calendar import rfc3339_utc
from stream_app.domain.targets import Verdict
from tests.domain.life import DAILY, PACED, RATE, ROLLING, SCOPE, TOTAL, Life
from tests.domain.standings import us

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
