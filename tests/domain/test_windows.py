"""Every instant lies in the windows it is assigned to, also on days of 23 and 25 hours."""

from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_app.domain.calendar import FIVE_MINUTES_US, BusinessCalendar, five_minute_bucket
from stream_app.domain.windows import (
    CALENDAR_KINDS,
    Days,
    FiveMinutes,
    Range,
    Window,
    WindowRules,
)
from tests.oracle.reference_terms import local_day
from tests.oracle.threads import DAY_US, HOUR_US, ZONES, a_config, instant

RANDOM = st.randoms(use_true_random=False)
ZONES_INFO = {name: ZoneInfo(name) for name in ZONES}
LOOKS = settings(deadline=None, max_examples=150)


def some_windows(rnd: Random) -> tuple[WindowRules, int]:
    """Rules, and a moment near a day on which something happens to the clock."""
    config = a_config(rnd)
    now_us = instant(rnd, config) + rnd.randint(-30, 30) * HOUR_US + rnd.randint(0, HOUR_US)
    return WindowRules.from_config(config, BusinessCalendar(config.business.timezone)), now_us


def holds(over: Range, instant_us: int, calendar: BusinessCalendar) -> bool:
    """Whether what is counted at an instant is summed up in a range."""
    if isinstance(over, Days):
        return over.first <= calendar.day_of(instant_us) < over.end
    return over.first <= five_minute_bucket(instant_us) < over.end


@LOOKS
@given(RANDOM)
def test_now_lies_in_every_running_window(rnd: Random) -> None:
    rules, now_us = some_windows(rnd)
    for window in rules.current(now_us):
        assert window.start_us <= now_us < window.end_us
        assert holds(window.range, now_us, rules.calendar)


@LOOKS
@given(RANDOM)
def test_an_instant_is_counted_in_a_window_exactly_if_it_lies_between_its_bounds(
    rnd: Random,
) -> None:
    rules, now_us = some_windows(rnd)
    windows: list[Window] = [*rules.current(now_us), *rules.closed(now_us)]
    for window in rnd.sample(windows, 12):
        for edge in (window.start_us, window.end_us):
            for instant_us in (edge - 1, edge, edge + rnd.randint(-2 * DAY_US, 2 * DAY_US)):
                if instant_us <= now_us:
                    lies_in = window.start_us <= instant_us < window.end_us
                    assert holds(window.range, instant_us, rules.calendar) == lies_in


@LOOKS
@given(RANDOM)
def test_the_windows_of_a_kind_follow_each_other_without_gap_or_overlap(rnd: Random) -> None:
    rules, now_us = some_windows(rnd)
    for kind in CALENDAR_KINDS:
        (running,) = [window for window in rules.current(now_us) if window.kind == kind]
        row = [running, *(window for window in rules.closed(now_us) if window.kind == kind)]
        for later, earlier in pairwise(row):
            assert earlier.end_us == later.start_us
            assert earlier.complete
            assert earlier.end_us <= now_us
        for later, earlier in pairwise(row[1:]):
            assert later.previous == earlier.range


@LOOKS
@given(RANDOM)
def test_a_comparison_is_never_longer_than_what_is_compared(rnd: Random) -> None:
    rules, now_us = some_windows(rnd)
    for window in rules.current(now_us):
        compared = window.compared
        for side in (window.previous, window.before_previous, window.last_year):
            if side is None or compared is None or isinstance(side, FiveMinutes):
                continue
            assert side.end - side.first <= compared.end - compared.first
            assert side.end <= rules.calendar.day_of(now_us) + 1


@pytest.mark.parametrize("zone", sorted(ZONES))
def test_five_minutes_and_days_cut_the_same_instants(zone: str) -> None:
    calendar = BusinessCalendar(ZONES_INFO[zone])
    for changed in ZONES[zone]:
        for day in range(changed.toordinal() - 1, changed.toordinal() + 2):
            start, end = calendar.day_start(day), calendar.day_start(day + 1)
            assert start % FIVE_MINUTES_US == end % FIVE_MINUTES_US == 0
            for instant_us in range(start, end, FIVE_MINUTES_US):
                assert calendar.day_of(instant_us) == day
                assert local_day(instant_us, ZONES_INFO[zone]).toordinal() == day
            assert (end - start) // HOUR_US in (23, 24, 25)
