"""Asks a broker whether it is ready, in a hundred bytes of Kafka's protocol.

A port that is open proves nothing: the broker opens it long before it serves. Only its answers
count, and a client library takes an event loop and a second to get them.
"""

import socket
import struct

from stream_app.local.ports import LOOPBACK

_METADATA = (3, 2)  # API key, version
_FIND_COORDINATOR = (10, 0)
_CLIENT = "stream-app-probe"
_ANSWER_TIMEOUT_SECONDS = 10.0
_MAX_ANSWER_BYTES = 1 << 20


def is_ready(port: int, cluster_id: str) -> bool:
    """Whether that broker lists itself and has a coordinator for consumer groups.

    Asking for a coordinator makes a new broker create the topic of committed offsets, which the
    first consumer group would otherwise have to wait for, and now and then waits in vain.

    Args:
        port: on the loopback interface.
        cluster_id: the broker's; another broker that has the port does not count.
    """
    try:
        with socket.create_connection((LOOPBACK, port), timeout=_ANSWER_TIMEOUT_SECONDS) as broker:
            metadata = _ask(broker, _METADATA, struct.pack(">i", 0))  # about no topic
            brokers = struct.unpack_from(">i", metadata)[0]
            if brokers == 0 or _string(cluster_id) not in metadata:
                return False
            coordinator = _ask(broker, _FIND_COORDINATOR, _string(_CLIENT))
            return bool(struct.unpack_from(">h", coordinator)[0] == 0)
    except (OSError, struct.error):
        return False


def _string(text: str) -> bytes:
    """A string in Kafka's protocol."""
    return struct.pack(">h", len(text)) + text.encode("ascii")


def _ask(broker: socket.socket, api: tuple[int, int], body: bytes) -> bytes:
    """Send one request; returns the answer's body, without its correlation id."""
    header = struct.pack(">hhi", *api, 1) + _string(_CLIENT)
    broker.sendall(struct.pack(">i", len(header) + len(body)) + header + body)
    size = struct.unpack(">i", broker.recv(4, socket.MSG_WAITALL))[0]
    if not 0 < size <= _MAX_ANSWER_BYTES:
        raise struct.error("not an answer of a Kafka broker")
    return broker.recv(size, socket.MSG_WAITALL)[4:]
