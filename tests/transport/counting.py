"""A worker that counts: how often each key occurs in the stateful topic, kept in Redis.

In a test's own process as `CountingWorker`; as a process of its own with
`python -m tests.transport.counting SERVERS REDIS_URL GROUP TOPIC`.
"""

import asyncio
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Self, cast

import faust

from stream_app.state.claims import Claims
from stream_app.state.client import Client, connect
from stream_app.state.errors import Fenced, StoreUnavailable
from stream_app.state.partition import PartitionState
from stream_app.transport.batch import Batch, Gap, align
from stream_app.transport.consumer import BatchConsumer
from stream_app.transport.transport import batch_app, batch_topic

NAMESPACE = "stream-app:v1"


class CountingWorker:
    """Consumes from `async with` on, and leaves its group at the end."""

    def __init__(
        self, servers: Sequence[str], redis: Client, group: str, topic: str, **options: Any
    ) -> None:
        self.topic = topic
        self.claims = Claims(redis, {topic: NAMESPACE})
        self.batches: list[Batch] = []
        self.fences: list[Fenced] = []
        self.failures: list[Exception] = []
        self.lose: Callable[[Batch], bool] = lambda _: False
        self.pause_s = 0.0
        self.turn = asyncio.Condition()
        settings = {"session_timeout_s": 3.0, "broker_commit_interval": 0.2} | options
        self.app = batch_app(
            group, servers, claims=self.claims, on_failure=self.failures.append, **settings
        )
        self.app.agent(batch_topic(self.app, topic), name="count")(self._count)
        self.app.finalize()

    @property
    def consumer(self) -> BatchConsumer:
        return cast("BatchConsumer", self.app.consumer)

    async def __aenter__(self) -> Self:
        await self.app.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.app.stop()

    async def until(self, condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
        """Waits, looking after every batch and at least ten times a second."""
        async with asyncio.timeout(timeout_s):
            while not condition():
                async with self.turn:
                    try:
                        await asyncio.wait_for(self.turn.wait(), 0.1)
                    except TimeoutError:
                        continue

    async def until_read(self, offsets: int, **options: Any) -> None:
        """Waits until the stored offsets of the claimed partitions add up to this."""
        await self.until(
            lambda: sum(state.offset or 0 for state in self.claims) == offsets, **options
        )

    async def _count(self, stream: faust.Stream[Batch]) -> None:
        async for batch in stream:
            self.batches.append(batch)
            await asyncio.sleep(self.pause_s)
            if not self.lose(batch):
                await self._take(batch)
            async with self.turn:
                self.turn.notify_all()

    async def _take(self, batch: Batch) -> None:
        state = self.claims.get(batch.tp)
        if state is None:
            return
        aligned = align(batch, state.position)
        if isinstance(aligned, Gap):
            await self.consumer.rewind(batch.tp, aligned.expected, epoch=aligned.epoch)
        elif aligned:
            try:
                await count_into(state, aligned)
            except Fenced as fenced:
                self.fences.append(fenced)
                if fenced.which != "released":
                    self.consumer.reclaim(batch.tp)


async def count_into(state: PartitionState, batch: Batch) -> None:
    """One batch, until Redis has it."""
    added = Counter(record.key or b"" for record in batch.records)
    while True:
        try:
            state.discard()
            await state.prefetch("counts", added)
            for key, count in added.items():
                before = int(state.get("counts", key) or b"0")
                state.put("counts", key, b"%d" % (before + count))
            applied = int(state.meta.get("applied", "0")) + len(batch)
            await state.commit(state.offset, batch.end, {"applied": applied})
        except StoreUnavailable:
            await asyncio.sleep(0.05)
        else:
            return


async def counted(redis: Client, topic: str) -> Counter[bytes]:
    """What all partitions together hold."""
    total: Counter[bytes] = Counter()
    for key in await redis.keys(f"{NAMESPACE}:{{{topic}:*}}:t:counts"):
        rows = await redis.hgetall(key)
        total.update({name: int(count) for name, count in rows.items()})
    return total


async def _main(servers: str, redis_url: str, group: str, topic: str) -> None:
    redis = connect(redis_url)
    async with CountingWorker(servers.split(","), redis, group, topic, batch_records=50):
        print("started", flush=True)  # noqa: T201
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
