"""What a partition's work does with its batches, and with its publishing task when it is over."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import pytest
from prometheus_client import CollectorRegistry

from stream_app.agents.outages import Outages
from stream_app.agents.partition_work import PartitionWork
from stream_app.agents.patience import Patience
from stream_app.metrics.health import Health
from stream_app.metrics.own import OwnMetrics
from stream_app.stages.ports import OutRecord
from stream_app.state.claims import Claims
from stream_app.state.client import connect
from stream_app.state.errors import CommitTooLarge
from stream_app.state.partition import PartitionState
from stream_app.transport.batch import Batch

TOPIC = "crm.events"


class _Stage:
    publications = 0
    has_words = False
    stopped: object = None

    async def begin(self) -> None:
        """Nothing to load."""

    async def take(self, records: Any, next_offset: int) -> None:
        """Not asked for here."""

    def farewell(self) -> list[OutRecord]:
        """Nothing is left behind."""
        return []

    def __init__(self) -> None:
        self.is_over = asyncio.Event()

    async def let_go(self) -> None:
        """Nothing was kept."""
        self.is_over.set()


def _work(
    claims: Claims,
    new_stage: Callable[[PartitionState], Any],
    publish: Callable[[Any], Awaitable[bool]],
    fatal: list[BaseException],
    tasks: list[Any],
    *,
    is_stopping: bool = False,
) -> PartitionWork[Any]:
    own = OwnMetrics(CollectorRegistry(), started_at_s=0)
    return PartitionWork(
        TOPIC,
        new_stage=new_stage,
        publish=publish,
        claims=claims,
        patience=Patience(Outages(Health(), own)),
        own=own,
        reclaim=lambda _: None,
        rewind=lambda _: asyncio.sleep(0),
        halt=lambda _: None,
        fatal=fatal.append,
        is_stopping=lambda: is_stopping,
        farewell=lambda words: tasks.append(asyncio.ensure_future(words)),
    )


async def _nothing_to_publish(_: Any) -> bool:
    return False


class _Record(NamedTuple):
    offset: int
    timestamp: int
    key: bytes
    value: bytes


class _Narrow(_Stage):
    """Commits three records at a time, and no more."""

    def __init__(self, state: PartitionState) -> None:
        super().__init__()
        self._state = state
        self.ends: list[int] = []

    async def take(self, records: Any, next_offset: int) -> list[int]:
        if len(records) > 3:
            raise CommitTooLarge(f"{len(records)} records")
        await self._state.commit(self._state.offset, next_offset)
        self.ends.append(next_offset)
        return [record.offset for record in records]


async def test_a_batch_that_is_too_large_for_one_commit_is_taken_in_halves(
    redis_url: str,
) -> None:
    redis = connect(redis_url)
    claims = Claims(redis, {TOPIC: "stream-app:halves.v1"})
    fatal, tasks = [], []
    work = _work(claims, _Narrow, _nothing_to_publish, fatal, tasks)
    await claims.claim((TOPIC, 0))
    records = [_Record(offset, 0, b"k", b"v") for offset in range(10)]

    taken = await work.take(Batch(TOPIC, 0, records, 0, 12, 12))

    assert taken == ([0, 1], [2, 3, 4], [5, 6], [7, 8, 9])
    stage = work.stages[0]
    assert stage.ends == [2, 5, 7, 12]
    claims.release([(TOPIC, 0)])
    await asyncio.wait_for(stage.is_over.wait(), 10)
    await asyncio.wait_for(asyncio.gather(*tasks), 10)
    assert fatal == []
    await redis.aclose()


async def test_a_publishing_task_ends_even_where_a_library_swallows_its_cancellation(
    redis_url: str,
) -> None:
    redis = connect(redis_url)
    claims = Claims(redis, {TOPIC: "stream-app:test.v1"})
    publishing, fatal, tasks = asyncio.Event(), [], []

    async def swallowing(_: _Stage) -> bool:
        tasks.append(asyncio.current_task())
        publishing.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return False
        return False

    work = _work(claims, lambda _: _Stage(), swallowing, fatal, tasks)
    await claims.claim((TOPIC, 0))
    await publishing.wait()

    claims.release([(TOPIC, 0)])

    await asyncio.wait_for(asyncio.gather(*tasks), 10)
    assert (work.stages, fatal) == ({}, [])
    await redis.aclose()


@pytest.mark.parametrize("is_stopping", [True, False])
async def test_a_publishing_task_that_nobody_cancelled_stops_the_worker(
    redis_url: str, *, is_stopping: bool
) -> None:
    redis = connect(redis_url)
    claims = Claims(redis, {TOPIC: "stream-app:nobody.v1"})
    has_begun, tasks = asyncio.Event(), list[Any]()
    fatal: list[BaseException] = []

    async def cancelled_by_a_library(_: _Stage) -> bool:
        tasks.append(asyncio.current_task())
        has_begun.set()
        raise asyncio.CancelledError

    new_stage = lambda _: _Stage()  # noqa: E731
    work = _work(claims, new_stage, cancelled_by_a_library, fatal, tasks, is_stopping=is_stopping)
    await claims.claim((TOPIC, 0))
    await has_begun.wait()
    await asyncio.wait(tasks)

    said = [str(error) for error in fatal]
    assert said == ([] if is_stopping else ["publishing of crm.events/0 was cancelled by nobody"])
    claims.release([(TOPIC, 0)])
    assert not work.stages
    await redis.aclose()
