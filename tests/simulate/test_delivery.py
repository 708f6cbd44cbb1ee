import asyncio
import io
from typing import Any

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from stream_app.local.broker import LocalBroker
from stream_app.simulate import SimRecord, simulate
from stream_app.simulate.delivery import CannotSend, JsonLinesOutlet, deliver, send
from tests.simulate.reading import EVERYTHING, options

_EIGHT_MIB = 8 * 1024 * 1024


class Basket:
    """An outlet that keeps what it gets, and when; it can ask to stop after so many."""

    def __init__(self, stop: asyncio.Event | None = None, stop_after: int = 0) -> None:
        self.records: list[SimRecord] = []
        self.at: list[float] = []
        self.is_settled = False
        self._stop = stop
        self._stop_after = stop_after

    async def put(self, record: SimRecord) -> None:
        self.records.append(record)
        self.at.append(asyncio.get_running_loop().time())
        if self._stop is not None and len(self.records) == self._stop_after:
            self._stop.set()

    async def settle(self) -> None:
        self.is_settled = True


async def test_all_records_arrive_in_order() -> None:
    basket = Basket()
    shown: list[int] = []
    assert await deliver(simulate(options()), basket, on_progress=shown.append) == 2_000
    assert basket.records == list(simulate(options()))
    assert basket.is_settled
    assert shown == [*range(200, 2_001, 200), 2_000]


async def test_no_record_is_put_before_it_is_due() -> None:
    records = [SimRecord(b"k", b"v", 0, due) for due in (0.0, 0.0, 0.02, 0.04)]
    basket = Basket()
    began = asyncio.get_running_loop().time()
    await deliver(records, basket)
    waited = [at - began for at in basket.at]
    assert all(wait >= r.due_seconds - 0.002 for wait, r in zip(waited, records, strict=True))


async def test_a_stop_takes_no_further_record_and_loses_none() -> None:
    stop = asyncio.Event()
    basket = Basket(stop, stop_after=7)
    simulation = simulate(options())
    assert await deliver(simulation, basket, stop=stop) == 7
    assert simulation.manifest.records == len(basket.records) == 7
    assert basket.is_settled


async def test_a_stop_ends_the_waiting() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.call_soon(stop.set)
    records = [SimRecord(b"k", b"v", 0, due) for due in (3_600.0, 7_200.0)]
    basket = Basket()
    async with asyncio.timeout(5):
        assert await deliver(records, basket, stop=stop) == 1  # the one it had taken


async def test_json_lines_tell_everything_but_are_always_utf_8() -> None:
    file = io.StringIO()
    records = [
        SimRecord(b"k", b'{"a":1}', 5),
        SimRecord(b"k", None, 6, 0.0, "not_json"),
        SimRecord(None, b"\xff", 7, 0.001, "not_json"),
    ]
    await deliver(records, JsonLinesOutlet(file))
    assert [msgspec.json.decode(line) for line in file.getvalue().splitlines()] == [
        {"key": "k", "timestamp_ms": 5, "value": '{"a":1}', "expected": "applied"},
        {"key": "k", "timestamp_ms": 6, "value": None, "expected": "not_json"},
        {"key": None, "timestamp_ms": 7, "value_base64": "/w==", "expected": "not_json"},
    ]


async def test_a_broker_that_is_not_there_is_named() -> None:
    with pytest.raises(CannotSend, match=r"no Kafka broker answers at 127\.0\.0\.1:1"):
        await send([], ["127.0.0.1:1"], "crm.events")


async def test_a_missing_topic_is_named(broker: LocalBroker, topic_prefix: str) -> None:
    with pytest.raises(CannotSend, match=f"no topic {topic_prefix}nowhere"):
        await send([], [broker.bootstrap], f"{topic_prefix}nowhere")


async def test_the_topic_holds_exactly_the_records_and_keys_keep_their_partition(
    broker: LocalBroker, topic_prefix: str
) -> None:
    topic = f"{topic_prefix}crm.events"
    run = options(**EVERYTHING, with_too_large=True)
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    configs = {"retention.ms": "-1", "max.message.bytes": str(_EIGHT_MIB)}
    await admin.create_topics([NewTopic(topic, 3, 1, topic_configs=configs)])
    await admin.close()
    simulation = simulate(run)
    sent = await send(simulation, [broker.bootstrap], topic)
    assert sent == simulation.manifest.records

    partitions = [TopicPartition(topic, number) for number in range(3)]
    consumer = AIOKafkaConsumer(bootstrap_servers=broker.bootstrap)
    await consumer.start()
    consumer.assign(partitions)
    await consumer.seek_to_beginning(*partitions)
    read: list[Any] = []
    while len(read) < sent:
        for batch in (await consumer.getmany(timeout_ms=5_000)).values():
            read.extend(batch)
    ends = await consumer.end_offsets(partitions)
    await consumer.stop()
    assert sum(ends.values()) == sent
    by_key: dict[bytes | None, list[tuple[int, bytes | None, int]]] = {}
    for record in read:
        by_key.setdefault(record.key, []).append((record.partition, record.value, record.timestamp))
    made: dict[bytes | None, list[tuple[bytes | None, int]]] = {}
    for record in simulate(run):
        made.setdefault(record.key, []).append((record.value, record.timestamp_ms))
    assert by_key.keys() == made.keys()
    for key, records in made.items():
        if key is not None:
            assert len({partition for partition, *_ in by_key[key]}) == 1
            assert [(value, at) for _, value, at in by_key[key]] == records
    assert len(by_key[None]) == len(made[None])
