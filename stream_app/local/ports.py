"""Free ports on the loopback interface."""

import random
import socket

LOOPBACK = "127.0.0.1"

# Below the range from which systems take the ports of outgoing connections (Linux: from 32768), so
# that nobody sits on a server's port while it is restarted.
_FIRST, _LAST = 15_000, 32_000
_TRIES = 1_000


def free_ports(count: int) -> list[int]:
    """Find so many different ports on which nobody listens at the moment.

    Somebody may take one before the caller does: a server that finds its port taken asks again.
    """
    found: list[int] = []
    for _ in range(_TRIES):
        port = random.SystemRandom().randrange(_FIRST, _LAST)
        if port not in found and is_free(port):
            found.append(port)
        if len(found) == count:
            return found
    raise OSError(f"no {count} free ports on {LOOPBACK} between {_FIRST} and {_LAST}")


def is_free(port: int) -> bool:
    """Whether nobody listens on the port of the loopback interface at the moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
