"""What a crash of Redis undoes: a suffix of the writes, each of them whole.

A real Redis loses the end of its append-only file, cut at any byte; the simulated one is told how
many writes to forget. Both must end in a state that once was, and fence whoever knows more.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from stream_app.state.client import Client, connect
from stream_app.state.errors import Fenced
from stream_app.state.partition import PartitionState
from tests.state.conftest import NAMESPACE, simulated_redis
from tests.state.redis_process import RedisProcess

KEY = f"{NAMESPACE}:{{log:0}}:"


@dataclass
class Losing:
    """A Redis that can lose its latest writes.

    Attributes:
        lose: (writes to keep of those since the claim, all of which there were) → a client after
            the crash. Of the first write that is lost a part may have reached the disk.
    """

    redis: Client
    note: Callable[[], None]
    lose: Callable[[int], Awaitable[Client]]


@pytest.fixture(params=["real", "simulated"])
def losing(request: pytest.FixtureRequest, tmp_path: Path) -> Losing:
    return simulated() if request.param == "simulated" else real(request, tmp_path)


def simulated() -> Losing:
    client = simulated_redis()
    server = client.server  # type: ignore[attr-defined]
    marks: list[int] = []

    async def lose(kept: int) -> Client:
        server.roll_back(len(server._undo) - marks[kept])
        return client

    return Losing(client, lambda: marks.append(len(server._undo)), lose)


def real(request: pytest.FixtureRequest, directory: Path) -> Losing:
    options = {"appendonly": "yes", "appendfsync": "always"}
    process: RedisProcess = request.getfixturevalue("own_redis")(**options)
    file = directory / "appendonly.aof"
    clients = [connect(process.url)]
    marks: list[int] = []

    async def lose(kept: int) -> Client:
        await clients[0].aclose()
        process.kill()
        begun = 40 if kept + 1 < len(marks) else 0  # bytes of the write that is lost
        with file.open("r+b") as log:
            log.truncate(marks[kept] + begun)
        process.start()
        return connect(process.url)

    return Losing(clients[0], lambda: marks.append(file.stat().st_size), lose)


async def commit(state: PartitionState, following: int) -> None:
    state.put("rows", b"k%d" % (following % 3), b"%d" % following)
    state.put_group("groups", b"g", b"f%d" % following, b"")
    await state.commit(state.offset, following, {"applied": following}, {b"x": b"%d" % following})


async def stored(redis: Client) -> dict[str, dict[bytes, bytes]]:
    names = ("meta", "outbox", "t:rows", "g:groups:g")
    return {name: await redis.hgetall(KEY + name) for name in names}


@pytest.mark.parametrize("kept", [0, 1, 2, 4])
async def test_state_offset_and_outbox_go_back_together(losing: Losing, kept: int) -> None:
    state = await PartitionState.claim(losing.redis, NAMESPACE, "log", 0)
    states = []
    for following in (5, 8, 9, 20, None):
        losing.note()
        states.append(await stored(losing.redis))
        if following is not None:
            await commit(state, following)
    redis = await losing.lose(kept)
    assert await stored(redis) == states[kept]
    heir = await PartitionState.claim(redis, NAMESPACE, "log", 0)
    assert heir.offset == (None, 5, 8, 9, 20)[kept]
    assert heir.outbox == ({} if kept == 0 else {b"x": b"%d" % (heir.offset or 0)})
    await redis.aclose()


async def test_who_committed_what_is_lost_is_fenced_by_the_offset(losing: Losing) -> None:
    state = await PartitionState.claim(losing.redis, NAMESPACE, "log", 0)
    await commit(state, 5)
    losing.note()
    await commit(state, 8)
    redis = await losing.lose(0)
    state._redis = state._point._redis = redis
    with pytest.raises(Fenced, match="stored offset 5, expected 8") as caught:
        await commit(state, 9)
    assert caught.value.which == "offset"
    await redis.aclose()


async def test_an_acknowledgement_that_is_lost_leaves_the_entry_in_the_outbox(
    losing: Losing,
) -> None:
    state = await PartitionState.claim(losing.redis, NAMESPACE, "log", 0)
    await commit(state, 5)
    losing.note()
    await state.acknowledge({b"x": 5})
    redis = await losing.lose(0)
    assert (await stored(redis))["outbox"] == {b"x": b"5"}
    await redis.aclose()
