from collections.abc import Callable

import pytest

from stream_app.state.client import Client, connect
from stream_app.state.errors import StoreUnavailable
from stream_app.state.partition import PartitionState
from stream_app.state.server import UnsuitableServer, check
from tests.state.redis_process import RedisProcess, free_port

OwnRedis = Callable[..., RedisProcess]


async def test_a_suitable_server_is_described(redis: Client, shared_redis: RedisProcess) -> None:
    report = await check(redis)
    assert report.address == f"127.0.0.1:{shared_redis.port}"
    assert (report.maxmemory_bytes, report.append_only) == (0, False)
    assert report.used_memory_bytes > 0
    assert report.version[0].isdigit()


async def test_all_problems_are_named_at_once_with_what_to_do(own_redis: OwnRedis) -> None:
    redis = connect(own_redis(maxmemory_policy="allkeys-lru").url)
    await check_scripts(redis)
    await redis.replicaof("127.0.0.1", str(free_port()))
    with pytest.raises(UnsuitableServer) as caught:
        await check(redis)
    role, policy = caught.value.problems
    assert "slave, not master" in role
    assert "point STREAM_APP_REDIS at the master (127.0.0.1:" in role
    assert 'redis-cli -u "$STREAM_APP_REDIS" replicaof no one' in role
    assert "maxmemory-policy is allkeys-lru" in policy
    assert "config set maxmemory-policy noeviction" in policy
    await redis.aclose()


async def check_scripts(redis: Client) -> None:
    with pytest.raises(UnsuitableServer, match="allkeys-lru"):
        await check(redis)


async def test_a_server_that_is_not_there_is_named() -> None:
    port = free_port()
    redis = connect(f"redis://127.0.0.1:{port}")
    with pytest.raises(StoreUnavailable, match=f"127.0.0.1:{port} is unavailable: connection"):
        await check(redis)
    await redis.aclose()


async def test_the_rights_that_the_check_asks_for_suffice_for_everything(
    own_redis: OwnRedis,
) -> None:
    server = own_redis()
    boss = connect(server.url)
    rights = ["~stream-app:*", "+@hash", "+@keyspace", "+@scripting", "+@connection", "+info"]
    await boss.execute_command("ACL SETUSER", "app", "on", ">pw", "-@all", *rights)
    await boss.execute_command("ACL SETUSER", "bare", "on", ">pw", "-@all", "+@connection")

    bare = connect(f"redis://bare:pw@127.0.0.1:{server.port}")
    with pytest.raises(UnsuitableServer, match=r"its ACL user lacks rights; allow .* \+@hash"):
        await check(bare)

    app = connect(f"redis://app:pw@127.0.0.1:{server.port}")
    await check(app)
    state = await PartitionState.claim(app, "stream-app:v1", "t", 0)
    await state.prefetch("rows", [b"a"])
    state.put("rows", b"a", b"1")
    state.put_group("cells", b"g", b"f", b"1")
    await state.commit(None, 1, None, {b"x": b"1"})
    state.put("rows", b"a", None)
    await state.commit(1, 2)
    assert await state.acknowledge({b"x": 1}) == 1
    assert [row async for row in state.scan("rows")] == []
    assert [group async for group in state.scan_groups("cells")] == [b"g"]
    for client in (boss, bare, app):
        await client.aclose()
