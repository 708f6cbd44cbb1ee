"""The JSON Schema of `crm.events`, from the table that the worker checks events with.

What this schema accepts the worker accepts, as far as a schema can say it: rules between fields,
the time window, and ids that were seen before are the worker's alone.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from stream_app.wire.cloudevent import Rules
from stream_app.wire.shapes import MAX_SPREAD_DAYS, Shape
from stream_app.wire.values import (
    MAX_STRING_CHARACTERS,
    amount,
    boolean,
    calendar_instant,
    day,
    identifier,
    lines,
    text,
    whole_number,
)

Schema = dict[str, Any]

# The end of an ECMA regular expression is `$` without the line feed that Python's allows before it,
# and both know `(?!\n)`: patterns here mean the same in both.
_END: Final = r"$(?!\n)"
PLAIN: Final = rf"^[^\u0000-\u001f\u007f-\u009f]*{_END}"
_DAY: Final = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_HOURS: Final = "([01][0-9]|2[0-3]):[0-5][0-9]"
_TIME: Final = rf"[Tt]{_HOURS}:[0-5][0-9](\.[0-9]+)?([Zz]|[+-]{_HOURS})"
_FRACTION: Final = "[0-9]{1,4}0*"
_DECIMAL: Final = rf"^[+-]?(0*[0-9]{{1,15}}(\.({_FRACTION})?)?|\.{_FRACTION}){_END}"
_NUMBER_LIMIT: Final = 10**15

TEXT: Final[Schema] = {"type": "string", "maxLength": MAX_STRING_CHARACTERS, "pattern": PLAIN}
IDENTIFIER: Final[Schema] = {
    "description": "Opaque: never a name or an e-mail address. An integer is read as a string.",
    "anyOf": [TEXT, {"type": "integer"}],
}
INSTANT: Final[Schema] = {
    "description": "RFC 3339 with offset.",
    "type": "string",
    "maxLength": MAX_STRING_CHARACTERS,
    "format": "date-time",
    "pattern": f"^{_DAY}{_TIME}{_END}",
}
_DATE: Final[Schema] = {
    "type": "string",
    "maxLength": MAX_STRING_CHARACTERS,
    "format": "date",
    "pattern": f"^{_DAY}{_END}",
}
_AMOUNT: Final[Schema] = {
    "description": "At most 15 digits before the point and 4 after it.",
    "anyOf": [
        {"type": "string", "maxLength": MAX_STRING_CHARACTERS, "pattern": _DECIMAL},
        # No multipleOf: validators divide floats, and most amounts with cents would fail.
        {
            "type": "number",
            "exclusiveMinimum": -_NUMBER_LIMIT,
            "exclusiveMaximum": _NUMBER_LIMIT,
        },
    ],
}


def _silent_too(schema: Schema) -> Schema:
    """The same, or null, or "": what clears a field."""
    return {"anyOf": [schema, {"enum": [None, ""]}]}


_LINES: Final[Schema] = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "product_line": _silent_too(TEXT),
            "amount": _silent_too(_AMOUNT),
            "cost": _silent_too(_AMOUNT),
        },
    },
}
_BY_CHECK: Final[Mapping[Callable[[Any], object], Schema]] = {
    text: TEXT,
    identifier: IDENTIFIER,
    calendar_instant: INSTANT,
    day: _DATE,
    amount: _AMOUNT,
    boolean: {"type": "boolean"},
    whole_number: {
        "type": "integer",
        "exclusiveMinimum": -_NUMBER_LIMIT,
        "exclusiveMaximum": _NUMBER_LIMIT,
    },
    lines: _LINES,
}
_SAYS_SOMETHING: Final[Schema] = {"not": {"enum": [None, ""]}}


def event_schema(rules: Rules) -> Schema:
    """The schema of one record of `crm.events`; other types (outside `crm.`) are not described."""
    names = {
        "currency": {"enum": sorted(rules.currencies | {rules.business_currency})},
        "measure": {"enum": sorted(rules.measures)},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "crm.events",
        "description": (
            "What happened in a CRM, as a CloudEvent 1.0 in structured mode. An absent field means"
            " unchanged, null means cleared. Unknown fields are ignored."
        ),
        "type": "object",
        "required": ["specversion", "id", "source", "type", "time", "data"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {**IDENTIFIER, **_SAYS_SOMETHING},
            "source": {**TEXT, "minLength": 1},
            "type": {"enum": [*rules.shapes]},
            "time": INSTANT,
            "partitionkey": _silent_too(IDENTIFIER),
            "sequence": _silent_too(
                {
                    "anyOf": [
                        {"type": "integer", "minimum": 0},
                        {
                            "type": "string",
                            "maxLength": MAX_STRING_CHARACTERS,
                            "pattern": rf"^[0-9]+{_END}",
                        },
                    ]
                }
            ),
            "data": {"type": "object"},
        },
        "allOf": [
            {
                "if": {"required": ["type"], "properties": {"type": {"const": name}}},
                "then": {"properties": {"data": {"$ref": f"#/$defs/{name}"}}},
            }
            for name in rules.shapes
        ],
        "$defs": {name: _data(shape, names) for name, shape in rules.shapes.items()},
    }


def _data(shape: Shape, names: Mapping[str, Schema]) -> Schema:
    properties: dict[str, Schema] = {}
    for name, check in shape.checks.items():
        known = _BY_CHECK.get(check)
        schema = names[name] if known is None else known
        required = name in shape.required
        properties[name] = {**schema, **_SAYS_SOMETHING} if required else _silent_too(schema)
    data: Schema = {"type": "object", "required": [*shape.required], "properties": properties}
    if "score" in properties:
        data["allOf"] = [_scale("nps", 0, 10, [10]), _scale("csat", 1, 5, [5, 10])]
        properties["kind"] = {"enum": ["nps", "csat"]}
    if "first_day" in properties:
        data["description"] = (
            f"Both days are included, at most {MAX_SPREAD_DAYS} of them; of one that is absent the"
            " other is taken, without both the event's own day."
        )
    return data


def _scale(kind: str, least: int, most: int, scales: list[int]) -> Schema:
    """Scores of one kind of survey; where `scale_max` says more, up to that."""
    said = {"properties": {"scale_max": {"enum": [*scales, None, ""]}}}
    larger = [
        {
            "if": {"required": ["scale_max"], "properties": {"scale_max": {"const": scale}}},
            "then": {"properties": {"score": {"maximum": scale}}},
            "else": {"properties": {"score": {"maximum": most}}},
        }
        for scale in scales
        if scale != most
    ] or [{"properties": {"score": {"maximum": most}}}]
    return {
        "if": {"required": ["kind"], "properties": {"kind": {"const": kind}}},
        "then": {"allOf": [{"properties": {"score": {"minimum": least}}}, said, *larger]},
    }
