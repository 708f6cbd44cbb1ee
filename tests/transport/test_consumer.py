"""Batches from the stored offset on, on a real broker and a real Redis."""

import asyncio
from collections import Counter

import faust
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import ConsumerStoppedError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.types import TP

from stream_app.local.redis_server import LocalRedis
from stream_app.state.client import Client, connect
from stream_app.state.partition import PartitionState
from stream_app.transport.batch import Batch
from stream_app.transport.transport import batch_app
from tests.transport.conftest import MakeTopic, Send
from tests.transport.counting import NAMESPACE, CountingWorker, counted


def evenly(count: int) -> Counter[bytes]:
    return Counter({b"k%d" % n: count // 10 for n in range(10)})


async def test_every_record_comes_once_in_contiguous_batches_of_one_partition(
    servers: list[str], redis: Client, make_topic: MakeTopic, send: Send
) -> None:
    topic = await make_topic(partitions=4)
    await send(topic, 20_000, partitions=4)
    async with CountingWorker(servers, redis, topic, topic, batch_records=300) as worker:
        await worker.until_read(20_000)
        assert worker.consumer.positioning.waiting == {}
        assert worker.consumer.positioning.gaps == 0
    assert await counted(redis, topic) == evenly(20_000)
    for partition in range(4):
        own = [batch for batch in worker.batches if batch.partition == partition]
        assert [batch.start for batch in own] == [0, *(batch.end for batch in own[:-1])]
        for batch in own:
            assert [record.offset for record in batch.records] == [*range(batch.start, batch.end)]
            assert {(record.topic, record.partition) for record in batch.records} == {batch.tp}
            assert len(batch) <= 300
            assert batch.log_end == 5000


async def test_a_restarted_worker_goes_on_at_redis_offset_whatever_kafka_remembers(
    servers: list[str], redis: Client, make_topic: MakeTopic, send: Send
) -> None:
    topic = await make_topic()
    await send(topic, 1000)
    async with CountingWorker(servers, redis, topic, topic) as worker:
        await worker.until_read(1000)
    for total, forged in ((1100, 1100), (1200, 3)):
        await forge_kafka_offset(servers, topic, forged)
        await send(topic, 100)
        async with CountingWorker(servers, redis, topic, topic) as worker:
            await worker.until_read(total)
            assert worker.batches[0].start == total - 100
    assert await counted(redis, topic) == evenly(1200)


async def test_kafka_is_told_the_stored_offset(
    servers: list[str], redis: Client, make_topic: MakeTopic, send: Send
) -> None:
    topic = await make_topic()
    await send(topic, 70)
    tp = TopicPartition(topic, 0)
    async with CountingWorker(servers, redis, topic, topic) as worker:
        await worker.until_read(70)
        await worker.until(lambda: worker.consumer._committed_offset[TP(topic, 0)] == 70)
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, group_id=topic)
    await consumer.start()
    assert await consumer.committed(tp) == 70
    await consumer.stop()


async def test_a_rewound_partition_is_read_again_and_counted_once(
    servers: list[str], redis: Client, make_topic: MakeTopic, send: Send
) -> None:
    topic = await make_topic()
    await send(topic, 100)
    async with CountingWorker(servers, redis, topic, topic, batch_records=10) as worker:
        await worker.until_read(100)
        old = worker.batches[-1]
        assert await worker.consumer.rewind((topic, 0), 30, epoch=old.epoch)
        assert not await worker.consumer.rewind((topic, 0), 0, epoch=old.epoch)
        await worker.until(lambda: worker.batches[-1].end == 100 and worker.batches[-1] is not old)
        again = [batch for batch in worker.batches if batch.epoch > old.epoch]
        assert (again[0].start, again[-1].end) == (30, 100)
        await send(topic, 100)
        await worker.until_read(200)
    assert await counted(redis, topic) == evenly(200)


async def test_a_batch_lost_on_its_way_is_read_again(
    servers: list[str], redis: Client, make_topic: MakeTopic, send: Send
) -> None:
    topic = await make_topic()
    await send(topic, 1000)
    worker = CountingWorker(servers, redis, topic, topic, batch_records=50)
    lost: set[int] = set()

    def lose(batch: Batch) -> bool:
        if batch.start in (0, 200, 250, 500) and batch.start not in lost:
            lost.add(batch.start)
            return True
        return False

    worker.lose = lose
    async with worker:
        await worker.until_read(1000)
    assert lost == {0, 200, 250, 500}
    assert await counted(redis, topic) == evenly(1000)


async def test_records_that_the_fetcher_skips_are_noticed_and_read_again(
    servers: list[str], redis: Client, make_topic: MakeTopic, send: Send
) -> None:
    topic = await make_topic()
    await send(topic, 100)
    async with CountingWorker(servers, redis, topic, topic) as worker:
        await worker.until_read(100)
        await worker.consumer._thread.call_thread(_seek, worker, topic, 150)
        await send(topic, 200)
        await worker.until_read(300)
        assert worker.consumer.positioning.gaps == 1
    assert await counted(redis, topic) == evenly(300)


async def _seek(worker: CountingWorker, topic: str, offset: int) -> None:
    worker.consumer._thread._ensure_consumer().seek(TopicPartition(topic, 0), offset)


async def test_aborted_records_never_happened_and_their_holes_stop_nothing(
    servers: list[str], redis: Client, make_topic: MakeTopic
) -> None:
    topic = await make_topic()
    producer = AIOKafkaProducer(bootstrap_servers=servers, transactional_id=topic)
    await producer.start()
    for n in range(30):
        await producer.begin_transaction()
        for _ in range(3):
            await producer.send_and_wait(topic, b"x", b"k%d" % (n % 10), 0)
        await (producer.abort_transaction() if n % 3 else producer.commit_transaction())
    await producer.stop()
    async with CountingWorker(servers, redis, topic, topic, batch_records=4) as worker:
        await worker.until_read(30 * 4)  # the markers count as offsets, also the last one
        assert worker.consumer.positioning.gaps == 0
    assert await counted(redis, topic) == Counter({b"k%d" % (n % 10): 3 for n in range(0, 30, 3)})
    assert any(len(batch) < batch.end - batch.start for batch in worker.batches)


async def test_a_record_larger_than_a_fetch_passes(
    servers: list[str], redis: Client, make_topic: MakeTopic, send: Send
) -> None:
    topic = await make_topic(max_message_bytes=str(8 << 20))
    await send(topic, 3)
    await send(topic, 2, value=bytes(6 << 20))
    await send(topic, 3)
    async with CountingWorker(servers, redis, topic, topic) as worker:
        await worker.until_read(8)
    assert (await counted(redis, topic)).total() == 8


async def test_while_redis_is_away_the_partition_waits_and_says_for_what(
    servers: list[str], own_redis: LocalRedis, make_topic: MakeTopic, send: Send
) -> None:
    topic = await make_topic()
    await send(topic, 100)
    own_redis.stop()
    redis = connect(own_redis.url)
    async with CountingWorker(servers, redis, topic, topic) as worker:
        await worker.until(lambda: "unavailable" in str(worker.consumer.positioning.waiting))
        (reason,) = worker.consumer.positioning.waiting.values()
        assert f"Redis at 127.0.0.1:{own_redis.port} is unavailable: connection" in reason
        assert worker.batches == []
        own_redis.start()
        await worker.until_read(100)
        assert worker.consumer.positioning.waiting == {}
        own_redis.restart()
        await send(topic, 100)
        await worker.until_read(200)
    assert await counted(redis, topic) == evenly(200)
    await redis.aclose()


async def test_whoever_is_fenced_by_a_late_claim_gets_the_partition_back(
    servers: list[str], redis: Client, make_topic: MakeTopic, send: Send
) -> None:
    topic = await make_topic()
    await send(topic, 100)
    async with CountingWorker(servers, redis, topic, topic) as worker:
        await worker.until_read(100)
        zombie = await PartitionState.claim(redis, NAMESPACE, topic, 0)
        await send(topic, 100)
        await worker.until_read(200)
        assert [fenced.which for fenced in worker.fences] == ["owner"]
        assert worker.claims[topic, 0].previous_owner == zombie.token
    assert await counted(redis, topic) == evenly(200)


async def test_an_emptied_redis_is_filled_again_from_the_log(
    servers: list[str], redis: Client, make_topic: MakeTopic, send: Send
) -> None:
    topic = await make_topic()
    await send(topic, 100)
    async with CountingWorker(servers, redis, topic, topic) as worker:
        await worker.until_read(100)
        await redis.flushall()
        await send(topic, 100)
        await worker.until(lambda: bool(worker.fences))
        await worker.until_read(200)
    assert await counted(redis, topic) == evenly(200)


async def test_the_group_confirms_nothing_that_is_not_ours(
    servers: list[str], redis: Client, make_topic: MakeTopic
) -> None:
    topic = await make_topic()
    async with CountingWorker(servers, redis, topic, topic) as worker:
        await worker.until(lambda: bool(worker.consumer.positioning.ready))
        thread = worker.consumer._thread
        assert await thread.confirm_membership(TP(topic, 0), 0)
        assert not await thread.confirm_membership(TP(topic, 7), 0)


async def test_workers_share_the_partitions_and_nothing_is_counted_twice(
    servers: list[str], redis: Client, make_topic: MakeTopic, send: Send
) -> None:
    topic = await make_topic(partitions=4)
    await send(topic, 2000, partitions=4)
    async with CountingWorker(servers, redis, topic, topic) as first:
        await first.until_read(2000)
        async with CountingWorker(servers, redis, topic, topic) as second:
            await first.until(lambda: len(list(first.claims)) == len(list(second.claims)) == 2)
            kept = [state.unchanged for state in first.claims]
            assert kept == [True, True]  # an eager rebalance takes all partitions away and back
            assert not any(state.unchanged for state in second.claims)
            await send(topic, 2000, partitions=4)
            await second.until_read(2000)
        await send(topic, 2000, partitions=4)
        await first.until_read(6000)
    assert await counted(redis, topic) == evenly(6000)


async def test_a_rebalance_in_the_middle_of_full_buffers_loses_nothing(
    servers: list[str], redis: Client, make_topic: MakeTopic, send: Send
) -> None:
    topic = await make_topic(partitions=4)
    await send(topic, 8000, partitions=4)
    async with CountingWorker(servers, redis, topic, topic, batch_records=20) as first:
        first.pause_s = 0.01
        (channel,) = first.app.topics
        await first.until(channel.queue.full)
        async with CountingWorker(servers, redis, topic, topic, batch_records=20) as second:
            await second.until(lambda: len(second.batches) > 20)
        await first.until(lambda: len(list(first.claims)) == 4)
        first.pause_s = 0.0
        await first.until_read(8000)
        assert not first.failures
    assert await counted(redis, topic) == evenly(8000)


async def test_a_worker_that_cannot_fetch_for_long_stays_in_its_group(
    servers: list[str], redis: Client, make_topic: MakeTopic
) -> None:
    topic = await make_topic()
    worker = CountingWorker(servers, redis, topic, topic)
    assert worker.app.conf.broker_max_poll_interval > 365 * 86_400


async def test_a_stateless_topic_keeps_fausts_ways(
    servers: list[str], redis: Client, make_topic: MakeTopic, send: Send
) -> None:
    stateful, plain = await make_topic("stateful"), await make_topic("plain")
    await send(plain, 20)
    worker = CountingWorker(servers, redis, stateful, stateful)
    values: list[object] = []

    async def collect(stream: faust.Stream[bytes]) -> None:
        async for value in stream:
            values.append(value)  # noqa: PERF401

    topic = worker.app.topic(plain, value_type=bytes, value_serializer="raw")
    worker.app.agent(topic, name="collect")(collect)
    async with worker:
        await send(stateful, 20)
        await worker.until_read(20)
        await worker.until(lambda: len(values) == 20)
    assert set(values) == {b"x"}


async def test_a_slow_agent_is_not_slowed_further_by_full_buffers(
    servers: list[str], redis: Client, make_topic: MakeTopic, send: Send
) -> None:
    topic = await make_topic(partitions=2)
    await send(topic, 4000, partitions=2)
    async with CountingWorker(servers, redis, topic, topic, batch_records=20) as worker:
        await worker.until(lambda: bool(worker.batches))
        started = asyncio.get_running_loop().time()
        await worker.until_read(4000)
        took_s = asyncio.get_running_loop().time() - started
    assert len(worker.batches) == 200
    assert took_s < 3  # Faust sleeps for a second each time that all buffers are full


async def test_an_app_without_stateful_topics_starts_too(
    servers: list[str], redis: Client, make_topic: MakeTopic
) -> None:
    topic = await make_topic()
    worker = CountingWorker(servers, redis, topic, topic)
    assert worker.app.conf.broker_session_timeout == 3.0
    app = batch_app(f"{topic}-empty", servers, claims=worker.claims)
    app.finalize()
    await app.start()
    await app.stop()


async def forge_kafka_offset(servers: list[str], topic: str, offset: int) -> None:
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, group_id=topic)
    await consumer.start()
    tp = TopicPartition(topic, 0)
    consumer.assign([tp])
    await consumer.commit({tp: OffsetAndMetadata(offset, "")})
    await consumer.stop()


async def test_a_stopped_consumer_says_so_when_it_is_asked_for_the_ends_of_a_log(
    servers: list[str], redis: Client, make_topic: MakeTopic, send: Send
) -> None:
    topic = await make_topic(partitions=2)
    await send(topic, 10, partitions=2)
    async with CountingWorker(servers, redis, topic, topic) as worker:
        await worker.until_read(10)
        assert await worker.consumer.log_ends(topic, [0, 1]) == {0: 5, 1: 5}
    with pytest.raises(ConsumerStoppedError):
        await worker.consumer.log_ends(topic, [0])
