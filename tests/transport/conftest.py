from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from stream_app.local.broker import LocalBroker
from stream_app.local.environment import bundled_wanted
from stream_app.local.redis_server import LocalRedis
from stream_app.state.client import Client, connect
from stream_app.transport.publisher import Outgoing, Publisher
from stream_app.transport.topics import TopicSpec, ensure_topics

MakeTopic = Callable[..., Awaitable[str]]
Send = Callable[..., Awaitable[None]]


@pytest.fixture
def servers(broker: LocalBroker) -> list[str]:
    return [broker.bootstrap]


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Client]:
    client = connect(redis_url)
    yield client
    await client.aclose()


@pytest.fixture
def make_topic(servers: list[str], topic_prefix: str) -> MakeTopic:
    async def make(name: str = "log", partitions: int = 1, **configs: str) -> str:
        dotted = {key.replace("_", "."): value for key, value in configs.items()}
        spec = TopicSpec(topic_prefix + name, partitions, dotted)
        await ensure_topics(servers, [spec])
        return spec.name

    return make


@pytest.fixture
async def publisher(servers: list[str]) -> AsyncIterator[Publisher]:
    async with Publisher(servers) as publisher:
        yield publisher


@pytest.fixture
def send(publisher: Publisher) -> Send:
    """Sends `count` records with the keys k0 … k9 in turn, spread evenly over the partitions."""

    async def send(topic: str, count: int, *, partitions: int = 1, value: bytes = b"x") -> None:
        await publisher.send_all(
            Outgoing(topic, b"k%d" % (n % 10), value, n % partitions) for n in range(count)
        )

    return send


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[LocalBroker]:
    broker = LocalBroker(tmp_path / "kafka", bundled=bundled_wanted())
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[LocalRedis]:
    server = LocalRedis(tmp_path / "redis", bundled=bundled_wanted())
    server.start()
    yield server
    server.kill()
