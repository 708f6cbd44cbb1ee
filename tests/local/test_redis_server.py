import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import TimeoutError as RedisTimeoutError

from stream_app.local.environment import bundled_wanted
from stream_app.local.errors import LocalError
from stream_app.local.redis_server import LocalRedis
from tests.local.processes import LOOPBACK_ONLY, listening_addresses, wait_until_gone


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[LocalRedis]:
    server = LocalRedis(tmp_path / "redis", bundled=bundled_wanted())
    server.start()
    yield server
    server.kill()


def test_it_keeps_everything_and_throws_nothing_away(redis_url: str) -> None:
    wanted = {
        "appendonly": "yes",
        "appendfsync": "everysec",
        "maxmemory-policy": "noeviction",
        "save": "",
    }
    with Redis.from_url(redis_url, decode_responses=True) as client:
        assert {name: client.config_get(name)[name] for name in wanted} == wanted
        assert client.info("replication")["role"] == "master"


def test_every_test_gets_it_empty(redis_url: str) -> None:
    with Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("left", "behind")


test_every_test_gets_it_empty_again = test_every_test_gets_it_empty


def test_it_listens_on_the_loopback_interface_only(redis_server: LocalRedis) -> None:
    assert listening_addresses(redis_server.pid) == LOOPBACK_ONLY


def test_its_directory_is_for_this_user_only(redis_server: LocalRedis) -> None:
    assert stat.S_IMODE(redis_server.directory.stat().st_mode) == 0o700


@pytest.mark.real
def test_what_it_stored_survives_an_orderly_restart_on_the_same_port(own_redis: LocalRedis) -> None:
    with Redis.from_url(own_redis.url) as client:
        client.set("kept", "yes")
    url = own_redis.url
    own_redis.restart()
    assert own_redis.url == url
    with Redis.from_url(url) as client:
        assert client.get("kept") == b"yes"


@pytest.mark.real
def test_what_is_on_disk_survives_a_kill(own_redis: LocalRedis) -> None:
    with Redis.from_url(own_redis.url) as client:
        client.config_set("appendfsync", "always")
        client.set("kept", "yes")
    killed = own_redis.pid
    own_redis.kill()
    wait_until_gone(killed)
    own_redis.start()
    with Redis.from_url(own_redis.url) as client:
        assert client.get("kept") == b"yes"


@pytest.mark.real
def test_a_paused_one_answers_when_it_is_resumed(own_redis: LocalRedis) -> None:
    with Redis.from_url(own_redis.url, socket_timeout=0.1, retry=None) as client:
        client.set("kept", "yes")
        own_redis.pause()
        with pytest.raises(RedisTimeoutError):
            client.get("kept")
    own_redis.resume()
    with Redis.from_url(own_redis.url) as client:
        assert client.get("kept") == b"yes"


@pytest.mark.real
def test_a_port_that_somebody_else_took_is_replaced(
    own_redis: LocalRedis, redis_server: LocalRedis
) -> None:
    own_redis.stop()
    own_redis._ports = [redis_server.port]
    own_redis.start()
    assert own_redis.port != redis_server.port


def test_two_do_not_share_a_directory(redis_server: LocalRedis) -> None:
    second = LocalRedis(redis_server.directory)
    with pytest.raises(LocalError, match=r"another Redis is running in .*; expected a directory"):
        second.start()
    assert redis_server.running


@pytest.mark.real
def test_a_redis_that_cannot_start_says_why(own_redis: LocalRedis) -> None:
    own_redis.stop()
    data = next(path for path in own_redis.directory.rglob("*.aof*") if path.is_file())
    data.write_bytes(b"*3\r\n$3\r\nSET garbage")
    with pytest.raises(LocalError, match=r"(?s)Redis did not come up: it ended with status 1.*AOF"):
        own_redis.start()
