"""The schemas say what the worker's own code accepts and writes."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import yaml
from jsonschema import Draft202012Validator

from stream_app.company import Company
from stream_app.domain.alerts import Transition
from stream_app.domain.calendar import rfc3339_utc
from stream_app.domain.experiment import Verdict
from stream_app.domain.silence import Notice, Quiet
from stream_app.render.asyncapi import TOPICS
from stream_app.render.event_schema import event_schema
from stream_app.render.schemas import schemas
from stream_app.settings import Topics
from stream_app.simulate import Options, simulate
from stream_app.transport.topics import contract_topics
from stream_app.wire.alert import encode_alert, encode_notice
from stream_app.wire.cloudevent import Reason, Rules
from stream_app.wire.dead_letter import DeadLetter
from stream_app.wire.experiment import SaidResult, encode_result
from stream_app.wire.partial import Cell, Control, Heard, encode_value
from stream_app.wire.published import Published
from stream_app.wire.tick import encode_tick
from stream_app.wire.value import Said, TargetSaid
from stream_app.wire.value import encode_value as encode_kpi_value
from tests.domain.standings import goal_of
from tests.wire.poison import CASES
from tests.wire.records import DATA, RULES, Case, record

EVENTS = Draft202012Validator(event_schema(RULES))
NO_WORD_FOR = (
    "-02-29T",  # days that a month does not have
    "-11-31",
    "-02-29",
    "0000-01-01",
    "0001-01-01",
    "9999-12-31",
    " to ",  # how many days a span has
    "111111111111",  # integers of more digits than any id has
    "id -11111111111",
    "partitionkey -11111111111",
    "100000000",
)
"""What is wrong by a rule that a schema cannot say."""


def parsed(value: bytes | None) -> object:
    """The document; integers of thousands of digits become other large ones."""
    return json.loads(value or b"", parse_int=lambda text: int(text[:1_000]))


def schematic(case: Case) -> bool:
    name, reason, value = case
    return reason is Reason.SCHEMA and value is not None and not any(w in name for w in NO_WORD_FOR)


@pytest.mark.parametrize("kind", DATA)
def test_the_least_event_of_each_type_is_valid(kind: str) -> None:
    assert EVENTS.is_valid(json.loads(record(kind)))


@pytest.mark.parametrize("case", [*filter(schematic, CASES)], ids=lambda case: case[0])
def test_what_the_worker_refuses_as_schema_the_schema_refuses(case: Case) -> None:
    assert not EVENTS.is_valid(parsed(case[2]))


def test_few_rules_cannot_be_said_in_a_schema() -> None:
    of_schema = [case for case in CASES if case[1] is Reason.SCHEMA]
    unsaid = [case for case in of_schema if not schematic(case)]

    assert len(unsaid) < 0.12 * len(of_schema)


@pytest.mark.parametrize("reason", ["bad_number", "unknown_currency", "unknown_measure"])
def test_most_bad_amounts_and_names_are_refused_too(reason: str) -> None:
    bad = [parsed(value) for _, why, value in CASES if why == reason]

    # Decimals of a JSON number are not counted: validators divide floats.
    assert sum(not EVENTS.is_valid(document) for document in bad) > 0.7 * len(bad)


def test_every_event_that_a_simulated_crm_sends_is_valid(company: Company) -> None:
    rules = Rules.from_config(company.config)
    events = Draft202012Validator(event_schema(rules))
    options = Options(
        start=datetime(2026, 6, 1, tzinfo=UTC), events=600, corrections=0.1, measures=("defects",)
    )

    wrong = [
        error.message
        for sent in simulate(options)
        for error in events.iter_errors(json.loads(sent.value or b""))
    ]

    assert wrong == []


def test_the_schema_of_values_describes_every_field_that_is_written(company: Company) -> None:
    described = schemas(company)["kpi.values"]
    record = json.loads(_value())

    assert set(described["properties"]) == set(record)
    assert set(described["required"]) == set(record)
    assert set(Published.__struct_fields__) <= set(record)
    Draft202012Validator(described).validate(record)


def _value() -> bytes:
    day = "2026-11-01T00:00:00+01:00"
    said = dict.fromkeys(Said._fields) | {
        "kpi": "win_rate",
        "window": "month",
        "start": day,
        "end": day,
        "complete": False,
        "dimension": "team",
        "member": "emea",
        "unit": "ratio",
        "targets": (TargetSaid("win-rate", Decimal("0.25"), 1.04, "firing"),),
    }
    now = rfc3339_utc(1_795_312_798_000_000, "milliseconds")
    return encode_kpi_value(Said(**said), event_time=now, published_at=now, revision=1)


def test_ticks_partials_and_dead_letters_are_described(company: Company) -> None:
    described = schemas(company)
    letter = DeadLetter(
        topic="crm.events", partition=3, offset=7, reason="schema", detail="wrong", value=b"x"
    )
    headers = {name: value.decode() for name, value in letter.headers}
    partials = Draft202012Validator(described["kpi.partials"])

    Draft202012Validator(described["kpi.ticks"]).validate(json.loads(encode_tick(0)))
    Draft202012Validator(described["crm.dead-letters"]).validate(headers)
    partials.validate(json.loads(encode_value(Cell(1, 2, 3, {"leads": 4}))))
    partials.validate(json.loads(encode_value(Control(1, 2))))
    partials.validate(json.loads(encode_value(Heard(1, 2))))
    assert not partials.is_valid(["1", 2])


def test_a_silent_source_is_a_valid_alert_without_a_kpi(company: Company) -> None:
    described = schemas(company)["kpi.alerts"]
    seen = Quiet(now_us=9, heard_us=0, passed_us=2, allowed_us=1)
    notice = Notice(source="hubspot", state="firing", previous="ok", since_us=9, seen=seen)
    record = json.loads(encode_notice(notice))

    Draft202012Validator(described).validate(record)
    assert set(record) - set(described["properties"]) == {"source", "heard"}
    assert [name for name in described["properties"] if record[name] is None] == [
        *("kpi", "window", "start", "expected_by_now", "sample", "explain")
    ]


def test_the_schema_of_experiments_describes_every_field_that_is_written(
    company: Company,
) -> None:
    described = schemas(company)["kpi.experiments"]
    told = {
        "experiment": "free-trial",
        "dimension": "technique",
        "control": "cold-call",
        "variant": "free-trial",
        "n_control": 400,
        "n_variant": 410,
        "converted_control": 48,
        "converted_variant": 74,
        "rate_control": 0.12,
        "rate_variant": 0.18,
        "delta": 0.06,
        "lift": 0.5,
        "interval": (0.0112, 0.1096),
        "p": 0.01611,
        "method": "z",
        "sequential_p": 0.2,
        "verdict": Verdict.NO_DIFFERENCE_SHOWN,
        "observational": False,
        "horizon_days": 30,
        "days": 60,
        "through": date(2026, 10, 22),
    }
    now = rfc3339_utc(1_795_312_798_000_000, "milliseconds")
    record = json.loads(
        encode_result(SaidResult(**told), event_time=now, published_at=now, revision=1)
    )

    assert set(described["properties"]) == set(described["required"]) == set(record)
    Draft202012Validator(described).validate(record)
    assert not Draft202012Validator(described).is_valid(record | {"verdict": "maybe"})


def test_the_schema_of_alerts_describes_every_field_that_is_written(company: Company) -> None:
    described = schemas(company)["kpi.alerts"]
    goal = goal_of("kpi: win_rate, window: month, dimension: team, at_least: 0.25")
    transition = Transition(
        goal=goal,
        kind="level",
        scope="team|emea",
        state="firing",
        previous="pending",
        reason="below_target",
        about="2026-11-01",
        start="2026-11-01T00:00:00+01:00",
        since_us=1_795_312_798_000_000,
        standing=None,
    )
    record = json.loads(encode_alert(transition))

    assert set(described["properties"]) == set(described["required"]) == set(record)
    Draft202012Validator(described).validate(record)
    assert not Draft202012Validator(described).is_valid(record | {"reason": "because"})


def test_every_topic_of_the_contract_is_described_but_what_nobody_writes_yet(
    company: Company,
) -> None:
    topics = {spec.name for spec in contract_topics(Topics(""), "version", 1)}
    described = {name.replace("partials", "partials.version") for name in schemas(company)}

    assert topics - described == {"crm.raw"}
    assert described <= topics


def test_every_schema_is_one(company: Company) -> None:
    for schema in schemas(company).values():
        Draft202012Validator.check_schema(schema)


def test_asyncapi_has_a_channel_for_each_topic_and_all_its_references_lead_somewhere(
    company: Company, files: Mapping[str, str]
) -> None:
    document = yaml.safe_load(files["deploy/asyncapi.yaml"])
    described = schemas(company)

    addresses = {channel["address"] for channel in document["channels"].values()}
    assert addresses == set(described) <= set(TOPICS)
    for reference in _references(document):
        where, _, path = reference.partition("#/")
        if where:
            assert f"deploy/{where}" in files
            continue
        place = document
        for step in path.split("/"):
            place = place[step]


def _references(node: object) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if "$ref" in node else []
        return own + [ref for child in node.values() for ref in _references(child)]
    if isinstance(node, list):
        return [ref for child in node for ref in _references(child)]
    return []
