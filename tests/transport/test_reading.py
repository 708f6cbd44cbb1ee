"""`TopicReader` on a real broker: holes, empty partitions, large records, outages."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from stream_app.local.broker import LocalBroker
from stream_app.transport.errors import BrokerUnavailable
from stream_app.transport.reading import NoSuchTopic, TopicReader

LARGE = 8 << 20


@pytest.fixture
def kafka(broker: LocalBroker) -> dict[str, Any]:
    return {"bootstrap_servers": [broker.bootstrap]}


@pytest.fixture
async def admin(broker: LocalBroker) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await client.start()
    yield client
    await client.close()


async def create(
    admin: AIOKafkaAdminClient,
    topic: str,
    partitions: int = 3,
    settings: Mapping[str, str] | None = None,
) -> None:
    await admin.create_topics([NewTopic(topic, partitions, 1, topic_configs=dict(settings or {}))])


async def send(
    kafka: Mapping[str, Any],
    topic: str,
    values: list[tuple[int, bytes]],
    **options: Any,
) -> None:
    async with AIOKafkaProducer(**kafka, **options) as producer:
        sent = [
            await producer.send(topic, value, key=b"k", partition=partition)
            for partition, value in values
        ]
        await asyncio.gather(*sent)


async def values(reader: TopicReader) -> list[tuple[int, bytes | None]]:
    return sorted([(r.partition, r.value) async for r in reader.read()])


async def test_everything_is_read_once_and_then_only_what_came_since(
    kafka: dict[str, Any], admin: AIOKafkaAdminClient, topic_prefix: str
) -> None:
    topic = f"{topic_prefix}t"
    await create(admin, topic)
    await send(kafka, topic, [(p, b"%d" % n) for p in (0, 2) for n in range(700)])
    async with await TopicReader.open(topic, kafka) as reader:
        assert reader.partitions == 3
        first = [r async for r in reader.read()]
        assert len(first) == 1400
        in_order = [r.offset for r in first if r.partition == 2]
        assert in_order == list(range(700))
        assert await values(reader) == []
        await send(kafka, topic, [(1, b"new"), (2, b"new")])
        assert await values(reader) == [(1, b"new"), (2, b"new")]
        assert [reader.position(p) for p in range(3)] == [700, 1, 701]


async def test_an_empty_topic_has_nothing_to_read(
    kafka: dict[str, Any], admin: AIOKafkaAdminClient, topic_prefix: str
) -> None:
    topic = f"{topic_prefix}t"
    await create(admin, topic)
    async with await TopicReader.open(topic, kafka) as reader:
        assert await values(reader) == []


async def test_progress_ends_at_the_total(
    kafka: dict[str, Any], admin: AIOKafkaAdminClient, topic_prefix: str
) -> None:
    topic = f"{topic_prefix}t"
    await create(admin, topic)
    await send(kafka, topic, [(p, b"x") for p in (0, 1, 1)])
    told: list[tuple[int, int]] = []
    async with await TopicReader.open(topic, kafka) as reader:
        async for _ in reader.read(lambda done, total: told.append((done, total))):
            pass
    assert told[-1] == (3, 3)


async def test_records_of_eight_mebibytes_are_read(
    kafka: dict[str, Any], admin: AIOKafkaAdminClient, topic_prefix: str
) -> None:
    topic = f"{topic_prefix}t"
    await create(admin, topic, settings={"max.message.bytes": str(LARGE + (1 << 20))})
    large = [(p, bytes([p, n]) + bytes(LARGE - 2)) for p in range(2) for n in range(2)]
    await send(kafka, topic, [*large, (0, b"after")], max_request_size=LARGE + (1 << 20))
    async with await TopicReader.open(topic, kafka) as reader:
        found = await values(reader)
    assert [(p, len(v or b"")) for p, v in found] == [
        (0, LARGE),
        (0, LARGE),
        (0, 5),
        (1, LARGE),
        (1, LARGE),
    ]


async def test_markers_and_aborted_records_of_transactions_are_passed_even_at_the_end(
    kafka: dict[str, Any], admin: AIOKafkaAdminClient, topic_prefix: str
) -> None:
    """A transaction's marker takes an offset that no record has: like a compacted one."""
    topic = f"{topic_prefix}t"
    await create(admin, topic, 2)
    async with AIOKafkaProducer(**kafka, transactional_id=topic) as producer:
        for n in range(4):
            await producer.begin_transaction()
            await producer.send_and_wait(topic, b"%d" % n, partition=0)
            await (producer.commit_transaction() if n % 2 == 0 else producer.abort_transaction())
    async with await TopicReader.open(topic, kafka, stall_seconds=5) as reader:
        assert await values(reader) == [(0, b"0"), (0, b"2")]
        assert reader.position(0) == 8


async def test_a_compacted_topic_is_read_over_its_holes(
    kafka: dict[str, Any], admin: AIOKafkaAdminClient, topic_prefix: str
) -> None:
    topic = f"{topic_prefix}t"
    compacting = {
        "cleanup.policy": "compact",
        "segment.ms": "100",
        "min.cleanable.dirty.ratio": "0.01",
        "delete.retention.ms": "0",
    }
    await create(admin, topic, 1, compacting)
    await set_broker(admin, {"log.cleaner.backoff.ms": "50"})  # default: 15 seconds
    async with AIOKafkaProducer(**kafka) as producer:
        for round_number in range(3):
            for key in range(20):
                await producer.send(topic, b"%d" % round_number, key=b"%d" % key, partition=0)
            await producer.flush()
            await asyncio.sleep(0.15)  # the broker closes a segment by its age
        await producer.send_and_wait(topic, b"last", key=b"last", partition=0)
    await compacted(kafka, topic, at_most=40)
    await set_broker(admin, {})
    async with await TopicReader.open(topic, kafka) as reader:
        found = [r async for r in reader.read()]
        assert reader.position(0) == 61
    latest = {r.key: r.value for r in found}
    assert len(found) < 61
    assert latest == {b"%d" % key: b"2" for key in range(20)} | {b"last": b"last"}


async def set_broker(admin: AIOKafkaAdminClient, settings: dict[str, str]) -> None:
    await admin.alter_configs([ConfigResource(ConfigResourceType.BROKER, "1", settings)])


async def compacted(kafka: Mapping[str, Any], topic: str, at_most: int) -> None:
    async with asyncio.timeout(60):
        while True:
            async with await TopicReader.open(topic, kafka) as reader:
                if len([r async for r in reader.read()]) <= at_most:
                    return
            await asyncio.sleep(0.2)


async def test_a_log_whose_beginning_is_gone_begins_later(
    kafka: dict[str, Any], admin: AIOKafkaAdminClient, topic_prefix: str
) -> None:
    topic = f"{topic_prefix}t"
    await create(admin, topic, 2)
    await send(kafka, topic, [(0, b"%d" % n) for n in range(5)])
    await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(3)})
    async with await TopicReader.open(topic, kafka) as reader:
        assert reader.begins == {0: 3, 1: 0}
        assert await values(reader) == [(0, b"3"), (0, b"4")]


async def test_only_the_last_records_are_read_when_asked_for(
    kafka: dict[str, Any], admin: AIOKafkaAdminClient, topic_prefix: str
) -> None:
    topic = f"{topic_prefix}t"
    await create(admin, topic, 2)
    await send(kafka, topic, [(0, b"%d" % n) for n in range(5)])
    async with await TopicReader.open(topic, kafka, last=1) as reader:
        assert await values(reader) == [(0, b"4")]


async def test_what_comes_after_reading_is_followed(
    kafka: dict[str, Any], admin: AIOKafkaAdminClient, topic_prefix: str
) -> None:
    topic = f"{topic_prefix}t"
    await create(admin, topic, 2)
    await send(kafka, topic, [(0, b"old"), (1, b"old")])
    async with await TopicReader.open(topic, kafka) as reader, asyncio.timeout(20):
        assert len(await values(reader)) == 2
        await send(kafka, topic, [(1, b"new")])
        async for run in reader.follow():
            assert [r.value for r in run] == [b"new"]
            break


async def test_whoever_stops_half_way_gets_the_records_again(
    kafka: dict[str, Any], admin: AIOKafkaAdminClient, topic_prefix: str
) -> None:
    topic = f"{topic_prefix}t"
    await create(admin, topic, 1)
    await send(kafka, topic, [(0, b"%d" % n) for n in range(5)])
    async with await TopicReader.open(topic, kafka) as reader:
        async for record in reader.read():
            assert record.offset == 0
            break
        assert len(await values(reader)) == 5


async def test_a_missing_topic_is_named(kafka: dict[str, Any], topic_prefix: str) -> None:
    with pytest.raises(NoSuchTopic, match=f"there is no topic {topic_prefix}nothing"):
        await TopicReader.open(f"{topic_prefix}nothing", kafka)


async def test_a_missing_broker_is_named() -> None:
    kafka = {"bootstrap_servers": ["127.0.0.1:1"]}
    with pytest.raises(BrokerUnavailable, match=r"127\.0\.0\.1:1 is unavailable.*STREAM_APP_KAFKA"):
        await TopicReader.open("t", kafka)


async def test_a_server_that_says_nothing_is_given_up() -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as silent:
        host, port = silent.sockets[0].getsockname()
        kafka = {"bootstrap_servers": [f"{host}:{port}"]}
        with pytest.raises(BrokerUnavailable, match="no answer within 0 s"):
            await TopicReader.open("t", kafka, connect_seconds=0.3)


async def test_a_fetch_that_waits_to_be_repeated_cancels_nobody_who_closes(
    kafka: dict[str, Any], admin: AIOKafkaAdminClient, topic_prefix: str
) -> None:
    topic = f"{topic_prefix}fetching"
    await create(admin, topic)
    reader = await TopicReader.open(topic, kafka)
    # What aiokafka does after a failed fetch: it sleeps, and whoever stops it waits for that.
    backing_off = asyncio.create_task(asyncio.sleep(60))
    reader._consumer._fetcher._pending_tasks.add(backing_off)
    await reader.close()
    assert backing_off.cancelled()
