"""Rather stop than count wrong: whole workers whose log or state does not fit."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, RecordsToDelete
from aiokafka.structs import TopicPartition
from redis import Redis

from stream_app.local.broker import LocalBroker
from stream_app.stages.scopes import SCOPE_CELLS
from stream_app.state.keys import PartitionKeys
from stream_app.wire.partial import decode_cell, encode_value
from tests.acceptance.worker_process import wait_until
from tests.faults.scene import PARTITIONS, Scene
from tests.faults.workers import Workers


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    with Workers(tmp_path) as workers:
        yield workers


@pytest.fixture
def scene(
    broker: LocalBroker, redis_url: str, topic_prefix: str, tmp_path: Path
) -> Iterator[Scene]:
    """A small company; its workers are fenced after three seconds."""
    where = (tmp_path / "scene", broker.bootstrap, redis_url)
    scene = Scene(*where, events=400, seed=5, prefix=topic_prefix, session_seconds=3)
    yield scene
    scene.close()


def meta(scene: Scene, partition: int) -> str:
    return PartitionKeys(scene.namespace, scene.events_topic, partition).meta.decode()


def last_words(workers: Workers, scene: Scene, name: str) -> str:
    """What a worker that stops by itself says in the end."""
    worker = workers.start(scene.environment, name)
    wait_until(lambda: worker.exit_status is not None, 60, worker.log_path)
    assert worker.exit_status == 1, worker.log
    (told,) = [line for line in worker.log.splitlines() if "the worker stops: " in line]
    return told


def test_a_worker_stops_where_its_log_or_state_does_not_fit_and_says_what_mends_it(
    scene: Scene, redis_url: str, workers: Workers
) -> None:
    scene.send(300)
    worker = workers.start(scene.environment, "first")
    scene.await_counted(300, 60, worker.log_path)
    assert worker.stop() == 0
    read = scene.offsets()
    at = max(range(PARTITIONS), key=read.__getitem__)

    with Redis.from_url(redis_url) as redis:
        redis.hset(meta(scene, at), "offset", read[at] + 7)
        beyond = last_words(workers, scene, "beyond the end")
        redis.hset(meta(scene, at), mapping={"offset": read[at], "torn": read[at] + 1})
        torn = last_words(workers, scene, "torn")
        redis.hdel(meta(scene, at), "torn")
    scene.send(None)
    asyncio.run(delete_all(scene))
    unread = last_words(workers, scene, "unread")
    asyncio.run(widen(scene))
    wider = last_words(workers, scene, "wider")

    rebuild = "stop the workers and run: stream-app rebuild --yes"
    assert f"the log ends at offset {read[at]}, but it was read up to {read[at] + 7}" in beyond
    assert rebuild in beyond
    assert f"a commit up to offset {read[at] + 1} began and did not end" in torn
    assert rebuild in torn.replace("Stop", "stop")
    assert "records were deleted unread. Give the topic a longer retention.ms" in unread
    assert rebuild in unread
    assert f"has {PARTITIONS + 1} partitions, the state was built from {PARTITIONS}" in wider
    assert f"STREAM_APP_PARTITIONS={PARTITIONS + 1} stream-app copy-log --to-prefix NEW." in wider


async def delete_all(scene: Scene) -> None:
    """Retention takes what nobody has read."""
    admin = AIOKafkaAdminClient(bootstrap_servers=list(scene.settings.kafka))
    await admin.start()
    everything = RecordsToDelete(before_offset=-1)
    tps = [TopicPartition(scene.events_topic, number) for number in range(PARTITIONS)]
    await admin.delete_records(dict.fromkeys(tps, everything))
    await admin.close()


async def widen(scene: Scene) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=list(scene.settings.kafka))
    await admin.start()
    await admin.create_partitions({scene.events_topic: NewPartitions(PARTITIONS + 1)})
    await admin.close()


def test_a_worker_beside_which_its_state_is_changed_sees_the_two_stages_differ(
    scene: Scene, redis_url: str, workers: Workers
) -> None:
    scene.send(60)
    worker = workers.start(scene.environment, "worker")
    scene.await_counted(60, 60, worker.log_path)
    wait_until(lambda: scene.left() == 0, 60, worker.log_path)

    def divergence() -> float:
        found = {name: value for name, _, value in worker.samples()}
        return found.get("stream_app_audit_divergence", -1.0)

    assert divergence() == 0
    with Redis.from_url(redis_url) as redis:
        falsify(redis, scene)
    wait_until(lambda: divergence() > 0, 60, worker.log_path)

    assert re.search(r"ERROR .* the two stages differ in \d+ cells, so KPIs are wrong", worker.log)
    assert "stream-app verify; mend: stream-app rebuild" in worker.log
    assert worker.stop() == 0


def falsify(redis: "Redis[bytes]", scene: Scene) -> None:
    """Make all that stage two holds of the company wrong."""
    for number in range(PARTITIONS):
        keys = PartitionKeys(scene.namespace, scene.partials, number)
        name = keys.of((SCOPE_CELLS, b"company|all"))
        for field, value in redis.hgetall(name).items():
            cell = decode_cell(value)
            measures = {measure: total + 1 for measure, total in cell.measures.items()}
            wrong = msgspec.structs.replace(cell, measures=measures)
            redis.hset(name, field, encode_value(wrong))
