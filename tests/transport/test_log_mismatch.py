"""A log that is not the one the state was built from stops the worker, with advice."""

import pytest
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.admin.new_partitions import NewPartitions
from aiokafka.structs import TopicPartition

from stream_app.state.client import Client, connect
from stream_app.state.keys import PartitionKeys
from stream_app.state.partition import PartitionState
from stream_app.transport.errors import LogMismatch, Mismatch
from stream_app.transport.log_facts import LogFacts, require_fit
from stream_app.transport.topics import TopicSpec, ensure_topics
from tests.transport.conftest import MakeTopic, Send
from tests.transport.counting import NAMESPACE, CountingWorker, counted

FACTS = LogFacts(begin=10, end=90, partition_count=4, topic_id="id-1")


def stored(offset: int | None, **meta: str) -> PartitionState:
    """A state as a claim would have found it; nothing is asked of Redis."""
    redis = connect("redis://127.0.0.1:1")
    state = PartitionState(redis, PartitionKeys("stream-app:v1", "t", 3), "t", 3)
    state.offset, state.meta = offset, dict(meta)
    return state


@pytest.mark.parametrize("offset", [None, 10, 50, 90])
def test_a_log_that_holds_what_comes_next_fits(offset: int | None) -> None:
    state = stored(offset, partition_count="4", topic_id="id-1")
    require_fit(state, FACTS)
    assert state.position == (10 if offset is None else offset)


def test_what_the_first_claim_stores_fits() -> None:
    require_fit(stored(50, **{name: str(value) for name, value in FACTS.pins.items()}), FACTS)


def test_a_broker_that_tells_no_topic_id_is_trusted() -> None:
    facts = LogFacts(begin=10, end=90, partition_count=4, topic_id=None)
    assert facts.pins["partition_count"] == 4
    assert "topic_id" not in facts.pins
    require_fit(stored(50, topic_id="id-1"), facts)


@pytest.mark.parametrize(
    ("offset", "meta", "what", "says", "mended_by"),
    [
        (91, {}, Mismatch.BEYOND_END, r"ends at offset 90, but it was read up to 91", "rebuild"),
        (9, {}, Mismatch.BEFORE_BEGINNING, r"1 records were deleted unread.*retention", "rebuild"),
        (50, {"topic_id": "id-0"}, Mismatch.RECREATED, r"deleted and created again", "rebuild"),
        (50, {"partition_count": "6"}, Mismatch.PARTITION_COUNT, r"has 4 .*from 6", "copy-log"),
    ],
)
def test_every_mismatch_is_named_with_the_command_that_mends_it(
    offset: int, meta: dict[str, str], what: Mismatch, says: str, mended_by: str
) -> None:
    with pytest.raises(LogMismatch, match=rf"^t/3: .*{says}.* stream-app {mended_by} ") as caught:
        require_fit(stored(offset, **meta), FACTS)
    assert caught.value.what is what


async def read_some(
    servers: list[str], redis: Client, topic: str, send: Send, count: int = 100
) -> None:
    await send(topic, count)
    async with CountingWorker(servers, redis, topic, topic) as worker:
        await worker.until_read(count)


async def failure_of(servers: list[str], redis: Client, topic: str) -> LogMismatch:
    """Starts a worker that must stop by itself, having counted nothing."""
    before = await counted(redis, topic)
    worker = CountingWorker(servers, redis, topic, topic)
    async with worker:
        await worker.until(lambda: bool(worker.failures))
        await worker.until(worker.app._crashed.is_set)
    (failure,) = worker.failures
    assert worker.consumer.failure is failure
    assert isinstance(failure, LogMismatch)
    assert await counted(redis, topic) == before
    return failure


async def test_a_topic_created_again_stops_the_worker(
    servers: list[str], redis: Client, make_topic: MakeTopic, send: Send
) -> None:
    topic = await make_topic()
    await read_some(servers, redis, topic, send)
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    await admin.delete_topics([topic])
    await admin.close()
    await ensure_topics(servers, [TopicSpec(topic, 1)])
    await send(topic, 200)  # longer than before: the offset alone would tell nothing
    assert (await failure_of(servers, redis, topic)).what is Mismatch.RECREATED


async def test_more_partitions_than_before_stop_the_worker(
    servers: list[str], redis: Client, make_topic: MakeTopic, send: Send
) -> None:
    topic = await make_topic()
    await read_some(servers, redis, topic, send)
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    await admin.create_partitions({topic: NewPartitions(2)})
    await admin.close()
    assert (await failure_of(servers, redis, topic)).what is Mismatch.PARTITION_COUNT


async def test_more_partitions_stop_a_running_worker_too(
    servers: list[str], redis: Client, make_topic: MakeTopic, send: Send
) -> None:
    topic = await make_topic()
    await send(topic, 100)
    worker = CountingWorker(servers, redis, topic, topic, consumer_metadata_max_age_ms=500)
    async with worker:
        await worker.until_read(100)
        admin = AIOKafkaAdminClient(bootstrap_servers=servers)
        await admin.start()
        await admin.create_partitions({topic: NewPartitions(2)})
        await admin.close()
        await worker.until(lambda: bool(worker.failures))
    assert isinstance(worker.failures[0], LogMismatch)


async def test_records_deleted_unread_stop_the_worker(
    servers: list[str], redis: Client, make_topic: MakeTopic, send: Send
) -> None:
    topic = await make_topic()
    await read_some(servers, redis, topic, send)
    await send(topic, 100)
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(150)})
    await admin.close()
    failure = await failure_of(servers, redis, topic)
    assert failure.what is Mismatch.BEFORE_BEGINNING
    assert "50 records were deleted unread" in str(failure)


async def test_a_log_shorter_than_what_was_read_stops_the_worker(
    servers: list[str], redis: Client, make_topic: MakeTopic, send: Send
) -> None:
    topic = await make_topic()
    await read_some(servers, redis, topic, send)
    await redis.hset(f"{NAMESPACE}:{{{topic}:0}}:meta", "offset", "101")
    assert (await failure_of(servers, redis, topic)).what is Mismatch.BEYOND_END


async def test_a_torn_state_stops_the_worker(
    servers: list[str], redis: Client, make_topic: MakeTopic, send: Send
) -> None:
    topic = await make_topic()
    await read_some(servers, redis, topic, send)
    await redis.hset(f"{NAMESPACE}:{{{topic}:0}}:meta", "torn", "101")
    async with CountingWorker(servers, redis, topic, topic) as worker:
        await worker.until(lambda: bool(worker.failures))
    assert "is torn" in str(worker.failures[0])
