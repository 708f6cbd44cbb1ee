"""The AsyncAPI 3 document: every topic, its key, its cleanup and its values, for subscribers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from stream_app import __version__
from stream_app.render.event_schema import Schema

VERSION: Final = "3.0.0"
SCHEMA_FORMAT: Final = "application/schema+json;version=draft-2020-12"


@dataclass(frozen=True, slots=True)
class _Topic:
    """A channel as a subscriber or a producer meets it.

    Attributes:
        direction: `receive`: we read it; `send`: we write it; `internal`: both, nobody else's.
        key: its Kafka key in words.
    """

    direction: Literal["receive", "send", "internal"]
    key: str
    cleanup: str
    summary: str


TOPICS: Final[Mapping[str, _Topic]] = {
    "crm.events": _Topic(
        "receive",
        "the entity's key, decided by its first event and never changed; murmur2 partitioner",
        "delete, kept for ever by default",
        "Canonical CRM events, CloudEvents 1.0 in structured mode.",
    ),
    "crm.dead-letters": _Topic(
        "send",
        "topic/partition/offset of the refused record",
        "delete, 14 days",
        "Refused input with its reason. At least once: drop repeats by key.",
    ),
    "kpi.partials": _Topic(
        "internal",
        "dimension|member|bucket|source partition, or kind|source partition",
        "compact",
        "Absolute measures of one cell from one source partition. Its name ends in the state"
        " version; it changes without notice.",
    ),
    "kpi.ticks": _Topic("internal", "the partition's number", "delete, 1 day", "The clock."),
    "kpi.values": _Topic(
        "send",
        "kpi|window|start|dimension|member; in each part %, |, + and / are percent-encoded",
        "compact",
        "The latest value of every KPI. At least once: of a key's records keep the one with the"
        " highest revision.",
    ),
    "kpi.alerts": _Topic(
        "send",
        "target|kind|dimension|member; kind is level or coaching",
        "compact, delete",
        "Every change of an alert's state. The id is the same after any crash: drop repeats by it.",
    ),
    "kpi.experiments": _Topic(
        "send",
        "experiment|variant",
        "compact",
        "The latest result of every A/B comparison. Of a key's records keep the one with the"
        " highest revision.",
    ),
}


def asyncapi(schemas: Mapping[str, Schema]) -> Mapping[str, Any]:
    """The document; values are described by the schema files beside it.

    Args:
        schemas: topic → schema, as `stream_app.render.schemas` makes them.
    """
    topics = {name: topic for name, topic in TOPICS.items() if name in schemas}
    return {
        "asyncapi": VERSION,
        "info": {
            "title": "stream-app",
            "version": __version__,
            "description": (
                "An event-driven KPI monitor for sales. Names of topics may carry a configured"
                " prefix. Fields may be added to any value: ignore those that you do not know."
            ),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {_id(name): _channel(name, topic) for name, topic in topics.items()},
        "operations": {
            f"{action}_{_id(name)}": {
                "action": action,
                "channel": {"$ref": f"#/channels/{_id(name)}"},
                "summary": topic.summary,
            }
            for name, topic in topics.items()
            for action in (("receive", "send") if topic.direction == "internal" else _one(topic))
        },
        "components": {
            "messages": {_id(name): _message(name, topic) for name, topic in topics.items()}
        },
    }


def _one(topic: _Topic) -> tuple[str, ...]:
    return (topic.direction,)


def _id(name: str) -> str:
    return name.replace(".", "_").replace("-", "_")


def _channel(name: str, topic: _Topic) -> Mapping[str, Any]:
    return {
        "address": name,
        "description": f"{topic.summary} Cleanup: {topic.cleanup}.",
        "messages": {_id(name): {"$ref": f"#/components/messages/{_id(name)}"}},
    }


def _message(name: str, topic: _Topic) -> Mapping[str, Any]:
    schema = {"schemaFormat": SCHEMA_FORMAT, "schema": {"$ref": f"schemas/{name}.json"}}
    message: dict[str, Any] = {
        "name": name,
        "summary": topic.summary,
        "contentType": "application/json",
        "bindings": {"kafka": {"key": {"type": "string", "description": topic.key}}},
    }
    if name == "crm.dead-letters":
        return message | {"contentType": "application/octet-stream", "headers": schema}
    return message | {"payload": schema}
