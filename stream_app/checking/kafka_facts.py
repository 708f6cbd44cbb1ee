"""What the brokers say about the topics; nothing is created, nothing is changed."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from stream_app.checking.topics import TopicFacts
from stream_app.transport.errors import BrokerUnavailable
from stream_app.transport.metadata import describe_topics
from stream_app.transport.reading import named

_ANSWER_SECONDS: Final = 15.0
_NO_ERROR: Final = 0


@dataclass(frozen=True, slots=True)
class ClusterFacts:
    """What the brokers say.

    Attributes:
        topics: those that exist.
        begins: topic → first offset of each partition.
        ends: topic → where each partition ends.
    """

    brokers: int
    topics: Mapping[str, TopicFacts]
    begins: Mapping[str, Sequence[int]]
    ends: Mapping[str, Sequence[int]]


async def cluster_facts(kafka: Mapping[str, Any], names: Sequence[str]) -> ClusterFacts:
    """Ask the brokers.

    Args:
        kafka: `bootstrap_servers` (a list) and security, as aiokafka takes them.
        names: of topics that may exist.

    Raises:
        BrokerUnavailable: no answer in time.
    """
    try:
        async with asyncio.timeout(_ANSWER_SECONDS), _clients(kafka) as (admin, consumer):
            return await _asked(admin, consumer, names)
    except TimeoutError:
        reason = (
            f"no answer within {_ANSWER_SECONDS:.0f} s; are the addresses that the brokers "
            "advertise reachable from here?"
        )
        raise BrokerUnavailable(kafka["bootstrap_servers"], "looking at topics", reason) from None
    except KafkaError as error:
        reason = named(error)
        raise BrokerUnavailable(kafka["bootstrap_servers"], "looking at topics", reason) from None


@asynccontextmanager
async def _clients(
    kafka: Mapping[str, Any],
) -> AsyncIterator[tuple[AIOKafkaAdminClient, AIOKafkaConsumer]]:
    admin = AIOKafkaAdminClient(**kafka)
    consumer = AIOKafkaConsumer(**kafka, enable_auto_commit=False)
    try:
        await admin.start()
        await consumer.start()
        yield admin, consumer
    finally:
        await consumer.stop()
        await admin.close()


async def _asked(
    admin: AIOKafkaAdminClient, consumer: AIOKafkaConsumer, names: Sequence[str]
) -> ClusterFacts:
    described = await describe_topics(admin._client, names)  # noqa: SLF001 - topic ids
    brokers = len((await admin.describe_cluster())["brokers"])
    replicas = await _replicas(admin, list(described))
    facts, begins, ends = {}, {}, {}
    for name, topic in described.items():
        tps = [TopicPartition(name, number) for number in range(topic.partition_count)]
        first, last = await consumer.beginning_offsets(tps), await consumer.end_offsets(tps)
        begins[name] = [first[tp] for tp in tps]
        ends[name] = [last[tp] for tp in tps]
        facts[name] = TopicFacts(
            partitions=topic.partition_count,
            topic_id=topic.topic_id,
            replicas=replicas.get(name, 0),
            records=sum(ends[name]) - sum(begins[name]),
            configs=await _configs(admin, name),
        )
    return ClusterFacts(brokers, facts, begins, ends)


async def _replicas(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, int]:
    if not names:
        return {}
    return {
        topic["topic"]: min((len(each["replicas"]) for each in topic["partitions"]), default=0)
        for topic in await admin.describe_topics(names)
    }


async def _configs(admin: AIOKafkaAdminClient, name: str) -> dict[str, str]:
    """The settings that the broker shows this login; none if it shows none."""
    found: dict[str, str] = {}
    resource = ConfigResource(ConfigResourceType.TOPIC, name)
    for response in await admin.describe_configs([resource]):
        for code, _, _, _, entries in response.resources:
            if code == _NO_ERROR:
                found |= {setting: value for setting, value, *_ in entries if value is not None}
    return found
