from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from stream_app.state.client import Client, connect
from stream_app.state.partition import PartitionState
from tests.state.flaky_proxy import FlakyProxy
from tests.state.redis_process import RedisProcess

NAMESPACE = "stream-app:test.v1"
REAL, SIMULATED = "real Redis", "simulated Redis"
CONFORMANCE = (
    "test_partition",
    "test_partition_limits",
    "test_claims",
    "test_store",
    "test_rollback",
)
"""The suites that say what a Redis must be to the state: all of them pass them alike."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    module = metafunc.module.__name__.rpartition(".")[2]
    if module in CONFORMANCE and "redis" in metafunc.fixturenames:
        metafunc.parametrize("redis", [REAL, SIMULATED], indirect=True)


def simulated_redis() -> Client:
    """An empty Redis in memory."""
    pytest.importorskip("lupa", reason="new here: pip install -e '.[dev]'")
    from tests.simulation.redis_server import DirectClient, RedisServer  # noqa: PLC0415

    return DirectClient(RedisServer())


@pytest.fixture(scope="session")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisProcess]:
    server = RedisProcess(tmp_path_factory.mktemp("redis"))
    yield server
    server.kill()


@pytest.fixture
async def redis(request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    """An empty database: of a real Redis, or where asked for of the one that simulations use."""
    if getattr(request, "param", REAL) == SIMULATED:
        yield simulated_redis()
        return
    client = connect(request.getfixturevalue("shared_redis").url)
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
