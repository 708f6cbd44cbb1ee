"""Whose events are whose, and when a source is silent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_app.domain.alerts import Alert
from stream_app.domain.silence import Quiet, listen, speaks_for

ALLOWED = 100


@pytest.mark.parametrize(
    "source",
    ["hubspot", "//hubspot/4711", "https://api.hubspot.com/crm", "urn:gateway:HubSpot"],
)
def test_a_source_is_known_by_its_name_as_a_word_of_its_own(source: str) -> None:
    assert speaks_for("hubspot", source)


@pytest.mark.parametrize(
    "source", ["//hubspot-eu/1", "//my_hubspot/1", "//hubspots/1", "//crm/ours"]
)
def test_a_longer_word_is_another_source(source: str) -> None:
    assert not speaks_for("hubspot", source)


def test_a_name_may_be_the_whole_source_and_is_no_pattern() -> None:
    assert speaks_for("//crm/ours", "//crm/ours")
    assert not speaks_for("c.m", "//crm/ours")


def quiet(now_us: int, heard_us: int, passed_us: int) -> Quiet:
    return Quiet(now_us=now_us, heard_us=heard_us, passed_us=passed_us, allowed_us=ALLOWED)


def test_exactly_what_is_allowed_is_no_silence() -> None:
    listened = Alert(since_us=1)

    assert listen("x", listened, quiet(900, 1, ALLOWED)) == (listened, None)
    after, notice = listen("x", listened, quiet(901, 1, ALLOWED + 1))

    assert (after.state, after.since_us, after.told) == ("firing", 901, True)
    assert notice is not None
    assert (notice.previous, notice.reason) == ("ok", "silent_source")


def test_who_was_never_heard_stays_silent_whatever_time_is_counted() -> None:
    silent = Alert(state="firing", since_us=5, told=True)

    assert listen("x", silent, quiet(900, 0, 0)) == (silent, None)
    after, notice = listen("x", silent, quiet(901, 900, 0))

    assert after.state == "resolved"
    assert notice is not None
    assert notice.reason == "recovered"


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2 * ALLOWED)), max_size=20))
def test_each_change_has_an_id_of_its_own_even_if_time_stands_still(
    seen: list[tuple[int, int]],
) -> None:
    alert = Alert(since_us=7)
    ids = []
    for heard_us, passed_us in seen:
        alert, notice = listen("x", alert, quiet(7, heard_us, passed_us))
        if notice is not None:
            assert notice.state == alert.state != notice.previous
            ids.append(notice.id)

    assert len(set(ids)) == len(ids)
