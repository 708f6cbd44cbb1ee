"""The commands that mend what stops a worker, on a real broker and a real Redis."""

import asyncio
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.new_partitions import NewPartitions
from click.testing import CliRunner, Result
from redis import Redis

from stream_app.cli import main
from stream_app.company import load_company
from stream_app.local.broker import LocalBroker
from stream_app.settings import Topics
from stream_app.state.keys import namespace
from stream_app.transport.groups import delete_topic, group_of
from stream_app.transport.publisher import Outgoing, Publisher, partition_of
from stream_app.transport.reading import TopicReader
from stream_app.transport.topics import contract_topics, ensure_topics, partition_counts
from tests.acceptance.worker_process import wait_until
from tests.faults.scene import Scene
from tests.faults.workers import Workers

VERSION = load_company(None).state_version


@pytest.fixture
def environment(broker: LocalBroker, redis_url: str, topic_prefix: str) -> dict[str, str]:
    return {
        "STREAM_APP_KAFKA": broker.bootstrap,
        "STREAM_APP_REDIS": redis_url,
        "STREAM_APP_TOPIC_PREFIX": topic_prefix,
        "STREAM_APP_SESSION_TIMEOUT_SECONDS": "3",
    }


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    with Workers(tmp_path) as workers:
        yield workers


def run(environment: Mapping[str, str], *arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments), env=dict(environment))


def prepare(environment: Mapping[str, str], *, records: int, keys: int) -> Topics:
    topics = Topics(environment["STREAM_APP_TOPIC_PREFIX"])

    async def create() -> None:
        servers = [environment["STREAM_APP_KAFKA"]]
        await ensure_topics(servers, contract_topics(topics, VERSION, 2))
        async with Publisher(servers) as publisher:
            await publisher.send_all(
                Outgoing(topics.events, b"k%d" % n, b"{}", None, (("h", b"1"),), 1_000 + n)
                for n in range(records)
            )

    asyncio.run(create())
    with Redis.from_url(environment["STREAM_APP_REDIS"]) as redis:
        for number in range(keys):
            redis.hset(f"{namespace(topics.prefix, VERSION)}:{{t:{number}}}:meta", "offset", 1)
        redis.set(f"{namespace(topics.prefix, 'abcdef0123')}:other", 1)
        redis.set("somebody else's", 1)
    return topics


def standing(environment: Mapping[str, str], topics: Topics) -> tuple[int, bool]:
    with Redis.from_url(environment["STREAM_APP_REDIS"]) as redis:
        keys = redis.dbsize()
    name = topics.partials(VERSION)
    return keys, name in asyncio.run(partition_counts([environment["STREAM_APP_KAFKA"]], [name]))


def test_without_yes_nothing_is_deleted(environment: dict[str, str]) -> None:
    topics = prepare(environment, records=10, keys=3)

    shown = run(environment, "rebuild")

    assert shown.exit_code == 1, shown.output
    assert f"state version {VERSION}: 3 keys in Redis" in shown.stdout
    assert f"and the topic {topics.partials(VERSION)}" in shown.stdout
    assert f"a rebuild reads 10 records of {topics.events}" in shown.stdout
    assert "nothing was deleted" in shown.stdout
    assert standing(environment, topics) == (5, True)


def test_with_yes_one_state_version_is_deleted_and_nothing_else(
    environment: dict[str, str],
) -> None:
    topics = prepare(environment, records=10, keys=3)

    done = run(environment, "rebuild", "--yes")

    assert done.exit_code == 0, done.output
    assert "now start the workers" in done.stdout
    assert standing(environment, topics) == (2, False)
    assert "there is nothing to delete" in run(environment, "rebuild", "--yes").stdout
    other = run(environment, "rebuild", "--state-version", "abcdef0123", "--yes")
    assert (other.exit_code, "start the workers" in other.stdout) == (0, False)
    assert standing(environment, topics) == (1, False)


def test_a_word_that_is_no_state_version_is_refused(environment: dict[str, str]) -> None:
    refused = run(environment, "rebuild", "--state-version", "*")

    assert refused.exit_code == 2
    assert "expected ten digits 0-9a-f" in refused.output


def test_a_state_that_workers_use_is_not_deleted(environment: dict[str, str]) -> None:
    topics = prepare(environment, records=0, keys=3)

    async def beside_a_member() -> tuple[int | None, str]:
        member = AIOKafkaConsumer(
            topics.ticks,
            bootstrap_servers=environment["STREAM_APP_KAFKA"],
            group_id=group_of(topics.prefix, VERSION),
        )
        await member.start()
        await asyncio.wait_for(member.seek_to_end(), 20)
        refused = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "stream_app", "rebuild", "--yes"),
            env=os.environ | environment,
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await refused.communicate()
        await member.stop()
        return refused.returncode, said.decode()

    status, said = asyncio.run(beside_a_member())

    assert status == 1
    assert "1 worker runs on it" in said
    assert standing(environment, topics) == (5, True)


def test_a_copied_log_has_every_record_once_and_each_key_in_its_partition(
    environment: dict[str, str],
) -> None:
    topics = prepare(environment, records=50, keys=0)
    asyncio.run(widen(environment["STREAM_APP_KAFKA"], topics.events, 3))
    prefix = f"{topics.prefix}wide."

    done = run(environment | {"STREAM_APP_PARTITIONS": "3"}, "copy-log", "--to-prefix", prefix)

    assert done.exit_code == 0, done.output
    assert f"50 records of {topics.events} copied to {prefix}crm.events" in done.stdout
    copied = asyncio.run(read(environment, f"{prefix}crm.events"))
    assert sorted(record.key for record in copied) == sorted(b"k%d" % n for n in range(50))
    assert all(record.partition == partition_of(record.key, 3) for record in copied)
    assert {(record.value, record.headers) for record in copied} == {(b"{}", (("h", b"1"),))}
    assert {record.timestamp for record in copied} == set(range(1_000, 1_050))
    again = run(environment, "copy-log", "--to-prefix", prefix)
    assert again.exit_code == 1
    assert "holds records already" in again.output


def test_a_log_is_not_copied_onto_itself(environment: dict[str, str]) -> None:
    same = run(environment, "copy-log", "--to-prefix", environment["STREAM_APP_TOPIC_PREFIX"])

    assert same.exit_code == 2


async def widen(server: str, topic: str, partitions: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=server)
    await admin.start()
    await admin.create_partitions({topic: NewPartitions(partitions)})
    await admin.close()


async def read(environment: Mapping[str, str], topic: str) -> list:
    kafka = {"bootstrap_servers": [environment["STREAM_APP_KAFKA"]]}
    async with await TopicReader.open(topic, kafka) as reader:
        return [record async for record in reader.read()]


def test_a_worker_whose_log_was_replaced_stops_and_is_mended_by_what_it_says(
    broker: LocalBroker, redis_url: str, topic_prefix: str, tmp_path: Path, workers: Workers
) -> None:
    where = (broker.bootstrap, redis_url)
    old = Scene(tmp_path / "old", *where, events=500, seed=3, prefix=topic_prefix)
    old.send(None)
    first = workers.start(old.environment, "first")
    old.await_counted(old.sent, 60, first.log_path)
    wait_until(lambda: old.left() == 0, 60, first.log_path)
    assert first.stop() == 0
    asyncio.run(delete_topic([broker.bootstrap], old.events_topic))
    new = Scene(tmp_path / "new", *where, events=300, seed=4, prefix=topic_prefix)
    new.send(None)

    second = workers.start(new.environment, "second")
    wait_until(lambda: second.exit_status is not None, 60, second.log_path)
    assert second.exit_status == 1
    told = second.log_path.read_text()
    assert "was deleted and created again" in told
    assert "run: stream-app rebuild --yes" in told

    assert run(new.environment, "rebuild", "--yes").exit_code == 0
    third = workers.start(new.environment, "third")
    new.await_counted(new.sent, 60, third.log_path)
    wait_until(lambda: new.left() == 0, 60, third.log_path)
    run(new.environment, "verify", "--republish", "--yes", "--wait", "2")
    verdict = new.verify(third.address)
    assert (verdict.status, verdict.differences) == (0, 0), verdict.text
    assert third.stop() == 0
