from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from stream_app.state.client import Client, connect
from stream_app.state.partition import PartitionState
from tests.state.flaky_proxy import FlakyProxy
from tests.state.redis_process import RedisProcess

NAMESPACE = "stream-app:test.v1"


@pytest.fixture(scope="session")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisProcess]:
    server = RedisProcess(tmp_path_factory.mktemp("redis"))
    yield server
    server.kill()


@pytest.fixture
async def redis(shared_redis: RedisProcess) -> AsyncIterator[Client]:
    client = connect(shared_redis.url)
    await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[Callable[..., RedisProcess]]:
    servers: list[RedisProcess] = []

    def start(**options: str) -> RedisProcess:
        servers.append(RedisProcess(tmp_path, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.kill()


@pytest.fixture
async def proxy(shared_redis: RedisProcess) -> AsyncIterator[FlakyProxy]:
    proxy = await FlakyProxy(shared_redis.port).start()
    yield proxy
    await proxy.stop()


@pytest.fixture
async def flaky(redis: Client, proxy: FlakyProxy) -> AsyncIterator[Client]:
    """A client whose requests pass the proxy; the database is empty."""
    assert await redis.dbsize() == 0
    client = connect(proxy.url)
    yield client
    await client.aclose()


@pytest.fixture
async def state(redis: Client) -> PartitionState:
    return await PartitionState.claim(redis, NAMESPACE, "crm.events", 3)
