from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_app.simulate.business_time import business_days, instant_ms
from stream_app.simulate.pace import Pace
from stream_app.simulate.spelling import amount_text, day_text, remembering_time_text, time_text

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
instants = st.integers(946_684_800_000, 4_102_444_800_000)


@given(instants)
def test_business_time_and_instants_are_each_other_s_inverse(at_ms: int) -> None:
    assert instant_ms(business_days(at_ms)) == pytest.approx(at_ms, abs=2)


@given(instants, st.integers(1, 10**9))
def test_business_time_always_goes_on(at_ms: int, later_ms: int) -> None:
    assert business_days(at_ms + later_ms) > business_days(at_ms)


@given(instants)
def test_a_week_has_five_business_days(at_ms: int) -> None:
    week_ms = 7 * 86_400_000
    assert business_days(at_ms + week_ms) - business_days(at_ms) == pytest.approx(5)


@given(st.lists(instants, min_size=1))
def test_instants_are_spelled_in_rfc_3339(at_ms: list[int]) -> None:
    remembering = remembering_time_text()
    for instant in at_ms:
        text = time_text(instant)
        assert remembering(instant) == text
        assert datetime.fromisoformat(text) == _EPOCH + timedelta(milliseconds=instant)
        assert text[:10] == day_text(instant)


@given(st.integers(-(10**12), 10**12), st.sampled_from([0, 2, 3, 4]))
def test_amounts_are_spelled_exactly(minor: int, exponent: int) -> None:
    text = amount_text(minor, exponent)
    assert Fraction(text) == Fraction(minor, 10**exponent)
    assert len(text.partition(".")[2]) == exponent


def test_the_pace_is_slow_at_first_and_ends_with_the_past() -> None:
    ages = [0.0] * 100 + [10.0] * 300  # each lead tells three things ten days later
    pace = Pace(ages=ages, leads=100, booked_per_day=0.0, days=20.0, events=1_000, natural=1.0)
    assert pace.leads_per_day == pytest.approx(1_000 / (20 + 3 * 10))
    assert pace.days_at(0) == 0
    assert pace.days_at(200) == pytest.approx(10.0, abs=0.1)  # only leads until then
    assert pace.days_at(1_000) == pytest.approx(20.0)
    times = [pace.days_at(told) for told in range(1_001)]
    assert all(one <= next_one for one, next_one in pairwise(times))
