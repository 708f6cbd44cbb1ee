"""How long stage two takes to evaluate scopes: all of them anew, and one event after the other.

    python -m tests.benchmarks.evaluating [events]

A simulated year of a company of 20 reps, both stages of it on a Redis of its own, topics in memory.
Processor time, so that other programs on the machine do not count. Not collected by pytest.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import yaml

from stream_app.company import load_company
from stream_app.local.redis_server import LocalRedis
from stream_app.simulate import Options, matching_configuration, simulate
from stream_app.state.client import connect
from tests.stages.company import Logged, placed
from tests.stages.outside import PARTIALS_PARTITIONS
from tests.stages.rig import Rig

LIVE = 200


async def measured(directory: Path, events: int) -> None:
    options = Options(
        start=datetime(2025, 3, 1, tzinfo=UTC),
        events=events,
        days=365.0,
        reps=20,
        teams=4,
        currencies=("EUR", "USD"),
        duplicates=0.0,
        disorder=0.0,
        bad=0.0,
        live_events=LIVE,
        rate=1.0,
        speed=60.0,
    )
    page = directory / "company.yaml"
    content = matching_configuration(options)
    content["business"] |= {"clock": "event"}
    page.write_text(yaml.safe_dump(content))
    records = [(r.timestamp_ms, r.key, r.value) for r in simulate(options)]
    log = placed(records)
    past, live = log[:-LIVE], log[-LIVE:]  # in each partition the last ones
    server = LocalRedis(directory / "redis")
    server.start()
    redis = connect(server.url)
    try:
        rig = Rig(redis, load_company(page), past)
        await rig.own_all()
        await rig.settle()
        await say_everything_again(rig)
        await follow(rig, live)
    finally:
        await redis.aclose()
        server.stop()


async def say_everything_again(rig: Rig) -> None:
    for partition in range(PARTIALS_PARTITIONS):
        await rig.own_scopes(partition)
    before = len(list(rig.topics.all("kpi.values")))
    took, scopes = await flushed(rig)
    said = len(list(rig.topics.all("kpi.values"))) - before
    print(f"all windows of {scopes:5d} scopes: {1_000 * took / scopes:7.2f} ms a scope, "
          f"{1e6 * took / said:5.1f} us a record, {said} records")  # fmt: skip


async def follow(rig: Rig, live: Sequence[Logged]) -> None:
    took, scopes, said = 0.0, 0, len(list(rig.topics.all("kpi.values")))
    for record in live:
        rig.extend([record])
        partition = record.partition
        await rig.take(partition)
        while await rig.publish(partition):
            pass
        for each in range(PARTIALS_PARTITIONS):
            await rig.evaluate(each)
        seconds, evaluated = await flushed(rig)
        took, scopes = took + seconds, scopes + evaluated
    said = len(list(rig.topics.all("kpi.values"))) - said
    print(f"{LIVE} events one by one:    {1_000 * took / scopes:7.2f} ms a scope, "
          f"{1_000 * took / LIVE:7.2f} ms an event, {scopes} scopes, {said} records")  # fmt: skip


async def flushed(rig: Rig) -> tuple[float, int]:
    """Processor seconds, and scopes evaluated."""
    scopes = 0
    began = time.process_time()
    for partition in range(PARTIALS_PARTITIONS):
        while (done := await rig.flush(partition)) is not None:
            scopes += len(done.current)
    return time.process_time() - began, scopes


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(measured(Path(name), int(sys.argv[1]) if len(sys.argv) > 1 else 6_000))
