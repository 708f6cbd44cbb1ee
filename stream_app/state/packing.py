"""Connections to Redis that write their commands with hiredis.

redis-py joins a command out of its arguments in Python, and a large commit has 60,000 of them.
hiredis, which parses the replies anyway, does it in a fraction of the time (decisions/0017).
"""

from typing import Any, Final

import hiredis
from redis.asyncio.connection import (
    AbstractConnection,
    Connection,
    SSLConnection,
    UnixDomainSocketConnection,
)


class _Packing(AbstractConnection):
    """Commands of `bytes`, `str` and `int`; in the name of a command blanks part its words."""

    def pack_command(self, *args: Any) -> list[bytes]:
        """One command in Redis's protocol."""
        name, *rest = args
        words = name.split() if type(name) is str else (name,)
        return [hiredis.pack_command((*words, *rest))]


class PackingConnection(_Packing, Connection):
    """Over TCP."""


class PackingSslConnection(_Packing, SSLConnection):
    """Over TLS."""


class PackingUnixConnection(_Packing, UnixDomainSocketConnection):
    """Over a socket of the machine."""


PACKING: Final[dict[type[AbstractConnection], type[AbstractConnection]]] = {
    Connection: PackingConnection,
    SSLConnection: PackingSslConnection,
    UnixDomainSocketConnection: PackingUnixConnection,
}
"""Kind of connection → the same with hiredis."""
