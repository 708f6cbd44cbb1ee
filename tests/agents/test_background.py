"""What runs beside the agents never ends without a word (`Runtime.spawn`)."""

import asyncio
from pathlib import Path

import pytest

from stream_app.company import load_company
from stream_app.runtime import Runtime
from stream_app.settings import load


@pytest.fixture
def errors() -> list[BaseException]:
    return []


@pytest.fixture
async def runtime(errors: list[BaseException], tmp_path: Path) -> Runtime:
    config = tmp_path / "company.yaml"
    config.write_text("business: {timezone: UTC, currency: EUR}\n")
    settings = load({"STREAM_APP_CONFIG": str(config)})
    return Runtime(settings, load_company(config), fatal=errors.append)


async def ran(runtime: Runtime, error: BaseException) -> None:
    """Something that runs beside the agents ends like this."""

    async def work() -> None:
        raise error

    runtime.spawn(work(), "look")
    await asyncio.wait(runtime._tasks)


@pytest.mark.parametrize("error", [OSError("broken"), asyncio.CancelledError()])
async def test_whatever_ends_a_background_task_stops_the_worker(
    runtime: Runtime, errors: list[BaseException], error: BaseException
) -> None:
    await ran(runtime, error)
    assert len(errors) == 1


async def test_what_is_cancelled_while_the_worker_stops_is_no_error(
    runtime: Runtime, errors: list[BaseException]
) -> None:
    runtime.spawn(asyncio.sleep(60), "look")
    await asyncio.sleep(0)
    await runtime.stop()
    assert not errors
