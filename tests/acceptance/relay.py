"""A port at which somebody begins to answer later: it leads to a server that runs elsewhere."""

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self

from stream_app.local.ports import free_ports


class Relay:
    """Nobody answers at `port` until the block begins.

    A Kafka client asks there for the brokers, and goes on with the addresses that it is told.
    """

    def __init__(self, upstream_port: int) -> None:
        self.port = free_ports(1)[0]
        self._upstream_port = upstream_port
        self._listener: socket.socket | None = None

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._listener is not None
        self._listener.close()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", self._upstream_port))
                for one, other in ((client, server), (server, client)):
                    threading.Thread(target=_forward, args=(one, other), daemon=True).start()


def _forward(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
