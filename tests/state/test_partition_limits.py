"""Where a commit meets its limits: sizes, a server that forgot, keys that are not ours."""

import asyncio
from hashlib import sha1

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from stream_app.state import writes
from stream_app.state.client import COMMIT, Client
from stream_app.state.errors import CommitTooLarge, StateTorn
from stream_app.state.partition import PartitionState
from tests.state.claimed import PREFIX, claim
from tests.state.conftest import NAMESPACE
from tests.state.redis_process import RedisProcess


async def test_fifty_thousand_writes_fit_into_one_commit(redis: Client) -> None:
    state = await claim(redis)
    for n in range(50_000):
        state.put("threads", b"k%d" % n, b"v%d" % n)
    for n in range(1000):
        state.put_group("cells", b"g%d" % n, b"f", b"v")
    await state.commit(None, 50_000)
    for n in range(0, 50_000, 2):
        state.put("threads", b"k%d" % n, None)
    await state.commit(50_000, 100_000)
    assert await redis.hlen(PREFIX + b"t:threads") == 25_000
    assert await redis.hget(PREFIX + b"t:threads", "k49999") == b"v49999"


async def test_thirty_megabytes_fit_into_one_commit(redis: Client) -> None:
    state = await claim(redis)
    for n in range(30):
        state.put("threads", b"k%d" % n, bytes(2**20))
    assert state.commit_bytes > 30 * 2**20
    await state.commit(None, 1)
    assert await redis.hlen(PREFIX + b"t:threads") == 30


async def test_what_redis_would_not_take_is_refused_before_it_is_sent(
    redis: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = await claim(redis)
    state.put("threads", b"a", b"123456789")
    monkeypatch.setattr(writes, "COMMIT_BYTES_MAX", 8)
    with pytest.raises(CommitTooLarge, match="Close batches earlier"):
        await state.commit(None, 1)
    monkeypatch.undo()
    monkeypatch.setattr(writes, "COMMIT_ARGS_MAX", 5)
    with pytest.raises(CommitTooLarge, match="Close batches earlier"):
        await state.commit(None, 1)
    monkeypatch.undo()
    await state.commit(None, 1)


async def test_the_estimate_follows_what_is_really_pending(state: PartitionState) -> None:
    state.put("threads", b"abc", b"12345")
    once = state.commit_bytes
    state.put("threads", b"abc", b"12345")
    assert state.commit_bytes == once
    state.put("threads", b"abc", None)
    assert state.commit_bytes == once - 5
    state.put_group("cells", b"g", b"abc", b"12345")
    assert state.commit_bytes == 2 * once - 5


async def test_a_restarted_redis_that_forgot_the_scripts_gets_them_again(redis: Client) -> None:
    state = await claim(redis)
    await redis.script_flush()
    await state.commit(None, 1, None, {b"x": b"1"})
    await redis.script_flush()
    assert await state.acknowledge({b"x": 1}) == 1
    await redis.script_flush()
    assert (await claim(redis)).offset == 1


async def test_a_key_of_another_type_is_noticed_before_the_first_write(redis: Client) -> None:
    state = await claim(redis)
    await redis.set(PREFIX + b"t:second", b"a string")
    state.put("first", b"a", b"1")
    state.put("second", b"a", b"1")
    meta = await redis.hgetall(PREFIX + b"meta")
    with pytest.raises(Exception, match="WRONGTYPE commit"):
        await state.commit(None, 1)
    assert not await redis.exists(PREFIX + b"t:first")
    assert await redis.hgetall(PREFIX + b"meta") == meta


async def test_nobody_builds_on_a_commit_that_died_half_way(
    redis: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = await claim(redis)
    state.put("threads", b"a", b"1")
    dying = COMMIT._text.replace(b"in_chunks('HDEL'", b"error('the disk is gone') in_chunks('HDEL'")
    monkeypatch.setattr(COMMIT, "_text", dying)
    monkeypatch.setattr(COMMIT, "_digest", sha1(dying, usedforsecurity=False).hexdigest())
    with pytest.raises(ResponseError, match="the disk is gone"):
        await state.commit(None, 5, {"applied": 5})
    monkeypatch.undo()
    assert await redis.hget(PREFIX + b"meta", "applied") == b"5"  # as feared
    with pytest.raises(StateTorn, match=r"up to offset 5 .* stream-app rebuild --yes"):
        await state.commit(None, 1)
    with pytest.raises(StateTorn, match="rebuilt from the log"):
        await claim(redis)
    assert await redis.hget(PREFIX + b"meta", "owner") == state.token.encode()


async def test_writes_during_a_commit_are_a_bug(state: PartitionState) -> None:
    committing = asyncio.create_task(state.commit(None, 1))
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="still under way"):
        state.put("threads", b"a", b"1")
    await committing
    state.put("threads", b"a", b"1")


async def test_a_client_that_repeats_commands_by_itself_is_refused(
    shared_redis: RedisProcess,
) -> None:
    async with Redis.from_url(shared_redis.url, retry=_default_retry()) as careless:
        with pytest.raises(ValueError, match=r"use client\.connect"):
            await claim(careless)


async def test_rows_and_groups_can_be_listed_for_audits(redis: Client) -> None:
    state = await claim(redis)
    other = await PartitionState.claim(redis, NAMESPACE, "crm.events", 4)
    for n in range(3000):
        state.put("threads", b"k%d" % n, b"v")
    groups = {b"a*b", b"[x]", b"c\\d", b"\xff|\x00"}
    for group in groups:
        state.put_group("cells", group, b"f", b"v")
    other.put_group("cells", b"elsewhere", b"f", b"v")
    await state.commit(None, 1)
    await other.commit(None, 1)
    assert {key async for key, _ in state.scan("threads")} == {b"k%d" % n for n in range(3000)}
    assert {group async for group in state.scan_groups("cells")} == groups


def _default_retry() -> object:
    return Redis().connection_pool.connection_kwargs["retry"]
