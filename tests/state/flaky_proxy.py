"""A TCP proxy that loses requests and replies on demand."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

Chunk = bytes


class FlakyProxy:
    """Forwards to a port until told otherwise.

    `lose_reply` and `lose_request` look at what the client sends; where they say yes, the
    connection breaks after (before) the server got it. Each fires `times` times. `hold` keeps
    matching requests back until `let_go`, while the client's connection breaks at once. `before`
    is awaited before a request goes on.
    """

    def __init__(self, upstream_port: int) -> None:
        self.upstream_port = upstream_port
        self.lose_reply: Callable[[Chunk], bool] | None = None
        self.lose_request: Callable[[Chunk], bool] | None = None
        self.hold: Callable[[Chunk], bool] | None = None
        self.before: Callable[[Chunk], Awaitable[None]] | None = None
        self.times = 1
        self.refuse = False
        self.held: list[tuple[asyncio.StreamReader, asyncio.StreamWriter, Chunk]] = []
        self._open: set[asyncio.StreamWriter] = set()

    async def start(self) -> "FlakyProxy":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=2**26)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    async def stop(self) -> None:
        self._server.close()
        for writer in list(self._open):
            writer.close()

    async def let_go(self) -> None:
        """The held requests reach the server now; their replies go nowhere."""
        for reader, writer, data in self.held:
            writer.write(data)
            await writer.drain()
            await reader.read(65536)
            writer.close()
        self.held.clear()

    def _fires(self, rule: Callable[[Chunk], bool] | None, data: Chunk) -> bool:
        if rule is None or self.times <= 0 or not rule(data):
            return False
        self.times -= 1
        return True

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refuse:
            writer.close()
            return
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.upstream_port)
        self._open |= {writer, up_writer}
        muted = asyncio.Event()
        answering = asyncio.create_task(self._answer(up_reader, writer, muted))
        with contextlib.suppress(OSError):
            while data := await reader.read(2**26):
                if self._fires(self.hold, data):
                    answering.cancel()
                    self.held.append((up_reader, up_writer, data))
                    writer.close()
                    return
                if self._fires(self.lose_request, data):
                    break
                if self._fires(self.lose_reply, data):
                    muted.set()
                if self.before is not None:
                    await self.before(data)
                up_writer.write(data)
                await up_writer.drain()
        writer.close()
        up_writer.close()
        self._open -= {writer, up_writer}

    @staticmethod
    async def _answer(
        upstream: asyncio.StreamReader, writer: asyncio.StreamWriter, muted: asyncio.Event
    ) -> None:
        with contextlib.suppress(OSError):
            while (data := await upstream.read(2**20)) and not muted.is_set():
                writer.write(data)
                await writer.drain()
        writer.close()
