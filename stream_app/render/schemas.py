"""JSON Schemas of what every topic carries, from the types that write and read it."""

from collections.abc import Mapping
from typing import Any, Final, get_type_hints

import msgspec

from stream_app.company import Company
from stream_app.domain.alerts import Kind, State
from stream_app.render.event_schema import INSTANT, Schema, event_schema
from stream_app.wire import alert, value
from stream_app.wire.cloudevent import Rules
from stream_app.wire.dead_letter import MAX_DETAIL_CHARACTERS
from stream_app.wire.experiment import PublishedResult
from stream_app.wire.partial import Cell, Control, Heard
from stream_app.wire.reasons import Reason
from stream_app.wire.tick import Tick

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_NUMBER: Final[Schema] = {"type": ["number", "null"]}

_SAID: Final[Mapping[str, Schema]] = {
    "v": {"const": value.VERSION, "description": "Version of this form; it only ever grows."},
    "start": {**INSTANT, "description": "First instant of the window, business time zone."},
    "end": {**INSTANT, "description": "First instant after the window, also while it runs."},
    "complete": {"description": "The window is over; late events may still restate it."},
    "dimension": {"description": "`company`, a dimension, or several as `source+technique`."},
    "member": {"description": "`all` for the company; of several `web+free-trial`."},
    "value": {**_NUMBER, "description": "In its unit; null while undefined, never 0 for that."},
    "numerator": {**_NUMBER, "description": "Of the formula's outermost quotient, else null."},
    "denominator": {**_NUMBER, "description": "Of the formula's outermost quotient, else null."},
    "previous": {**_NUMBER, "description": "The same one window earlier, cut like the value."},
    "event_time": {**INSTANT, "description": "The newest event that it knows of."},
    "published_at": INSTANT,
    "revision": {"type": "integer", "description": "Keep the record with the highest."},
}
_TARGET: Final[Mapping[str, Schema]] = {
    name: msgspec.json.schema(kind) for name, kind in get_type_hints(value.TargetSaid).items()
} | {
    "value": {**_NUMBER, "description": "What is asked, in the unit of the KPI."},
    "attainment": {**_NUMBER, "description": "1 is met; null where it cannot be said."},
    "state": msgspec.json.schema(State),
}
_REASONS: Final = (
    *("below_target", "above_target", "behind_pace", "recovered", "goal_reached"),
    *("goal_exceeded", "missed_repeatedly", "no_data", "silent_source"),
)
_EXPERIMENT: Final[Mapping[str, Schema]] = {
    "delta": {"description": "The variant's rate minus the control's."},
    "lift": {"description": "delta relative to the control's rate; null also where that is 0."},
    "interval": {"description": "Of delta, 95 % (Newcombe)."},
    "p": {"description": "Of the test that holds if it is looked at once."},
    "sequential_p": {"description": "Always valid; the verdict follows from it."},
    "observational": {"description": "Leads were not assigned at random."},
    "days": {"description": "Matured business days up to `through`."},
    "event_time": INSTANT,
    "published_at": INSTANT,
    "revision": {"description": "Keep the record with the highest."},
}
_DEAD_LETTER_HEADERS: Final[Schema] = {
    "$schema": DIALECT,
    "title": "crm.dead-letters, headers",
    "description": (
        "The value is the refused record's own bytes, cut at 64 KiB; the headers, UTF-8 text, say"
        " why it was refused and where the original lies."
    ),
    "type": "object",
    "required": ["reason", "detail", "topic", "partition", "offset"],
    "properties": {
        "reason": {"enum": [reason.value for reason in Reason]},
        "detail": {"type": "string", "maxLength": MAX_DETAIL_CHARACTERS},
        "topic": {"type": "string"},
        "partition": {"type": "string", "pattern": "^[0-9]+$"},
        "offset": {"type": "string", "pattern": "^[0-9]+$"},
    },
}


def schemas(company: Company) -> Mapping[str, Schema]:
    """Topic (without prefix) → the schema of its values; of `crm.dead-letters` of its headers."""
    return {
        "crm.events": event_schema(Rules.from_config(company.config)),
        "crm.dead-letters": _DEAD_LETTER_HEADERS,
        "kpi.partials": _partials(),
        "kpi.ticks": _struct("kpi.ticks", "The clock as an event.", Tick, {"now": INSTANT}),
        "kpi.values": _values(company),
        "kpi.alerts": _alerts(company),
        "kpi.experiments": _struct(
            "kpi.experiments",
            "The latest result of an A/B comparison; A is the control, B the variant.",
            PublishedResult,
            _EXPERIMENT,
        ),
    }


def _values(company: Company) -> Schema:
    kpis = company.catalogue.kpis
    properties = {
        name: msgspec.json.schema(kind)
        for name, kind in get_type_hints(value.Said).items()
        if name != "targets"
    }
    properties |= {
        "kpi": {"enum": [kpi.name for kpi in kpis]},
        "unit": {"enum": sorted({kpi.definition.unit for kpi in kpis})},
        "window": {"enum": list(company.config.windows)},
        "targets": {"type": "array", "items": _plain_object(_TARGET)},
    }
    return _object(
        "kpi.values",
        "The latest value of a KPI for a member in a window; the key is"
        " `kpi|window|start|dimension|member`. A tombstone: it left the history.",
        {"v": {}, **properties, "event_time": {}, "published_at": {}, "revision": {}},
        _SAID,
    )


def _alerts(company: Company) -> Schema:
    state = msgspec.json.schema(State)
    properties: dict[str, Schema] = {
        "v": {"const": alert.VERSION},
        "id": {"type": "string", "description": "The same after any crash: drop repeats by it."},
        "target": {"type": "string"},
        "kind": msgspec.json.schema(Kind),
        "kpi": {
            "enum": [*(kpi.name for kpi in company.catalogue.kpis), None],
            "description": "null for a silent source, like window, start and explain.",
        },
        "window": {"enum": [*company.config.windows, None]},
        "start": {
            **INSTANT,
            "type": ["string", "null"],
            "description": "First instant of the window that was judged.",
        },
        "dimension": {"type": "string"},
        "member": {"type": "string"},
        "state": state,
        "previous": state,
        "reason": {"enum": list(_REASONS)},
        "value": _NUMBER,
        "threshold": _NUMBER,
        "expected_by_now": {**_NUMBER, "description": "Of a total with a pace, else null."},
        "since": {**INSTANT, "description": "The tick at which the state began."},
        "severity": {"enum": ["info", "warning", "critical"]},
        "sample": {**_NUMBER, "description": "What the value rests on, if that is counted."},
        "explain": {
            "type": ["string", "null"],
            "description": "The command that says why.",
        },
    }
    return _object(
        "kpi.alerts",
        "A change of an alert's state; the key is `target|kind|dimension|member`.",
        properties,
        {},
    )


def _partials() -> Schema:
    return {
        "$schema": DIALECT,
        "title": "kpi.partials",
        "description": "Internal: a cell's absolute measures, or a control record.",
        "anyOf": [
            _inlined(Cell) | {"description": "version, event_us, record_ms, measures"},
            _inlined(Control) | {"description": "version, instant_us"},
            _inlined(Heard) | {"description": "record_us, event_us"},
        ],
    }


def _struct(title: str, text: str, struct: type, more: Mapping[str, Schema]) -> Schema:
    return _object(title, text, _inlined(struct)["properties"], more)


def _plain_object(properties: Mapping[str, Schema]) -> Schema:
    return {"type": "object", "required": [*properties], "properties": {**properties}}


def _object(
    title: str, text: str, properties: Mapping[str, Schema], more: Mapping[str, Schema]
) -> Schema:
    """An object of which every property is required; further ones may come."""
    return {
        "$schema": DIALECT,
        "title": title,
        "description": f"{text} Fields may be added: ignore those that you do not know.",
        **_plain_object(
            {name: {**rule, **more.get(name, {})} for name, rule in properties.items()}
        ),
    }


def _inlined(struct: type) -> dict[str, Any]:
    """Its schema in one piece; enumerations stand where they are used."""
    schema = msgspec.json.schema(struct)
    named: dict[str, Any] = schema["$defs"]
    body = named.pop(struct.__name__)
    for field, rule in body.get("properties", {}).items():
        if "$ref" in rule:
            body["properties"][field] = {"enum": named[rule["$ref"].rpartition("/")[2]]["enum"]}
    return {key: part for key, part in body.items() if key not in {"title", "description"}}
