"""Asks a broker for topic ids, which aiokafka's own metadata request is too old to know."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final
from uuid import UUID

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import (
    IncompatibleBrokerVersion,
    KafkaError,
    UnknownTopicOrPartitionError,
    for_code,
)
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.protocol.types import (
    AbstractType,
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

_BY_NAME: Final = UUID(int=0)


class _Uuid(AbstractType[UUID]):  # type: ignore[misc]
    @classmethod
    def encode(cls, value: UUID) -> bytes:
        return value.bytes

    @classmethod
    def decode(cls, data: BytesIO) -> UUID:
        return UUID(bytes=data.read(16))


class _MetadataResponse12(Response):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 12
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", CompactString("utf-8")),
                ("port", Int32),
                ("rack", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_id", CompactString("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("topic", CompactString("utf-8")),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _MetadataRequest12(RequestStruct):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 12
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _MetadataResponse12
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(
                ("topic_id", _Uuid), ("name", CompactString("utf-8")), ("tags", TaggedFields)
            ),
        ),
        ("allow_auto_topic_creation", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class _TopicIdsRequest(Request[_MetadataRequest12]):  # type: ignore[misc]
    API_KEY = 3

    def __init__(self, topics: Iterable[str]) -> None:
        self._topics: list[tuple[UUID, str, dict[int, bytes]]] = [
            (_BY_NAME, topic, {}) for topic in topics
        ]

    def build(self, request_struct_class: type[_MetadataRequest12]) -> _MetadataRequest12:
        return request_struct_class(self._topics, *(False, False), {})


@dataclass(frozen=True, slots=True)
class TopicFacts:
    """What a topic is right now.

    Attributes:
        topic_id: changes when a topic is deleted and created again under its name; None: the
            broker is older than Kafka 3.1 and does not tell.
        led: whether each partition has a leader, so that it can be written and read.
    """

    partition_count: int
    topic_id: str | None
    led: bool


async def describe_topics(
    client: AIOKafkaClient, topics: Iterable[str]
) -> Mapping[str, TopicFacts]:
    """The facts of those topics that exist.

    Raises:
        KafkaError: no answer, or not allowed.
    """
    names = list(topics)
    try:
        response = await _ask(client, _TopicIdsRequest(names))
    except (NotImplementedError, IncompatibleBrokerVersion):
        response = await _ask(client, MetadataRequest(names, allow_auto_topic_creation=False))
    facts = {}
    for topic in response.to_object()["topics"]:
        error = for_code(topic["error_code"])
        if error is UnknownTopicOrPartitionError:
            continue
        partitions = topic["partitions"]
        if error.errno and not partitions:
            raise error(topic["topic"])
        topic_id = topic.get("topic_id", _BY_NAME)
        facts[topic["topic"]] = TopicFacts(
            partition_count=len(partitions),
            topic_id=None if topic_id == _BY_NAME else str(topic_id),
            led=bool(partitions) and all(p["leader"] >= 0 for p in partitions),
        )
    return facts


async def _ask(client: AIOKafkaClient, request: Request[Any]) -> Response:
    node = client.get_random_node()
    if node is None:
        raise KafkaError("no broker is known")
    response: Response = await client.send(node, request)
    return response
