from collections.abc import AsyncIterator

import pytest
from faust.stores import STORES

from stream_app.company import Company
from stream_app.state.client import Client, connect
from tests.stages.company import company


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Client]:
    client = connect(redis_url)
    yield client
    await client.aclose()


@pytest.fixture(autouse=True)
def _driver() -> None:
    STORES._maybe_finalize()


@pytest.fixture(scope="session")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """Now is the newest event."""
    return company(tmp_path_factory.mktemp("replayed"), clock="event")


@pytest.fixture(scope="session")
def ticking(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """Now is what the ticks say."""
    return company(tmp_path_factory.mktemp("ticking"))


@pytest.fixture(scope="session")
def dated(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """Now is a day of the past."""
    return company(tmp_path_factory.mktemp("dated"), as_of="2026-02-24")
