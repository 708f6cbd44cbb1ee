"""Instants and dates."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_app.wire.timestamps import day_ordinal, instant_us
from tests.wire.poison_envelope import BAD_DATES, BAD_TIMES
from tests.wire.records import NOW_US

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-11-22T01:59:58Z", NOW_US),
        ("2026-11-22t01:59:58z", NOW_US),
        ("2026-11-22T02:59:58+01:00", NOW_US),
        ("2026-11-21T20:29:58-05:30", NOW_US),
        ("2026-11-22T01:59:58-00:00", NOW_US),
        ("2026-11-23T01:58:58+23:59", NOW_US),
        ("2026-11-22T01:59:58.1Z", NOW_US + 100_000),
        ("2026-11-22T01:59:58.123Z", NOW_US + 123_000),
        ("2026-11-22T01:59:58.123z", NOW_US + 123_000),
        ("2026-11-22T02:59:58.123456+01:00", NOW_US + 123_456),
        ("2026-11-22T01:59:58.123456999Z", NOW_US + 123_456),
        ("2026-11-22T01:59:58.9999999999Z", NOW_US + 999_999),
        ("1969-12-31T23:59:59.5Z", -500_000),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000_000),
        ("0001-01-01T00:00:00+01:00", -62_135_600_400_000_000),
        ("9999-12-31T23:59:59-01:00", 253_402_304_399_000_000),
    ],
)
def test_an_instant_is_read_in_microseconds(text: str, read: int):
    assert instant_us(text) == read


@pytest.mark.parametrize("text", [*BAD_TIMES[:-1], "", "Z", ".", "2026-11-22T01:59:58.+01:00"])
def test_what_is_no_instant_is_none(text: str):
    assert instant_us(text) is None


@given(
    st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 12, 31)),  # noqa: DTZ001 - given its zone below
    st.integers(min_value=-23 * 60, max_value=23 * 60),
)
def test_every_instant_that_python_writes_is_read(moment: datetime, offset_minutes: int):
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=offset_minutes)))

    assert instant_us(aware.isoformat()) == (aware - EPOCH) // timedelta(microseconds=1)


@given(st.text(alphabet="0123456789-+:.TtZz ", max_size=40))
def test_what_is_read_python_reads_alike(text: str):
    instant = instant_us(text)

    if instant is not None:
        assert (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1) == instant


@given(st.dates())
def test_every_date_is_read(day: date):
    assert day_ordinal(day.isoformat()) == day.toordinal()


@pytest.mark.parametrize("text", ["", *BAD_DATES])
def test_what_is_no_date_is_none(text: str):
    assert day_ordinal(text) is None
