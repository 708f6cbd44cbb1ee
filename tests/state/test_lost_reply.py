"""A commit whose reply is lost is applied exactly once, or known not to be applied."""

import asyncio
import contextlib

import pytest

from stream_app.state.client import Client
from stream_app.state.errors import Fenced, Kind, StoreUnavailable
from stream_app.state.partition import PartitionState
from tests.state.conftest import NAMESPACE
from tests.state.flaky_proxy import FlakyProxy

META = f"{NAMESPACE}:{{crm.events:3}}:meta"
ROWS = f"{NAMESPACE}:{{crm.events:3}}:t:threads"


def is_commit(data: bytes) -> bool:
    return b"EVALSHA" in data and b"threads" in data


async def claimed(redis: Client) -> PartitionState:
    state = await PartitionState.claim(redis, NAMESPACE, "crm.events", 3)
    state.put("threads", b"a", b"1")
    return state


async def test_an_applied_commit_whose_reply_was_lost_is_not_sent_again(
    flaky: Client, redis: Client, proxy: FlakyProxy
) -> None:
    state = await claimed(flaky)
    proxy.lose_reply = is_commit
    await state.commit(None, 5, {"applied": 5}, {b"x": b"5"})
    assert (state.offset, state.outbox, state.settled) == (5, {b"x": b"5"}, True)
    assert await redis.hget(META, "offset") == b"5"
    await state.commit(5, 6)


async def test_a_commit_that_never_arrived_is_sent_again(
    flaky: Client, redis: Client, proxy: FlakyProxy
) -> None:
    state = await claimed(flaky)
    proxy.lose_request = is_commit
    proxy.times = 2
    await state.commit(None, 5)
    assert await redis.hgetall(ROWS) == {b"a": b"1"}
    assert await redis.hget(META, "offset") == b"5"


async def test_a_line_that_breaks_at_every_attempt_is_reported_and_the_batch_kept(
    flaky: Client, redis: Client, proxy: FlakyProxy
) -> None:
    state = await claimed(flaky)
    proxy.lose_request = is_commit
    proxy.times = 3
    with pytest.raises(StoreUnavailable, match="unavailable: connection"):
        await state.commit(None, 5)
    assert not state.settled
    assert await redis.hget(META, "offset") is None
    await state.commit(None, 5)
    assert await redis.hgetall(ROWS) == {b"a": b"1"}


async def test_with_redis_gone_after_the_reply_was_lost_a_later_call_settles_it(
    flaky: Client, redis: Client, proxy: FlakyProxy
) -> None:
    state = await claimed(flaky)

    def is_commit_and_then_nothing_works(data: bytes) -> bool:
        proxy.refuse = is_commit(data)
        return proxy.refuse

    proxy.lose_reply = is_commit_and_then_nothing_works
    with pytest.raises(StoreUnavailable) as caught:
        await state.commit(None, 5)
    assert caught.value.kind is Kind.CONNECTION
    assert f"127.0.0.1:{proxy.port}" in str(caught.value)
    assert await redis.hget(META, "offset") == b"5"
    assert (state.offset, state.settled) == (None, False)
    proxy.refuse = False
    await redis.hset(ROWS, "a", "changed since")  # would be overwritten by a second application
    await state.commit(None, 5)
    assert (state.offset, state.settled) == (5, True)
    assert await redis.hget(ROWS, "a") == b"changed since"


async def test_a_commit_that_arrives_after_its_repetition_changes_nothing(
    flaky: Client, redis: Client, proxy: FlakyProxy
) -> None:
    state = await claimed(flaky)
    proxy.hold = is_commit
    await state.commit(None, 5)
    state.put("threads", b"a", b"2")
    await state.commit(5, 6)
    await proxy.let_go()
    assert await redis.hgetall(ROWS) == {b"a": b"2"}
    assert await redis.hget(META, "offset") == b"6"


async def test_a_late_commit_between_look_and_repetition_counts_once(
    flaky: Client, redis: Client, proxy: FlakyProxy
) -> None:
    state = await claimed(flaky)
    proxy.hold = is_commit

    async def let_the_late_one_overtake(data: bytes) -> None:
        if is_commit(data):
            await proxy.let_go()

    proxy.before = let_the_late_one_overtake
    await state.commit(None, 5)
    assert state.offset == 5
    assert await redis.hget(META, "offset") == b"5"


async def test_a_lost_reply_and_a_new_owner_meanwhile_is_a_fence(
    flaky: Client, redis: Client, proxy: FlakyProxy
) -> None:
    state = await claimed(flaky)

    def is_commit_and_then_nothing_works(data: bytes) -> bool:
        proxy.refuse = is_commit(data)
        return proxy.refuse

    proxy.lose_request = is_commit_and_then_nothing_works
    with pytest.raises(StoreUnavailable):
        await state.commit(None, 5)
    heir = await PartitionState.claim(redis, NAMESPACE, "crm.events", 3)
    await heir.commit(None, 5)
    proxy.refuse = False
    with pytest.raises(Fenced, match="owner"):
        await state.commit(None, 5)


async def test_the_same_offset_from_somebody_else_is_never_taken_for_ours(redis: Client) -> None:
    state = await claimed(redis)
    await redis.hset(META, "offset", "5")
    with pytest.raises(Fenced, match="stored offset 5, expected None"):
        await state.commit(None, 5)


async def test_a_cancelled_commit_is_in_doubt_and_settled_by_the_next_call(
    flaky: Client, redis: Client, proxy: FlakyProxy
) -> None:
    state = await claimed(flaky)
    reached = asyncio.Event()

    def is_commit_seen(data: bytes) -> bool:
        if is_commit(data):
            reached.set()
            return True
        return False

    proxy.hold = is_commit_seen
    proxy.times = 1
    committing = asyncio.create_task(state.commit(None, 5))
    await reached.wait()
    committing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await committing
    assert not state.settled
    await proxy.let_go()
    await state.commit(None, 5)
    assert await redis.hget(META, "offset") == b"5"
    assert state.settled


async def test_after_a_cancelled_command_the_next_reply_is_not_the_old_one(
    flaky: Client,
) -> None:
    state = await claimed(flaky)
    await state.commit(None, 1)
    for n in range(20):
        reading = asyncio.create_task(state.prefetch("threads", [b"x%d" % n]))
        for _ in range(n % 7):
            await asyncio.sleep(0)
        reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):  # redis-py sometimes swallows it
            await reading
        await state.prefetch("threads", [b"a"])
        assert state.get("threads", b"a") == b"1"
        state.discard()
