"""What becomes of a partition's publishing task when the partition is given back."""

import asyncio
from typing import Any

from prometheus_client import CollectorRegistry

from stream_app.agents.outages import Outages
from stream_app.agents.partition_work import PartitionWork
from stream_app.agents.patience import Patience
from stream_app.metrics.health import Health
from stream_app.metrics.own import OwnMetrics
from stream_app.stages.ports import OutRecord
from stream_app.state.claims import Claims
from stream_app.state.client import connect

TOPIC = "crm.events"


class _Stage:
    async def begin(self) -> None:
        """Nothing to load."""

    async def take(self, records: Any, next_offset: int) -> None:
        """Not asked for here."""

    def farewell(self) -> list[OutRecord]:
        """Nothing is left behind."""
        return []


async def test_a_publishing_task_ends_even_where_a_library_swallows_its_cancellation(
    redis_url: str,
) -> None:
    redis = connect(redis_url)
    claims = Claims(redis, {TOPIC: "stream-app:test.v1"})
    own = OwnMetrics(CollectorRegistry(), started_at_s=0)
    publishing, fatal, tasks = asyncio.Event(), [], []

    async def swallowing(_: _Stage) -> bool:
        tasks.append(asyncio.current_task())
        publishing.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return False
        return False

    work = PartitionWork(
        TOPIC,
        new_stage=lambda _: _Stage(),
        publish=swallowing,
        claims=claims,
        patience=Patience(Outages(Health(), own)),
        own=own,
        reclaim=lambda _: None,
        rewind=lambda _: asyncio.sleep(0),
        halt=lambda _: None,
        fatal=fatal.append,
        farewell=lambda words: tasks.append(asyncio.ensure_future(words)),
    )
    await claims.claim((TOPIC, 0))
    await publishing.wait()

    claims.release([(TOPIC, 0)])

    await asyncio.wait_for(asyncio.gather(*tasks), 10)
    assert (work.stages, fatal) == ({}, [])
    await redis.aclose()
