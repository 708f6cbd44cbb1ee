"""What Redis refuses it refuses whole, and the error says what to do."""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from redis import exceptions

from stream_app.state.client import Client, address_of, connect, kind_of
from stream_app.state.errors import Kind, StoreUnavailable
from stream_app.state.partition import PartitionState
from tests.state.conftest import NAMESPACE
from tests.state.redis_process import RedisProcess, free_port

OwnRedis = Callable[..., RedisProcess]
SECRET = "canary-7f3a"  # noqa: S105


async def everything(redis: Client) -> dict[bytes, dict[bytes, bytes]]:
    return {key: await redis.hgetall(key) for key in await redis.keys(b"*")}


async def filled(redis: Client) -> PartitionState:
    state = await PartitionState.claim(redis, NAMESPACE, "t", 0)
    for n in range(100):
        state.put("rows", b"k%d" % n, bytes(1000))
    await state.commit(None, 1, {"applied": 1}, {b"x": b"1"})
    return state


async def test_a_full_redis_refuses_a_commit_before_its_first_write(own_redis: OwnRedis) -> None:
    redis = connect(own_redis().url)
    state = await filled(redis)
    before = await everything(redis)
    state.put("rows", b"k1", None)  # a deletion alone would pass
    state.put("other", b"k", bytes(1000))
    await redis.config_set("maxmemory", "1mb")
    with pytest.raises(StoreUnavailable, match="give it more memory") as caught:
        await state.commit(1, 2, {"applied": 2}, {b"x": b"2"})
    assert caught.value.kind is Kind.OOM
    assert await everything(redis) == before
    with pytest.raises(StoreUnavailable, match="maxmemory"):
        await PartitionState.claim(redis, NAMESPACE, "t", 1)
    await redis.config_set("maxmemory", "0")
    await state.commit(1, 2, {"applied": 2}, {b"x": b"2"})
    assert (state.offset, state.outbox) == (2, {b"x": b"2"})
    await redis.aclose()


async def test_a_full_redis_refuses_a_commit_whose_first_change_would_be_a_deletion(
    own_redis: OwnRedis,
) -> None:
    redis = connect(own_redis().url)
    state = await filled(redis)
    before = await everything(redis)
    state.put("rows", b"k1", None)
    await redis.config_set("maxmemory", "1mb")
    with pytest.raises(StoreUnavailable, match="maxmemory"):
        await state.commit(1, 2)
    assert await everything(redis) == before
    await redis.aclose()


async def test_memory_that_runs_out_within_a_commit_lets_it_pass_whole(own_redis: OwnRedis) -> None:
    redis = connect(own_redis().url)
    state = await PartitionState.claim(redis, NAMESPACE, "t", 0)
    used = int((await redis.info("memory"))["used_memory"])
    await redis.config_set("maxmemory", str(used + 3_000_000))
    for n in range(60):
        state.put("rows", b"k%d" % n, bytes(100_000))
    await _commit_whatever_the_clients_buffer_takes(state, redis)
    assert await redis.hlen(f"{state.prefix}t:rows") in (0, 60)
    assert (await redis.hget(f"{state.prefix}meta", "offset") == b"1") == (state.offset == 1)
    assert not await redis.hget(f"{state.prefix}meta", "torn")
    await redis.aclose()


async def _commit_whatever_the_clients_buffer_takes(state: PartitionState, redis: Client) -> None:
    with contextlib.suppress(StoreUnavailable):  # if the arguments alone were too much
        await state.commit(None, 1)
    await redis.config_set("maxmemory", "0")


async def test_acknowledging_needs_no_memory(own_redis: OwnRedis) -> None:
    redis = connect(own_redis().url)
    state = await filled(redis)
    await redis.config_set("maxmemory", "1mb")
    assert await state.acknowledge({b"x": 1}) == 1
    await redis.aclose()


async def test_a_replica_refuses_commits_whole(own_redis: OwnRedis) -> None:
    redis = connect(own_redis().url)
    state = await filled(redis)
    before = await everything(redis)
    await redis.replicaof("127.0.0.1", str(free_port()))
    state.put("rows", b"k1", b"new")
    with pytest.raises(StoreUnavailable, match="point STREAM_APP_REDIS at the master") as caught:
        await state.commit(1, 2)
    assert caught.value.kind is Kind.READONLY
    await redis.replicaof("NO", "ONE")
    assert await everything(redis) == before
    await state.commit(1, 2)
    await redis.aclose()


async def test_a_redis_with_a_broken_disk_refuses_commits_whole(own_redis: OwnRedis) -> None:
    redis = connect(own_redis(save="3600 1").url)
    state = await filled(redis)
    before = await everything(redis)
    await redis.config_set("dir", "/proc")
    await redis.bgsave()
    while (await redis.info("persistence"))["rdb_last_bgsave_status"] == "ok":  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    state.put("rows", b"k1", b"new")
    with pytest.raises(StoreUnavailable, match="free space or mend the disk") as caught:
        await state.commit(1, 2)
    assert caught.value.kind is Kind.MISCONF
    assert await everything(redis) == before
    await redis.config_set("stop-writes-on-bgsave-error", "no")
    await state.commit(1, 2)
    await redis.aclose()


async def test_a_redis_busy_with_somebodys_script_is_waited_for(own_redis: OwnRedis) -> None:
    server = own_redis(lua_time_limit="10")
    redis, somebody = connect(server.url), connect(server.url)
    state = await filled(redis)
    endless = asyncio.create_task(somebody.execute_command("EVAL", "while true do end", 0))
    kinds = []
    while Kind.BUSY not in kinds:
        try:
            await redis.execute_command("PING")
        except exceptions.ResponseError as error:
            kinds.append(kind_of(error))
    with pytest.raises(StoreUnavailable, match="SCRIPT KILL") as caught:
        await state.commit(1, 2)
    assert caught.value.kind is Kind.BUSY
    await redis.execute_command("SCRIPT KILL")
    with pytest.raises(exceptions.ResponseError):
        await endless
    await state.commit(1, 2)
    await redis.aclose()
    await somebody.aclose()


async def test_a_redis_that_is_not_there_is_named_without_its_secrets() -> None:
    port = free_port()
    redis = connect(f"redis://boss:{SECRET}@127.0.0.1:{port}/0")
    with pytest.raises(StoreUnavailable, match=f"Redis at 127.0.0.1:{port}") as caught:
        await PartitionState.claim(redis, NAMESPACE, "t", 0)
    assert caught.value.kind is Kind.CONNECTION
    assert SECRET not in str(caught.value) + repr(caught.value) + repr(redis)
    await redis.aclose()


async def test_a_wrong_password_is_a_matter_of_permission(own_redis: OwnRedis) -> None:
    redis = connect(own_redis(requirepass="right").url, password=SECRET)
    with pytest.raises(StoreUnavailable, match="correct the user or password") as caught:
        await PartitionState.claim(redis, NAMESPACE, "t", 0)
    assert caught.value.kind is Kind.PERMISSION
    assert SECRET not in str(caught.value)
    await redis.aclose()


async def test_a_given_password_wins_over_the_urls(own_redis: OwnRedis) -> None:
    server = own_redis(requirepass="right")
    redis = connect(f"redis://:wrong@127.0.0.1:{server.port}", password="right")  # noqa: S106
    assert await redis.ping()
    await redis.aclose()


async def test_a_redis_that_does_not_answer_in_time_leaves_the_commit_in_doubt(
    own_redis: OwnRedis,
) -> None:
    server = own_redis()
    redis, awake = connect(server.url, socket_timeout_s=0.3), connect(server.url)
    state = await filled(redis)
    state.put("rows", b"k1", b"new")
    await awake.execute_command("CLIENT PAUSE", 60_000, "WRITE")
    with pytest.raises(StoreUnavailable, match="overloaded or blocked") as caught:
        await state.commit(1, 2)
    assert caught.value.kind in (Kind.TIMEOUT, Kind.CONNECTION)
    await awake.execute_command("CLIENT UNPAUSE")
    await state.commit(1, 2)
    assert await awake.hget(f"{state.prefix}t:rows", "k1") == b"new"
    assert await awake.hget(f"{state.prefix}meta", "offset") == b"2"
    await redis.aclose()
    await awake.aclose()


@pytest.mark.parametrize("url", ["127.0.0.1:6379", "http://x", ""])
def test_an_address_that_is_none_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(ValueError, match=r"must start with redis://") as caught:
        connect(f"{url}{SECRET}")
    assert SECRET not in str(caught.value)


def test_a_socket_has_an_address_too() -> None:
    assert address_of(connect("unix:///run/redis.sock")) == "/run/redis.sock"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (exceptions.BusyLoadingError("Redis is loading the dataset"), Kind.LOADING),
        (exceptions.ReadOnlyError("You can't write against a read only replica."), Kind.READONLY),
        (exceptions.OutOfMemoryError("command not allowed when used memory"), Kind.OOM),
        (exceptions.ResponseError("NOREPLICAS Not enough good replicas"), Kind.NO_REPLICAS),
        (exceptions.NoPermissionError("no permissions to run 'evalsha'"), Kind.PERMISSION),
        (exceptions.ResponseError("MASTERDOWN Link with MASTER is down"), Kind.READONLY),
        (exceptions.ResponseError("WRONGTYPE Operation"), None),
    ],
)
def test_every_reason_has_its_kind(error: exceptions.RedisError, kind: Kind | None) -> None:
    assert kind_of(error) == kind


async def test_a_redis_rolled_back_to_an_earlier_instant_fences_its_owner(
    own_redis: OwnRedis, tmp_path: Path
) -> None:
    server = own_redis()
    redis = connect(server.url)
    state = await filled(redis)
    await redis.save()
    state.put("rows", b"k1", b"lost")
    await state.commit(1, 9)
    server.restart()
    assert (tmp_path / "dump.rdb").exists()
    with pytest.raises(Exception, match="stored offset 1, expected 9"):
        await state.commit(9, 10)
    again = await PartitionState.claim(redis, NAMESPACE, "t", 0)
    assert again.offset == 1
    assert again.previous_owner == state.token
    await again.prefetch("rows", [b"k1"])
    assert again.get("rows", b"k1") == bytes(1000)
    await redis.aclose()
