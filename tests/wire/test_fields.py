"""How the values of single fields are read."""

from datetime import date

import pytest

from stream_app.wire.timestamps import MAX_INSTANT_US, MIN_INSTANT_US
from tests.wire.records import ABSENT, accepted, raw


def ordinal(text: str) -> int:
    return date.fromisoformat(text).toordinal()


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("501", "501"),
        ("0", "0"),
        ("-0", "0"),
        ("-5", "-5"),
        ("501.0", "501"),
        ("5.01e2", "501"),
        ("18446744073709551616", "18446744073709551616"),
        ("1" * 256, "1" * 256),
        ("1e255", "1" + "0" * 255),
        ('"0501"', "0501"),
        ('" x "', " x "),
        ('"ä€😀\u2028\u200b\\ud83d\\ude00"', "ä€😀\u2028\u200b😀"),
    ],
)
def test_an_id_is_a_string_or_an_integer_read_as_one(written: str, read: str):
    assert accepted(data={"deal_id": raw(written)}).data["deal_id"] == read
    assert accepted(id=raw(written)).id == read


def test_a_string_may_have_256_characters_however_many_bytes_they_take():
    assert accepted(data={"rep": "😀" * 256}).data["rep"] == "😀" * 256


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("0", 0),
        ("-0", 0),
        ("7", 7),
        ("7.0", 7),
        ("1e3", 1000),
        ('"7"', 7),
        ('"007"', 7),
        ('"0"', 0),
        ("18446744073709551616", 2**64),
        ('"18446744073709551616"', 2**64),
        ('"' + "9" * 256 + '"', 10**256 - 1),
    ],
)
def test_a_sequence_is_compared_as_a_number_however_it_is_written(written: str, read: int):
    assert accepted(sequence=raw(written)).sequence == read


@pytest.mark.parametrize("written", ["9", "9.0", "9e0", "0.9e1", "90e-1"])
def test_a_score_is_an_integer_however_it_is_written(written: str):
    assert accepted("survey.submitted", {"score": raw(written)}).data["score"] == 9


@pytest.mark.parametrize(
    ("kind", "scale", "scores", "read"),
    [
        ("nps", ABSENT, (0, 10), 10),
        ("nps", None, (0, 10), 10),
        ("nps", "", (0, 10), 10),
        ("nps", 10, (0, 10), 10),
        ("csat", ABSENT, (1, 5), 5),
        ("csat", None, (1, 5), 5),
        ("csat", 5, (1, 5), 5),
        ("csat", raw("5.0"), (1, 5), 5),
        ("csat", 10, (1, 10), 10),
    ],
)
def test_every_survey_has_its_scale(kind: str, scale: object, scores: tuple[int, int], read: int):
    for score in scores:
        fields = {"kind": kind, "scale_max": scale, "score": score}
        data = accepted("survey.submitted", fields).data
        assert (data["score"], data["scale_max"]) == (score, read)


@pytest.mark.parametrize("kind", ["spend.recorded", "expense.recorded"])
@pytest.mark.parametrize(
    ("first", "last", "read"),
    [
        ("2026-11-01", "2026-11-30", ("2026-11-01", "2026-11-30")),
        ("2026-11-01", "2026-11-01", ("2026-11-01", "2026-11-01")),
        ("2024-01-01", "2024-12-31", ("2024-01-01", "2024-12-31")),
        ("2026-11-01", ABSENT, ("2026-11-01", "2026-11-01")),
        ("2026-11-01", None, ("2026-11-01", "2026-11-01")),
        ("", "2026-11-30", ("2026-11-30", "2026-11-30")),
        (ABSENT, "2026-11-30", ("2026-11-30", "2026-11-30")),
    ],
)
def test_a_cost_that_names_one_day_only_is_of_that_day(
    kind: str, first: object, last: object, read: tuple[str, str]
):
    data = accepted(kind, {"first_day": first, "last_day": last}).data

    assert (data["first_day"], data["last_day"]) == tuple(map(ordinal, read))


def test_a_cost_that_names_no_day_is_left_to_the_business_calendar():
    data = accepted("spend.recorded", {"first_day": None, "last_day": ""}).data

    assert (data["first_day"], data["last_day"]) == (None, None)
    assert "first_day" not in accepted("spend.recorded").data


def test_lines_may_be_none_or_empty():
    assert accepted(data={"lines": []}).data["lines"] == []
    assert accepted(data={"lines": None}).data["lines"] is None
    assert accepted(data={"lines": [{"amount": "", "cost": None}]}).data["lines"] == [[None] * 3]


@pytest.mark.parametrize("value", ["3", 3, 3.0, raw("0.3e1"), "+3", "3.0000", "0003"])
def test_a_measures_value_is_a_decimal_string_or_a_number(value: object):
    data = accepted("measure.recorded", {"value": value}).data

    assert data == {"measure": "defects", "value": 30_000}


@pytest.mark.parametrize("code", ["EUR", "USD", "CHF"])
def test_a_currency_is_the_businesss_or_one_with_a_rate(code: str):
    assert accepted(data={"currency": code}).data["currency"] == code


def test_lead_created_at_may_be_any_instant_that_every_calendar_knows():
    for text, read in (
        ("0001-01-02T00:00:00Z", MIN_INSTANT_US),
        ("9999-12-30T23:59:59.999999Z", MAX_INSTANT_US),
    ):
        assert accepted(data={"lead_created_at": text}).data["lead_created_at"] == read


@pytest.mark.parametrize("text", ["0001-01-02", "9999-12-31"])
def test_a_date_may_be_any_day_that_every_calendar_knows(text: str):
    assert accepted(data={"expected_close_on": text}).data["expected_close_on"] == ordinal(text)
