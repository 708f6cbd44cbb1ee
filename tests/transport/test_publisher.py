import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import ConsumerRecord, TopicPartition

from stream_app.local.broker import LocalBroker
from stream_app.local.ports import free_ports
from stream_app.transport import publisher as publishing
from stream_app.transport.errors import BrokerUnavailable, PublishRejected
from stream_app.transport.publisher import Outgoing, Publisher, partition_of
from stream_app.transport.topics import TopicSpec, ensure_topics
from tests.transport.conftest import MakeTopic


async def everything(servers: Sequence[str], topic: str) -> list[ConsumerRecord[bytes, bytes]]:
    # Not seek_to_beginning(): while another reset is under way, aiokafka takes that one's answer.
    consumer = AIOKafkaConsumer(bootstrap_servers=list(servers), auto_offset_reset="earliest")
    await consumer.start()
    await consumer._client._wait_on_metadata(topic)
    tps = [TopicPartition(topic, p) for p in sorted(consumer.partitions_for_topic(topic) or ())]
    consumer.assign(tps)
    ends = await consumer.end_offsets(tps)
    found: list[ConsumerRecord[bytes, bytes]] = []
    while len(found) < sum(ends.values()):
        for records in (await consumer.getmany(timeout_ms=1000)).values():
            found += records
    await consumer.stop()
    return found


async def test_a_record_arrives_with_everything_it_had(
    servers: list[str], make_topic: MakeTopic, publisher: Publisher
) -> None:
    topic = await make_topic(partitions=3, retention_ms="-1")
    sent = Outgoing(
        topic, b"key", b"value", 2, [("reason", b"schema"), ("none", None)], 1_700_000_000_000
    )
    assert await publisher.send_all([sent, Outgoing(topic, b"key", None, 1)]) == 2
    first, second = sorted(await everything(servers, topic), key=lambda r: -r.partition)
    assert (first.partition, first.key, first.value) == (2, b"key", b"value")
    assert first.timestamp == 1_700_000_000_000
    assert tuple(first.headers) == (("reason", b"schema"), ("none", None))
    assert (second.partition, second.key, second.value, second.headers) == (1, b"key", None, ())


async def test_the_key_decides_the_partition_as_with_kafkas_own_producers(
    servers: list[str], make_topic: MakeTopic, publisher: Publisher
) -> None:
    ours, theirs = await make_topic("ours", 5), await make_topic("theirs", 5)
    keys = [b"key-%d" % n for n in range(200)]
    await publisher.send_all(Outgoing(ours, key, b"x") for key in keys)
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        for key in keys:
            await producer.send(theirs, b"x", key)
    places = [
        {record.key: record.partition for record in await everything(servers, topic)}
        for topic in (ours, theirs)
    ]
    assert places[0] == places[1]
    assert len(set(places[0].values())) == 5


@pytest.mark.parametrize(
    ("key", "java"),
    [(b"21", -973932308), (b"foobar", -790332482), (b"a-little-bit-long-string", -985981536)],
)
def test_the_hash_is_murmur2_as_in_java(key: bytes, java: int) -> None:
    for partitions in (1, 10, 1000):
        assert partition_of(key, partitions) == (java & 0x7FFFFFFF) % partitions


async def test_records_of_a_partition_keep_their_order_over_many_batches(
    servers: list[str], make_topic: MakeTopic, publisher: Publisher
) -> None:
    topic = await make_topic(partitions=2)
    for start in range(0, 3000, 1000):
        await publisher.send_all(
            Outgoing(topic, b"k", b"%d" % n + bytes(2000), n % 2)
            for n in range(start, start + 1000)
        )
    records = await everything(servers, topic)
    for partition in range(2):
        numbers = [int(r.value.rstrip(b"\0")) for r in records if r.partition == partition]
        assert numbers == [*range(partition, 3000, 2)]


async def test_calls_at_the_same_time_lose_nothing(
    servers: list[str], make_topic: MakeTopic, publisher: Publisher
) -> None:
    topic = await make_topic()
    await asyncio.gather(
        *(
            publisher.send_all([Outgoing(topic, b"k", b"%d-%d" % (call, n)) for n in range(50)])
            for call in range(20)
        )
    )
    values = [record.value for record in await everything(servers, topic)]
    assert sorted(values) == sorted(b"%d-%d" % (call, n) for call in range(20) for n in range(50))


async def test_nothing_to_send_needs_no_broker() -> None:
    assert await Publisher(["127.0.0.1:1"]).send_all([]) == 0


async def test_a_record_that_is_too_large_is_refused_and_the_next_ones_pass(
    servers: list[str], make_topic: MakeTopic, publisher: Publisher
) -> None:
    topic = await make_topic(max_message_bytes="100000")
    with pytest.raises(PublishRejected, match=r"larger than the topic's max\.message\.bytes"):
        await publisher.send_all([Outgoing(topic, b"k", bytes(200_000))])
    await publisher.send_all([Outgoing(topic, b"k", b"%d" % n) for n in range(10)])
    assert [record.value for record in await everything(servers, topic)] == [
        b"%d" % n for n in range(10)
    ]


async def test_a_record_of_five_megabytes_passes_where_the_topic_takes_it(
    servers: list[str], make_topic: MakeTopic, publisher: Publisher
) -> None:
    topic = await make_topic(max_message_bytes=str(8 << 20))
    await publisher.send_all([Outgoing(topic, b"k", bytes(5 << 20)), Outgoing(topic, b"k", b"x")])
    assert [len(r.value) for r in await everything(servers, topic)] == [5 << 20, 1]


async def test_a_topic_or_partition_that_is_not_there_is_named(
    make_topic: MakeTopic, publisher: Publisher
) -> None:
    topic = await make_topic()
    with pytest.raises(PublishRejected, match="topic nowhere does not exist; create it first"):
        await publisher.send_all([Outgoing("nowhere", b"k", b"x")])
    with pytest.raises(PublishRejected, match="has 1 partitions, none is 3"):
        await publisher.send_all([Outgoing(topic, b"k", b"x", 3)])


async def test_a_broker_that_is_not_there_is_named() -> None:
    (port,) = free_ports(1)
    publisher = Publisher([f"127.0.0.1:{port}"], send_timeout_s=1.0)
    with pytest.raises(BrokerUnavailable, match=f"Kafka at 127.0.0.1:{port} is unavailable while"):
        await publisher.start()
    with pytest.raises(BrokerUnavailable, match="correct STREAM_APP_KAFKA"):
        await publisher.send_all([Outgoing("t", b"k", b"x")])
    await publisher.stop()


async def test_a_clock_that_is_hours_ahead_is_named(
    make_topic: MakeTopic, publisher: Publisher
) -> None:
    topic = await make_topic()
    in_the_year_2096_ms = 4_000_000_000_000
    with pytest.raises(BrokerUnavailable, match="; set the clock of this machine, or the broker's"):
        await publisher.send_all([Outgoing(topic, b"k", b"v", timestamp_ms=in_the_year_2096_ms)])


async def test_what_was_pending_when_the_broker_died_arrives_once_and_in_order(
    own_broker: LocalBroker,
) -> None:
    servers = [own_broker.bootstrap]
    await ensure_topics(servers, [TopicSpec("log", 1)])
    async with Publisher(servers, send_timeout_s=1.5) as publisher:
        await publisher.send_all([Outgoing("log", b"k", b"0")])
        own_broker.kill()
        with pytest.raises(BrokerUnavailable, match="not done within"):
            await publisher.send_all([Outgoing("log", b"k", b"1")])
        await asyncio.to_thread(own_broker.start)
        for _ in range(20):
            try:
                await publisher.send_all([Outgoing("log", b"k", b"2")])
            except BrokerUnavailable:
                continue
            break
    values = [record.value for record in await everything(servers, "log")]
    assert values[:2] == [b"0", b"1"]
    assert set(values[2:]) == {b"2"}


async def test_stopping_waits_for_no_broker_for_long(own_broker: LocalBroker) -> None:
    servers = [own_broker.bootstrap]
    await ensure_topics(servers, [TopicSpec("log", 1)])
    publisher = Publisher(servers, send_timeout_s=0.5)
    await publisher.start()
    await publisher.send_all([Outgoing("log", b"k", b"0")])
    own_broker.kill()
    with pytest.raises(BrokerUnavailable):
        await publisher.send_all([Outgoing("log", b"k", b"1")])
    async with asyncio.timeout(10):
        await publisher.stop()


async def test_what_is_abandoned_never_arrives_later_and_others_send_again(
    servers: list[str], make_topic: MakeTopic, publisher: Publisher
) -> None:
    topic = await make_topic(partitions=1)
    given_up = asyncio.create_task(publisher.send_all([Outgoing(topic, b"k", b"given up", 0)] * 50))
    others = [
        asyncio.create_task(publisher.send_all([Outgoing(topic, b"k", b"%d" % n, 0)]))
        for n in range(20)
    ]
    await asyncio.sleep(0)
    given_up.cancel()
    await publisher.abandon()
    await publisher.send_all([Outgoing(topic, b"k", b"last words", 0)])
    sent = [record.value for record in await everything(servers, topic)]
    assert b"given up" not in sent[sent.index(b"last words") :]
    assert await asyncio.gather(*others) == [1] * 20
    sent = [record.value for record in await everything(servers, topic)]
    assert {b"%d" % n for n in range(20)} <= set(sent)


async def test_a_new_producer_begins_when_the_old_one_is_gone_even_if_nobody_waited_for_that(
    make_topic: MakeTopic, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = await make_topic(partitions=1)
    await publisher.send_all([Outgoing(topic, b"k", b"old")])
    may_go, happened = asyncio.Event(), list[str]()
    close, new = publishing._close, publishing.AIOKafkaProducer

    async def slow_close(producer: AIOKafkaProducer) -> None:
        await may_go.wait()
        await close(producer)
        happened.append("the old one is gone")

    def noted_new(**options: Any) -> AIOKafkaProducer:
        happened.append("a new one begins")
        return new(**options)

    with monkeypatch.context() as patch:
        patch.setattr(publishing, "_close", slow_close)
        patch.setattr(publishing, "AIOKafkaProducer", noted_new)
        abandoning = asyncio.create_task(publisher.abandon())
        await asyncio.sleep(0)
        abandoning.cancel()
        await asyncio.wait({abandoning})
        sending = asyncio.create_task(publisher.send_all([Outgoing(topic, b"k", b"new")]))
        await asyncio.sleep(0)
        may_go.set()
        assert await sending == 1
    assert happened == ["the old one is gone", "a new one begins"]
