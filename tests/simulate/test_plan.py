from datetime import timedelta

import pytest

from stream_app.simulate.plan import Request, planned
from tests.simulate.reading import START


def test_so_many_events_end_about_now() -> None:
    plan = planned(Request(events=10), START + timedelta(seconds=30))
    assert plan.start == START - timedelta(days=90)
    assert (plan.events, plan.live_events, plan.rate) == (10, 0, 0.0)


def test_a_history_can_begin_anywhere() -> None:
    plan = planned(Request(events=10, start=START, days=3, rate=7.0), START)
    assert (plan.start, plan.days, plan.rate) == (START, 3, 7.0)


def test_without_a_number_of_events_it_is_live_after_thirty_days_of_past() -> None:
    plan = planned(Request(), START)
    assert (plan.end, plan.days, plan.events) == (START, 30.0, 30_000)
    assert (plan.live_events, plan.rate, plan.now) == (None, 20.0, START)


def test_a_duration_bounds_a_live_run() -> None:
    assert planned(Request(duration_seconds=60.0, rate=5.0), START).live_events == 300


def test_a_live_run_can_do_without_a_past() -> None:
    assert planned(Request(history_days=0.0), START).events == 0


def test_a_replay_of_the_past_begins_there_and_ends_now() -> None:
    begin = START - timedelta(days=7)
    plan = planned(Request(start=begin, speed=3_600.0), START)
    assert (plan.end, plan.now, plan.speed) == (begin, START, 3_600.0)


@pytest.mark.parametrize(
    ("request_", "complaint"),
    [
        (Request(events=1, duration_seconds=1.0), "--duration is for a live run"),
        (Request(events=1, history_days=1.0), "--history is for a live run"),
        (Request(events=1, history_events=1), "--history-events is for a live run"),
        (Request(days=1.0), "--days goes with --events"),
        (Request(start=START + timedelta(days=1)), "cannot begin in the future"),
        (Request(rate=0.0), "rate is 0.0; expected more than 0"),
    ],
)
def test_what_does_not_go_together_is_refused(request_: Request, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        planned(request_, START)
