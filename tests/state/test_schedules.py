"""Random schedules of claims, commits, zombies, lost replies and rollbacks: the state stays a fold.

After every step the stored rows equal the fold of the log up to the stored offset. The seed names
the schedule.
"""

import random
from dataclasses import dataclass, field

import pytest

from stream_app.state.client import Client
from stream_app.state.errors import Fenced, StoreUnavailable
from stream_app.state.partition import PartitionState
from tests.state.conftest import NAMESPACE
from tests.state.flaky_proxy import FlakyProxy

LOG = [b"abcdef"[n * n % 7 % 6] for n in range(60)]
PREFIX = f"{NAMESPACE}:{{log:0}}:"


def fold(upto: int) -> dict[bytes, bytes]:
    counts: dict[int, int] = {}
    for key in LOG[:upto]:
        counts[key] = counts.get(key, 0) + 1
    return {bytes([key]): b"%d" % count for key, count in counts.items()}


@dataclass
class Worker:
    """Lives between the steps of a batch, so that others can get in between."""

    redis: Client
    state: PartitionState | None = None
    batch: list[int] = field(default_factory=list)
    ready: bool = False

    async def claim(self) -> None:
        self.state = await PartitionState.claim(self.redis, NAMESPACE, "log", 0)
        self.batch, self.ready = [], False

    async def fold(self, size: int) -> None:
        assert self.state is not None
        self.state.discard()
        self.batch = LOG[self.state.position : self.state.position + size]
        await self.state.prefetch("counts", [bytes([key]) for key in self.batch])
        for key in self.batch:
            count = int(self.state.get("counts", bytes([key])) or b"0")
            self.state.put("counts", bytes([key]), b"%d" % (count + 1))
        self.ready = bool(self.batch)

    async def commit(self) -> None:
        assert self.state is not None
        following = self.state.position + len(self.batch)
        outbox = {bytes([key]): b"%d" % following for key in self.batch}
        await self.state.commit(self.state.offset, following, {"applied": following}, outbox)
        self.ready = False

    async def act(self, chance: random.Random) -> None:
        try:
            if self.state is None or chance.random() < 0.15:
                await self.claim()
            elif self.ready:
                await self.commit()
            elif chance.random() < 0.3:
                versions = {
                    n: int(v) for n, v in self.state.outbox.items() if chance.random() < 0.5
                }
                await self.state.acknowledge(versions)
            else:
                await self.fold(chance.randint(1, 6))
        except Fenced:
            self.state = None
        except StoreUnavailable:
            pass  # a later act calls again


async def consistent(redis: Client) -> int:
    meta = await redis.hgetall(f"{PREFIX}meta")
    offset = int(meta.get(b"offset", 0))
    assert await redis.hgetall(f"{PREFIX}t:counts") == fold(offset)
    assert int(meta.get(b"applied", 0)) == offset
    return offset


@pytest.mark.parametrize("seed", range(60))
async def test_the_state_is_the_fold_of_the_log_whatever_happens(
    seed: int, redis: Client, flaky: Client, proxy: FlakyProxy
) -> None:
    chance = random.Random(seed)  # noqa: S311
    workers = [Worker(flaky) for _ in range(3)]
    snapshot: dict[bytes, dict[bytes, bytes]] = {}
    for _ in range(80):
        fault = chance.random()
        proxy.times = 1
        proxy.lose_reply = (lambda data: b"EVALSHA" in data) if fault < 0.08 else None
        proxy.lose_request = (lambda data: b"EVALSHA" in data) if 0.08 <= fault < 0.16 else None
        if 0.16 <= fault < 0.19:
            snapshot = {key: await redis.hgetall(key) for key in await redis.keys()}
        elif 0.19 <= fault < 0.21:
            await redis.flushall()
            for key, rows in snapshot.items():
                await redis.hset(key, mapping=rows)
        await chance.choice(workers).act(chance)
        await consistent(redis)
    proxy.lose_reply = proxy.lose_request = None
    last = Worker(flaky)
    await last.claim()
    while last.state is not None and last.state.position < len(LOG):
        await last.fold(10)
        await last.commit()
    assert await consistent(redis) == len(LOG)
