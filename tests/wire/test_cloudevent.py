"""What a valid record becomes."""

from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from stream_app.config.model import Business, Config, Measure
from stream_app.domain.events import EVENT_TYPE_BY_NAME, STANDARD_DIMENSIONS, Event
from stream_app.wire.cloudevent import Ignored, Reason, Rules, decode
from tests.wire.records import (
    ABSENT,
    DATA,
    NOW_MS,
    NOW_US,
    SHORT,
    accepted,
    outcome,
    raw,
    record,
    refused,
)


def ordinal(text: str) -> int:
    return date.fromisoformat(text).toordinal()


def test_there_is_a_record_for_every_event_type():
    assert set(DATA) == set(EVENT_TYPE_BY_NAME)


@pytest.mark.parametrize("name", DATA)
def test_the_least_that_a_type_must_say_is_accepted(name: str):
    event = accepted(name)

    assert event.type == EVENT_TYPE_BY_NAME[name]
    assert (event.time, event.source, event.id) == (NOW_US, "crm/test", "e-1")
    assert event.sequence is None
    assert len(event.digest) == 16
    assert set(DATA[name]) <= set(event.data)


def test_everything_a_deal_can_say_is_normalised():
    event = accepted(
        "deal.created",
        {
            "deal_id": 501,
            "lead_id": "l-1",
            "lead_created_at": "2026-11-01T12:00:00.5+01:00",
            "customer_id": 7,
            "pipeline": "default",
            "stage": "proposal",
            "amount": "1250.50",
            "currency": "USD",
            "cost": 12,
            "lines": [{"product_line": "a", "amount": "1.5", "cost": 1, "x": []}, {}],
            "new_business": False,
            "expected_close_on": "2026-12-31",
            "loss_reason": "price",
            "rep": "r-17",
            "segment": "smb",
            "unheard_of": {"a": 1},
        },
        sequence=3,
    )

    assert event.sequence == 3
    assert event.data == {
        "deal_id": "501",
        "lead_id": "l-1",
        "lead_created_at": 1_793_530_800_500_000,
        "customer_id": "7",
        "pipeline": "default",
        "stage": "proposal",
        "amount": 12_505_000,
        "currency": "USD",
        "cost": 120_000,
        "lines": [["a", 15_000, 10_000], [None, None, None]],
        "new_business": False,
        "expected_close_on": ordinal("2026-12-31"),
        "loss_reason": "price",
        "rep": "r-17",
        "segment": "smb",
    }


@pytest.mark.parametrize("name", DATA)
def test_every_type_carries_the_standard_and_the_declared_dimensions(name: str):
    dimensions = dict.fromkeys((*STANDARD_DIMENSIONS, "segment"), "x")

    assert accepted(name, dimensions).data.items() >= dimensions.items()


DEAL_FIELDS: dict[str, Any] = {
    "lead_id": "l-1",
    "lead_created_at": "2026-11-01T12:00:00Z",
    "customer_id": "c-1",
    "pipeline": "p",
    "stage": "s",
    "amount": "1",
    "currency": "EUR",
    "cost": "1",
    "lines": [],
    "new_business": True,
    "expected_close_on": "2026-12-31",
    "loss_reason": "price",
}


@pytest.mark.parametrize("what", ["created", "updated", "stage_changed", "won", "lost", "reopened"])
def test_every_event_of_a_deal_but_its_deletion_knows_every_field_of_a_deal(what: str):
    assert set(DEAL_FIELDS) <= set(accepted(f"deal.{what}", DEAL_FIELDS).data)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("deal.deleted", {"amount": "x", "stage": 5, "currency": "??", "lines": 3}),
        ("lead.created", {"deal_id": True, "amount": "x", "stage": 5, "theme": 5}),
        ("survey.submitted", {"lead_id": True, "amount": "x", "currency": 5}),
        ("spend.recorded", {"cost": "x", "category": 5, "deal_id": True}),
        ("customer.churned", {"amount": "x", "lead_id": []}),
        ("measure.recorded", {"amount": "x", "currency": 5, "score": "x"}),
        ("deal.won", {"theme": 5, "score": "x", "first_day": "x", "nested": {"amount": "x"}}),
    ],
)
def test_a_field_that_its_type_does_not_know_is_ignored_whatever_it_says(
    kind: str, fields: dict[str, Any]
):
    assert accepted(kind, fields).data == accepted(kind).data


def test_unknown_attributes_of_the_envelope_are_ignored():
    plain = accepted()

    assert accepted(datacontenttype=5, subject=[], dataschema="x" * 999, u=raw("1e400")) == plain


@pytest.mark.parametrize("field", [*DEAL_FIELDS, *STANDARD_DIMENSIONS, "segment"])
def test_null_and_the_empty_string_clear_a_field_and_absence_leaves_it(field: str):
    assert accepted(data={field: None}).data[field] is None
    assert accepted(data={field: ""}).data[field] is None
    assert field not in accepted(data={field: ABSENT}).data


@pytest.mark.parametrize("name", ["sequence", "partitionkey"])
@pytest.mark.parametrize("value", [None, ""])
def test_an_optional_attribute_that_says_nothing_is_absent(name: str, value: object):
    assert accepted(**{name: value}) == accepted()


def test_of_duplicate_keys_the_last_counts():
    twice = record(data={"amount": "x"}).replace(b'"amount":"x"', b'"amount":"x","amount":"2"')
    event = outcome(twice)

    assert isinstance(event, Event)
    assert event.data["amount"] == 20_000


def test_of_duplicate_keys_the_last_counts_even_if_the_earlier_were_good():
    twice = record(data={"amount": "1"}).replace(b'"amount":"1"', b'"amount":"1","amount":"x"')

    assert refused(twice).reason is Reason.BAD_NUMBER


def test_a_key_is_opaque_bytes():
    assert isinstance(outcome(record(), key=b"\xff\x00"), Event)


@pytest.mark.parametrize(
    "name", ["order.created", "com.example.x", "crm", "CRM.deal", "x" * 999, "\x00"]
)
@pytest.mark.parametrize("key", [b"k", None])
def test_a_type_outside_crm_is_ignored_whatever_else_is_wrong(name: str, key: bytes | None):
    value = record(name, 5, specversion=None, time="never", sequence=-1)

    assert outcome(value, key=key) == Ignored(name)


@pytest.mark.parametrize(
    "time",
    ["2026-11-22T02:09:58Z", "2026-11-22T02:09:58.0000009Z", "2016-11-22T01:59:58Z"],
)
def test_the_limits_of_future_and_past_are_still_accepted(time: str):
    assert isinstance(outcome(record(time=time)), Event)


def test_what_counts_is_the_records_timestamp_not_a_clock():
    assert isinstance(
        outcome(record(time="1971-01-01T00:00:00Z"), timestamp_ms=31_536_000_000), Event
    )


def test_the_rules_come_from_the_configuration():
    config = Config(
        business=Business(timezone=ZoneInfo("Europe/Berlin"), currency="CHF"),
        currencies={"USD": ((0, Decimal("0.92")),)},
        dimensions=(("team",), ("segment", "tier")),
        credit={"floor": "latest"},
        measures={"defects": Measure(name="defects")},
    )
    rules = Rules.from_config(config)

    assert rules.dimensions == {"team", "segment", "tier", "floor"}
    assert rules.currencies == {"USD"}
    assert rules.measures == {"defects"}
    event = decode(b"k", record(data={"tier": "gold", "currency": "CHF"}), NOW_MS, rules)
    assert isinstance(event, Event)
    assert event.data["tier"] == "gold"
    assert decode(b"k", record(data={"tier": 1}), NOW_MS, rules) != event


def test_a_declared_dimension_does_not_replace_a_field_of_the_same_name():
    names = frozenset({"stage", "amount", "theme", "loss_reason"})
    rules = Rules(
        dimensions=names,
        currencies=frozenset(),
        business_currency="EUR",
        measures=frozenset(),
        max_future_us=0,
        retention_us=0,
    )
    won = decode(b"k", record(data={"amount": "2", "theme": 5}), NOW_MS, rules)
    lead = decode(b"k", record(SHORT["lead.created"], {"stage": 5}), NOW_MS, rules)

    assert isinstance(won, Event)
    assert won.data["amount"] == 20_000
    assert isinstance(lead, Event)


def test_the_same_record_always_gives_the_same_event():
    assert accepted() == accepted()
    assert accepted() is not accepted()
