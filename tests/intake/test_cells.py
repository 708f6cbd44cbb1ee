"""A cell of text to what it means."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from stream_app.intake.cells import (
    Refused,
    TimeFormat,
    flag,
    integer,
    is_pattern,
    number_reader,
    rfc3339,
    shape,
)


@pytest.mark.parametrize(
    ("text", "patterns", "zone", "expected"),
    [
        pytest.param(
            "2017-03-01", ("iso",), "UTC", "2017-03-01T00:00:00Z", id="a day is its midnight"
        ),
        pytest.param(
            "2017-03-01",
            ("iso",),
            "Europe/Berlin",
            "2017-02-28T23:00:00Z",
            id="… of the business zone",
        ),
        pytest.param(
            "2017-07-01 10:00",
            ("iso",),
            "Europe/Berlin",
            "2017-07-01T08:00:00Z",
            id="in summer time",
        ),
        pytest.param(
            "2017-07-01T10:00:00+05:00",
            ("iso",),
            "Europe/Berlin",
            "2017-07-01T05:00:00Z",
            id="an offset wins over the zone",
        ),
        pytest.param(
            "2018-11-04",
            ("iso",),
            "America/Sao_Paulo",
            "2018-11-04T03:00:00Z",
            id="a skipped midnight is the day's first instant",
        ),
        pytest.param(
            "29.10.2017 02:30",
            ("%d.%m.%Y %H:%M",),
            "Europe/Berlin",
            "2017-10-29T00:30:00Z",
            id="a time that comes twice is the first",
        ),
        pytest.param(
            "11/2/2019 2:42:54",
            ("%Y", "%m/%d/%Y %H:%M:%S"),
            "UTC",
            "2019-11-02T02:42:54Z",
            id="the pattern that fits",
        ),
        pytest.param(
            "1500000000", ("epoch",), "Europe/Berlin", "2017-07-14T02:40:00Z", id="seconds"
        ),
        pytest.param(
            "1500000000123",
            ("epoch_ms",),
            "UTC",
            "2017-07-14T02:40:00.123000Z",
            id="milliseconds",
        ),
    ],
)
def test_a_time_is_an_instant(
    text: str, patterns: tuple[str, ...], zone: str, expected: str
) -> None:
    written = TimeFormat(patterns, ZoneInfo(zone))

    instant_us = written.instant_us(written.reader()(text))

    assert rfc3339(instant_us) == expected


def test_a_time_is_cut_to_its_precision() -> None:
    written = TimeFormat(("iso",), ZoneInfo("UTC"), precision_us=1_000_000)

    instant_us = written.instant_us(written.reader()("2019-11-01 08:51:12.999"))

    assert rfc3339(instant_us) == "2019-11-01T08:51:12Z"


def test_a_date_field_is_the_day_in_the_columns_zone() -> None:
    written = TimeFormat(("iso",), ZoneInfo("Europe/Berlin"))

    assert written.day(written.reader()("2017-12-31T23:30:00Z")) == date(2018, 1, 1)


@pytest.mark.parametrize("text", ["31.12.2017", "Jane Doe", "2017-13-01", "1e9"])
def test_a_refused_time_shows_the_shape_and_not_the_content(text: str) -> None:
    with pytest.raises(Refused) as refused:
        TimeFormat(("iso",), ZoneInfo("UTC")).reader()(text)

    assert str(refused.value) == f"looks like {shape(text)}, expected a time as ISO 8601"
    assert text not in str(refused.value)


def test_a_shape_has_letters_digits_and_little_else() -> None:
    assert shape("Jané O-9, ß") == "'Aaaa A-9, a'"
    assert shape("x" * 100) == repr("a" * 24 + "…")


@pytest.mark.parametrize(
    ("point", "thousands", "text", "expected"),
    [
        (".", "", "1234.50", "1234.50"),
        (".", "", "-5", "-5"),
        (".", "", "+5", "5"),
        (".", ",", "1,234,567.8", "1234567.8"),
        (",", ".", "1.234,56", "1234.56"),
        (",", ".", "1234,56", "1234.56"),
        (",", " ", "1\u202f234,5", "1234.5"),
        (".", "'", "12'345.05", "12345.05"),
    ],
)
def test_a_number_is_read_as_the_file_writes_it(
    point: str, thousands: str, text: str, expected: str
) -> None:
    assert number_reader(point, thousands)(text) == expected


@pytest.mark.parametrize(
    ("point", "thousands", "text"),
    [
        (".", "", "1,234"),
        (".", ",", "1,23"),
        (".", ",", "12,34,567"),
        (",", ".", "1.5"),
        (",", ".", "1234.567"),
        (".", "", "1e5"),
        (".", "", "(5)"),
        (".", "", "€ 5"),
        (".", "", "5."),
        (".", "", ".5"),
        (".", "", "NaN"),
        (".", "", "\u0665"),
    ],
)
def test_what_could_be_two_numbers_is_none(point: str, thousands: str, text: str) -> None:
    with pytest.raises(Refused, match="expected a number like"):
        number_reader(point, thousands)(text)


def test_a_spreadsheets_integer_is_one() -> None:
    assert [integer(text) for text in ("9", "9.0", "-3", "0.00")] == [9, 9, -3, 0]
    with pytest.raises(Refused, match=r"looks like '9.9', expected a whole number"):
        integer("9.5")


def test_yes_and_no_are_words_or_digits() -> None:
    assert [flag(text) for text in ("Yes", "TRUE", "1", "no", "false", "0")] == [True] * 3 + [
        False
    ] * 3
    with pytest.raises(Refused, match="expected one of true, yes, 1, false, no, 0"):
        flag("maybe")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("iso", True),
        ("%d.%m.%Y", True),
        ("%Y", True),
        ("%Q", False),
        ("%", False),
        ("dd.mm.yyyy", False),
    ],
)
def test_a_pattern_is_one_that_strptime_knows(text: str, *, expected: bool) -> None:
    assert is_pattern(text) is expected
