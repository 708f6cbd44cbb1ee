"""Start-up checks: is this a Redis the state may be entrusted to?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from redis.exceptions import NoPermissionError

from stream_app.state.client import ACKNOWLEDGE, CLAIM, COMMIT, SPEAK, Client, address_of, execute

_VERSION_MIN: Final = (6, 2)


class UnsuitableServer(Exception):
    """The server answers, but must not hold the state.

    Attributes:
        problems: one sentence each, with what to do.
    """

    def __init__(self, address: str, problems: tuple[str, ...]) -> None:
        self.address = address
        self.problems = problems
        super().__init__(f"Redis at {address} is not suitable: " + "; ".join(problems))


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerReport:
    """What `check` found out.

    Attributes:
        maxmemory_bytes: 0: unlimited.
        append_only: whether the AOF is on; without it a restart of Redis means a rebuild of
            everything since its last snapshot (correct, but slow).
        can_save: False while it cannot write to its disk, and so refuses every write.
    """

    address: str
    version: str
    maxmemory_bytes: int
    used_memory_bytes: int
    append_only: bool
    can_save: bool


async def check(redis: Client) -> ServerReport:
    """Looks at the server and loads the scripts into it.

    Only INFO is needed, which also tells the eviction policy, so an ACL user without CONFIG works.

    Raises:
        UnsuitableServer: with every problem at once.
        StoreUnavailable: no answer; back off and try again.
    """
    address = address_of(redis)
    try:
        info: Mapping[str, Any] = await execute(redis, "INFO")
        for script in (CLAIM, COMMIT, ACKNOWLEDGE, SPEAK):
            await script.load(redis)
    except Exception as error:
        if isinstance(error.__cause__, NoPermissionError):
            problem = (
                "its ACL user lacks rights; allow ~<namespace>* +@hash +@keyspace +@scripting "
                "+@connection +info"
            )
            raise UnsuitableServer(address, (problem,)) from error
        raise
    if problems := tuple(_problems(info)):
        raise UnsuitableServer(address, problems)
    return ServerReport(
        address=address,
        version=str(info["redis_version"]),
        maxmemory_bytes=int(info.get("maxmemory", 0)),
        used_memory_bytes=int(info.get("used_memory", 0)),
        append_only=bool(int(info.get("aof_enabled", 0))),
        can_save=info.get("aof_last_write_status", "ok") == "ok",
    )


async def require_no_eviction(redis: Client) -> None:
    """Look again at what somebody may have changed since `check`: evicted state is not missed.

    A replica refuses writes by itself, so that a failover is an outage and no reason to stop.

    Raises:
        UnsuitableServer: keys may be thrown away.
        StoreUnavailable: no answer.
    """
    info: Mapping[str, Any] = await execute(redis, "INFO", "memory")
    if problems := _evicting(info):
        raise UnsuitableServer(address_of(redis), tuple(problems))


def _problems(info: Mapping[str, Any]) -> list[str]:
    problems = []
    version = str(info.get("redis_version", "0"))
    if _numbers(version) < _VERSION_MIN:
        problems.append(f"version {version} is too old; 6.2 or newer is needed")
    if (role := info.get("role")) != "master":
        host, port = info.get("master_host", "?"), info.get("master_port", "?")
        problems.append(
            f"its role is {role}, not master; a replica refuses writes, point STREAM_APP_REDIS at "
            f"the master ({host}:{port}), or make this one the master: "
            'redis-cli -u "$STREAM_APP_REDIS" replicaof no one'
        )
    problems += _evicting(info)
    if int(info.get("cluster_enabled", 0)):
        problems.append("it runs in cluster mode; use a single primary (replicas are welcome)")
    return problems


def _evicting(info: Mapping[str, Any]) -> list[str]:
    if (policy := info.get("maxmemory_policy")) == "noeviction":
        return []
    problem = (
        f"maxmemory-policy is {policy}: it would throw state away when full; "
        "set maxmemory-policy noeviction (and in redis.conf): "
        'redis-cli -u "$STREAM_APP_REDIS" config set maxmemory-policy noeviction'
    )
    return [problem]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
