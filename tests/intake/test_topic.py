"""A real topic: what is sent is there, with its own time, and is recognised later."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from click.testing import CliRunner

from stream_app.cli.import_ import command
from stream_app.intake.checkpoint import record_digest
from stream_app.intake.publish import NotSent, Topic
from stream_app.local.broker import LocalBroker
from tests.intake.imports import DEALS, DEALS_HEADER, Folder

ROWS = DEALS_HEADER + "".join(
    f"{number},r-1,Basic,2017-03-01,won,2017-04-15,{number}\n" for number in range(300)
)


@pytest.fixture
async def admin(broker: LocalBroker) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    yield admin
    await admin.close()


@pytest.fixture
async def topic_name(admin: AIOKafkaAdminClient, topic_prefix: str) -> str:
    name = f"{topic_prefix}crm.events"
    await admin.create_topics([NewTopic(name, num_partitions=3, replication_factor=1)])
    return name


async def read(broker: LocalBroker, topic: str) -> list[Any]:
    """Everything in a topic, partition by partition."""
    consumer = AIOKafkaConsumer(bootstrap_servers=broker.bootstrap)
    await consumer.start()
    records = []
    try:
        partitions = [TopicPartition(topic, number) for number in range(3)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning()
        ends = await consumer.end_offsets(partitions)
        for partition in partitions:
            while await consumer.position(partition) < ends[partition]:
                records.append(await consumer.getone(partition))
    finally:
        await consumer.stop()
    return records


async def test_records_are_written_with_key_value_and_the_events_time(
    broker: LocalBroker, topic_name: str, folder: Folder
) -> None:
    sent = folder.records(DEALS, ROWS)

    async with Topic(topic_name, {"bootstrap_servers": [broker.bootstrap]}) as topic:
        written = await asyncio.gather(*[await topic.send(record) for record in sent])

    found = {(r.partition, r.offset): r for r in await read(broker, topic_name)}
    assert len(found) == len(sent)
    for record, place in zip(sent, written, strict=True):
        there = found[place.partition, place.offset]
        assert (there.key, there.value, there.timestamp) == (
            record.key,
            record.value,
            record.timestamp_ms,
        )


async def test_a_topic_knows_its_records_until_it_is_made_anew(
    broker: LocalBroker, admin: AIOKafkaAdminClient, topic_name: str, folder: Folder
) -> None:
    connection = {"bootstrap_servers": [broker.bootstrap]}
    last: dict[int, tuple[int, str]] = {}
    async with Topic(topic_name, connection) as topic:
        sent = folder.records(DEALS, ROWS)
        written = await asyncio.gather(*[await topic.send(record) for record in sent])
        for record, place in zip(sent, written, strict=True):
            last[place.partition] = place.offset, record_digest(record.value)

        assert await topic.still_has(last)
        assert await topic.still_has({})
        assert not await topic.still_has({0: (last[0][0], "another record")})
        assert not await topic.still_has({0: (last[0][0] + 1, last[0][1])})
        assert not await topic.still_has({7: (0, "no such partition")})

    await admin.delete_topics([topic_name])
    again = f"{topic_name}.again"
    await admin.create_topics([NewTopic(again, num_partitions=3, replication_factor=1)])
    async with Topic(again, connection) as topic:
        assert not await topic.still_has(last)


async def test_a_broker_that_is_not_there_is_named() -> None:
    with pytest.raises(NotSent, match=r"^no Kafka broker answers at 127\.0\.0\.1:1; start one"):
        async with Topic("crm.events", {"bootstrap_servers": ["127.0.0.1:1"]}):
            pass


def test_the_command_makes_the_topic_imports_once_and_then_nothing(
    broker: LocalBroker, topic_prefix: str, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.path)
    monkeypatch.setenv("STREAM_APP_KAFKA", broker.bootstrap)
    monkeypatch.setenv("STREAM_APP_TOPIC_PREFIX", topic_prefix)
    folder.write("mapping.yaml", DEALS)
    folder.write("rows.csv", ROWS)
    arguments = ["--mapping", "mapping.yaml", "rows.csv"]

    first = CliRunner().invoke(command, arguments)
    second = CliRunner().invoke(command, arguments)
    forced = CliRunner().invoke(command, [*arguments, "--restart"])

    assert [result.exit_code for result in (first, second, forced)] == [0, 0, 0]
    counts = "rows.csv: 300 rows\n  300 crm.deal.created.v1\n  300 crm.deal.won.v1\n"
    assert first.stdout == second.stdout == forced.stdout == counts
    assert second.stderr == "rows.csv: already complete: nothing is sent\n"
    assert sorted(path.name for path in folder.path.iterdir()) == [
        ".stream-app",
        "mapping.yaml",
        "rows.csv",
    ]


async def test_a_restart_writes_the_same_ids_and_data_again(
    broker: LocalBroker, topic_name: str, folder: Folder
) -> None:
    async with Topic(topic_name, {"bootstrap_servers": [broker.bootstrap]}) as topic:
        for generation_ms in (1, 2):
            for record in folder.records(DEALS, ROWS, generation_ms=generation_ms):
                await topic.send(record)

    events: dict[tuple[bytes, str], list[Any]] = {}
    for record in await read(broker, topic_name):
        value = msgspec.json.decode(record.value)
        said = (value["type"], value["time"], value["data"])
        events.setdefault((record.key, value["id"]), []).append(said)
    assert len(events) == 600
    assert all(one == other for one, other in events.values())
