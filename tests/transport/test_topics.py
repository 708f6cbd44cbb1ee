import asyncio

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from stream_app.local.ports import free_ports
from stream_app.settings import Topics
from stream_app.transport.errors import BrokerUnavailable
from stream_app.transport.publisher import Outgoing, Publisher
from stream_app.transport.topics import (
    TopicMismatch,
    TopicRefused,
    TopicSpec,
    contract_topics,
    ensure_topics,
    partition_counts,
)
from tests.transport.conftest import MakeTopic

DAY_MS = 86_400_000


async def settings_of(servers: list[str], topic: str) -> dict[str, str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    (response,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    await admin.close()
    return {
        name: value for _, _, _, _, entries in response.resources for name, value, *_ in entries
    }


async def test_all_topics_of_the_contract_are_created_as_it_says(
    servers: list[str], topic_prefix: str
) -> None:
    names = Topics(topic_prefix)
    report = await ensure_topics(servers, contract_topics(names, "v1", 3))
    expected = {
        names.events: {
            "cleanup.policy": "delete",
            "retention.ms": "-1",
            "max.message.bytes": str(8 << 20),
        },
        names.raw: {
            "cleanup.policy": "delete",
            "retention.ms": str(7 * DAY_MS),
            "max.message.bytes": str(8 << 20),
        },
        names.dead_letters: {"cleanup.policy": "delete", "retention.ms": str(14 * DAY_MS)},
        names.partials("v1"): {"cleanup.policy": "compact"},
        names.ticks: {"cleanup.policy": "delete", "retention.ms": str(DAY_MS)},
        names.values: {"cleanup.policy": "compact"},
        names.alerts: {"cleanup.policy": "compact,delete"},
    }
    assert set(expected) <= set(report.created)
    assert report.drifts == ()
    for topic, settings in expected.items():
        assert report.partitions[topic] == 3
        assert report.topic_ids[topic]
        assert settings.items() <= (await settings_of(servers, topic)).items()


async def test_events_may_be_as_old_and_as_new_as_they_like(
    servers: list[str], topic_prefix: str, publisher: Publisher
) -> None:
    names = Topics(topic_prefix)
    await ensure_topics(servers, contract_topics(names, "v1", 1))
    await publisher.send_all(
        Outgoing(names.events, b"k", b"x", 0, timestamp_ms=ms) for ms in (1, 4_102_444_800_000)
    )


async def test_creating_again_creates_nothing(servers: list[str], topic_prefix: str) -> None:
    specs = [TopicSpec(f"{topic_prefix}{n}", 2, {"retention.ms": "1000"}) for n in "ab"]
    first = await ensure_topics(servers, specs)
    again = await ensure_topics(servers, specs)
    assert (len(first.created), again.created, again.drifts) == (2, (), ())
    assert first.topic_ids == again.topic_ids


async def test_several_workers_may_create_at_once(servers: list[str], topic_prefix: str) -> None:
    specs = [TopicSpec(f"{topic_prefix}{n}", 2) for n in range(5)]
    reports = await asyncio.gather(*(ensure_topics(servers, specs) for _ in range(6)))
    created = sorted(name for report in reports for name in report.created)
    assert created == [spec.name for spec in specs]


async def test_a_topic_that_exists_keeps_what_it_has_and_is_reported(
    servers: list[str], make_topic: MakeTopic
) -> None:
    topic = await make_topic(partitions=2, retention_ms="1000")
    report = await ensure_topics(servers, [TopicSpec(topic, 4, {"retention.ms": "-1"})])
    assert report.partitions == {topic: 2}
    partitions, retention = map(str, report.drifts)
    assert f"topic {topic}: partitions is 2, expected 4" in partitions
    assert f"topic {topic}: retention.ms is 1000, expected -1" in retention


async def test_a_compacted_topic_of_events_is_refused(
    servers: list[str], make_topic: MakeTopic
) -> None:
    topic = await make_topic(cleanup_policy="compact")
    with pytest.raises(
        TopicMismatch, match=r"cleanup.policy is compact, expected delete.*get lost"
    ):
        await ensure_topics(servers, [TopicSpec(topic, 1, {"cleanup.policy": "delete"})])


async def test_a_topic_that_cannot_be_created_is_named_with_a_way_out(
    servers: list[str], topic_prefix: str
) -> None:
    spec = TopicSpec(f"{topic_prefix}x", 2, {"retention.ms": "soon"})
    with pytest.raises(TopicRefused, match=r"by hand with 2 partitions and retention\.ms=soon"):
        await ensure_topics(servers, [spec])


async def test_partitions_are_counted_of_topics_that_exist(
    servers: list[str], make_topic: MakeTopic
) -> None:
    topic = await make_topic(partitions=3)
    assert await partition_counts(servers, [topic, "nowhere"]) == {topic: 3}


async def test_a_broker_that_is_not_there_is_named() -> None:
    (port,) = free_ports(1)
    for attempt in (
        ensure_topics([f"127.0.0.1:{port}"], [TopicSpec("t", 1)], timeout_s=2.0),
        partition_counts([f"127.0.0.1:{port}"], ["t"], timeout_s=2.0),
    ):
        with pytest.raises(BrokerUnavailable, match=f"127.0.0.1:{port} is unavailable while"):
            await attempt
