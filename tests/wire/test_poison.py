"""Every bad record becomes exactly one rejection, with the contract's reason and no content."""

import time
from collections import Counter

import pytest

from stream_app.wire.cloudevent import Reason
from tests.wire.poison import CASES
from tests.wire.poison_numbers import BAD_JSON_NUMBERS
from tests.wire.records import Case, raw, record, refused


@pytest.mark.parametrize("case", CASES, ids=[f"{reason}-{name}" for name, reason, _ in CASES])
def test_a_poison_record_has_the_reason_the_contract_gives_it(case: Case):
    _, reason, value = case

    assert refused(value).reason is reason


def test_the_corpus_is_large_and_covers_every_reason_that_one_record_can_have():
    found = Counter(reason for _, reason, _ in CASES)
    found[Reason.MISSING_KEY] = 1  # a property of the key: below
    of_a_thread = {Reason.ID_CONFLICT, Reason.THREAD_TOO_LONG}

    assert found.total() > 200
    assert set(found) == set(Reason) - of_a_thread


@pytest.mark.parametrize("key", [None, b""])
def test_a_record_without_a_key_is_refused(key: bytes | None):
    assert refused(record(), key=key).reason is Reason.MISSING_KEY


def test_every_detail_is_one_short_line_that_names_the_field():
    details = {refused(value).detail for _, _, value in CASES}

    assert all(len(detail) <= 600 and detail.isprintable() for detail in details)
    assert refused(record(data={"lines": [{}, {"cost": "x"}]})).detail.startswith(
        "data.lines[1].cost: is a string of 1 characters, expected a decimal number"
    )


SECRET = "anna.secret"  # noqa: S105 - personal data, in words


@pytest.mark.parametrize(
    "value",
    [
        record(data={"rep": SECRET + "\x00"}),
        record(data={"amount": SECRET}),
        record(data={"currency": SECRET}),
        record(data={"expected_close_on": SECRET}),
        record(data={"lead_created_at": SECRET}),
        record(data={"deal_id": {SECRET: SECRET}}),
        record(data={"lines": [SECRET]}),
        record(data={"lines": [{"amount": SECRET}]}),
        record("measure.recorded", {"measure": SECRET}),
        record("survey.submitted", {"kind": SECRET}),
        record("crm." + SECRET, {}),
        record(time=SECRET),
        record(specversion=SECRET),
        record(sequence=SECRET),
        record(id=SECRET * 30),
        record(data=SECRET),
        record(u=raw(SECRET)),
        record(data={"rep": SECRET})[:-1] + SECRET.encode(),
        record(data={"rep": SECRET}, u=raw("1" * 5000))[:-1] + SECRET.encode(),
        record(data={"rep": SECRET + "@"}).replace(b"@", b"\xff"),
        record(data={"rep": SECRET}, u=raw('"\\ud800"')),
    ],
)
def test_a_detail_never_repeats_the_content_of_the_record(value: bytes):
    detail = refused(value).detail

    assert "anna" not in detail
    assert "secret" not in detail


FAULTS: tuple[tuple[Reason, dict[str, object]], ...] = (
    (Reason.SCHEMA, {"stage": 5}),
    (Reason.BAD_NUMBER, {"amount": "x"}),
    (Reason.UNKNOWN_CURRENCY, {"currency": "XXX"}),
)


@pytest.mark.parametrize("first", range(3))
def test_of_several_faults_in_the_data_the_first_in_the_contracts_order_is_given(first: int):
    faults = FAULTS[first:]
    forwards = {name: value for _, fields in faults for name, value in fields.items()}
    backwards = dict(reversed(forwards.items()))

    for data in (forwards, backwards):
        value = record(data=data, time="2036-01-01T00:00:00Z")
        assert refused(value).reason is FAULTS[first][0]


def test_a_schema_fault_in_a_later_line_comes_before_a_bad_number_in_an_earlier_one():
    lines = [{"amount": "x"}, {"amount": True}]

    assert refused(record(data={"lines": lines})).reason is Reason.SCHEMA


def test_of_measure_and_value_the_value_is_refused_first():
    value = record("measure.recorded", {"measure": "revenue", "value": "x"})

    assert refused(value).reason is Reason.BAD_NUMBER


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (record("crm.x", {}, sequence=-1), Reason.SCHEMA),
        (record("crm.x", []), Reason.SCHEMA),
        (record("crm.x", {}), Reason.UNKNOWN_TYPE),
        (record(data={"stage": 5}), Reason.SCHEMA),
        (record(data={"amount": "x"}), Reason.MISSING_KEY),
        (record("measure.recorded", {"measure": "x"}), Reason.MISSING_KEY),
        (record(time="2036-01-01T00:00:00Z"), Reason.MISSING_KEY),
        (b"x", Reason.NOT_JSON),
        (None, Reason.NOT_JSON),
        (b" " * 1_048_577, Reason.TOO_LARGE),
    ],
)
def test_a_missing_key_comes_after_schema_and_type_and_before_everything_else(
    value: bytes | None, reason: Reason
):
    assert refused(value, key=None).reason is reason


def test_an_unknown_measure_comes_before_a_strange_time():
    value = record("measure.recorded", {"measure": "x"}, time="2036-01-01T00:00:00Z")

    assert refused(value).reason is Reason.UNKNOWN_MEASURE


def test_a_record_that_claims_the_end_of_the_calendar_is_refused_even_if_its_timestamp_agrees():
    year_9999_ms = 253_402_300_799_000
    year_1_ms = -62_135_596_800_000

    late = record(time="9999-12-31T23:59:59Z")
    early = record(time="0001-01-01T00:00:00Z")
    assert refused(late, timestamp_ms=year_9999_ms).reason is Reason.FUTURE
    assert refused(early, timestamp_ms=year_1_ms).reason is Reason.TOO_OLD


def test_a_record_without_a_timestamp_lies_in_the_future_of_1970():
    assert refused(record(), timestamp_ms=-1).reason is Reason.FUTURE


@pytest.mark.parametrize("text", BAD_JSON_NUMBERS, ids=lambda text: text[:20])
@pytest.mark.parametrize("field", ["score", "deal_id"])
def test_an_absurd_number_in_any_other_field_is_never_a_crash(text: str, field: str):
    result = refused(record("survey.submitted", {field: raw(text), "survey_id": None}))

    assert result.reason is Reason.SCHEMA


def test_a_caller_that_has_used_up_the_stack_gets_an_answer_all_the_same():
    value = record(data={"u": raw("[" * 500 + "1" + "]" * 500)})

    def deeper(levels: int) -> Reason:
        return deeper(levels - 1) if levels else refused(value).reason

    assert deeper(600) is Reason.NOT_JSON


def test_a_mebibyte_of_absurd_numbers_costs_no_more_than_reading_it():
    numbers = ",".join(["1e999999999", "1" * 4299, "1e4299", "-1.5e-999999999"] * 100)
    value = record(data={"u": raw(f"[{numbers}]"), "amount": raw("1e999999999")})
    started = time.process_time()

    assert refused(value).reason is Reason.BAD_NUMBER
    assert time.process_time() - started < 1


def test_a_record_of_just_one_mebibyte_is_judged_by_its_content():
    value = record(data={"stage": 5})
    padded = value + b" " * (1_048_576 - len(value))

    assert refused(padded).reason is Reason.SCHEMA
