"""Workers as processes of their own: killed, frozen and woken, with the broker or Redis killed."""

import asyncio
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest

from stream_app.local.broker import LocalBroker
from stream_app.local.redis_server import LocalRedis
from stream_app.state.client import Client, connect
from stream_app.transport.publisher import Outgoing, Publisher
from stream_app.transport.topics import TopicSpec, ensure_topics
from tests.transport.conftest import MakeTopic, Send
from tests.transport.counting import NAMESPACE, counted

Start = Callable[..., Awaitable[asyncio.subprocess.Process]]
RECORDS = 20_000
TRUTH = Counter({b"k%d" % n: RECORDS // 10 for n in range(10)})


@dataclass
class Setting:
    """A log of `RECORDS` records, and the Redis that counts them."""

    server: str
    redis: Client
    redis_url: str
    topic: str


@pytest.fixture
async def setting(
    servers: list[str], redis: Client, redis_url: str, make_topic: MakeTopic, send: Send
) -> Setting:
    topic = await make_topic(partitions=4)
    await send(topic, RECORDS, partitions=4)
    return Setting(servers[0], redis, redis_url, topic)


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts a counting worker and returns when it consumes."""
    processes: list[asyncio.subprocess.Process] = []

    async def start(server: str, redis_url: str, topic: str) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.transport.counting", server, redis_url, topic, topic),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        processes.append(process)
        assert process.stdout is not None
        assert await process.stdout.readline() == b"started\n"
        return process

    yield start
    for process in processes:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def total(redis: Client, topic: str) -> int:
    try:
        return (await counted(redis, topic)).total()
    except Exception:  # noqa: BLE001 (Redis is being killed)
        return -1


async def until(redis: Client, topic: str, count: int, timeout_s: float = 40.0) -> None:
    async with asyncio.timeout(timeout_s):
        while await total(redis, topic) < count:  # noqa: ASYNC110 (another process counts)
            await asyncio.sleep(0.02)


async def test_killed_again_and_again_a_worker_counts_every_record_once(
    setting: Setting, start: Start
) -> None:
    redis, topic = setting.redis, setting.topic
    for reached in (4_000, 12_000):
        worker = await start(setting.server, setting.redis_url, topic)
        await until(redis, topic, reached)
        worker.kill()
        await worker.wait()
        assert await total(redis, topic) < RECORDS, "killed too late to show anything"
    await start(setting.server, setting.redis_url, topic)
    await until(redis, topic, RECORDS)
    assert await counted(redis, topic) == TRUTH


async def test_a_frozen_worker_that_wakes_up_changes_nothing(
    setting: Setting, start: Start, send: Send
) -> None:
    redis, topic = setting.redis, setting.topic
    zombie = await start(setting.server, setting.redis_url, topic)
    await until(redis, topic, 3_000)
    zombie.send_signal(signal.SIGSTOP)
    frozen_at = await total(redis, topic)
    assert frozen_at < RECORDS, "frozen too late to show anything"
    await start(setting.server, setting.redis_url, topic)
    await until(redis, topic, frozen_at + 2_000)
    zombie.send_signal(signal.SIGCONT)
    await until(redis, topic, RECORDS)
    assert await counted(redis, topic) == TRUTH
    # Whoever owns what by now: nobody is locked out.
    await send(topic, RECORDS, partitions=4)
    await until(redis, topic, 2 * RECORDS)
    assert await counted(redis, topic) == TRUTH + TRUTH


async def test_a_killed_redis_loses_nothing_that_the_log_still_has(
    servers: list[str], own_redis: LocalRedis, make_topic: MakeTopic, send: Send, start: Start
) -> None:
    topic = await make_topic(partitions=4)
    await send(topic, RECORDS, partitions=4)
    redis = connect(own_redis.url)
    await start(servers[0], own_redis.url, topic)
    for reached in (2_000, 8_000):
        await until(redis, topic, reached)
        own_redis.kill()
        own_redis.start()
    await until(redis, topic, RECORDS)
    assert await counted(redis, topic) == TRUTH
    await redis.aclose()


async def test_a_killed_broker_is_waited_for(
    own_broker: LocalBroker, redis: Client, redis_url: str, topic_prefix: str, start: Start
) -> None:
    topic = topic_prefix + "log"
    server = own_broker.bootstrap
    await ensure_topics([server], [TopicSpec(topic, 2)])

    async def send(count: int) -> None:
        async with Publisher([server]) as publisher:
            records = (Outgoing(topic, b"k%d" % (n % 10), b"x", n % 2) for n in range(count))
            await publisher.send_all(records)

    await send(RECORDS)
    await start(server, redis_url, topic)
    await until(redis, topic, 2_000)
    own_broker.kill()
    own_broker.start()
    await until(redis, topic, RECORDS)
    await send(100)
    await until(redis, topic, RECORDS + 100)
    assert await counted(redis, topic) == TRUTH + Counter(dict.fromkeys(TRUTH, 10))
    assert await redis.hget(f"{NAMESPACE}:{{{topic}:0}}:meta", "offset") == b"%d" % (
        (RECORDS + 100) // 2
    )
