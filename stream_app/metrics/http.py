"""The worker's own HTTP port: `/metrics`, `/healthz`, `/readyz` (contract.md, section 7)."""

import asyncio
import gzip
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import TracebackType
from typing import Final, Self, TypeVar

from aiohttp import web
from prometheus_client.exposition import choose_encoder

from stream_app.metrics.board import SnapshotBoard
from stream_app.metrics.health import Health, Status
from stream_app.metrics.kpi_gauges import NO_PAGE, KpiGauges, Page
from stream_app.metrics.own import OwnMetrics

T = TypeVar("T")

_SHUTDOWN_SECONDS = 1.0
_NO_STORE = {"Cache-Control": "no-store"}


class MetricsAddressError(Exception):
    """STREAM_APP_METRICS names an address that cannot be listened on."""


class MetricsServer:
    """Serves metrics and health from the worker's event loop; texts are made in one own thread."""

    def __init__(
        self,
        *,
        board: SnapshotBoard,
        gauges: KpiGauges,
        own: OwnMetrics,
        health: Health,
        host: str = "127.0.0.1",
        port: int = 9108,
    ) -> None:
        """Take what is served; port 0 takes a free one. Nothing listens before `start`."""
        self._board = board
        self._gauges = gauges
        self._own = own
        self._health = health
        self.host: Final = host
        self._port = port
        self._runner: web.AppRunner | None = None
        self._thread: ThreadPoolExecutor | None = None

    async def start(self) -> None:
        """Listen.

        Raises:
            MetricsAddressError: the port is taken, forbidden, or the host is not of this machine.
        """
        app = web.Application()
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
        await runner.setup()
        try:
            await web.TCPSite(runner, self.host, self._port).start()
        except OSError as error:
            await runner.cleanup()
            raise MetricsAddressError(
                f"STREAM_APP_METRICS={self.host}:{self._port}: cannot listen there"
                f" ({error.strerror or error}); set STREAM_APP_METRICS to a free host:port of this"
                " machine (port 0 takes any free one)"
            ) from error
        self._runner = runner
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="metrics")

    async def stop(self) -> None:
        """Stop listening; harmless if it never started."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.shutdown(wait=False, cancel_futures=True)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    @property
    def port(self) -> int:
        """The port that is listened on; before `start` the one asked for."""
        return self._port if self._runner is None else int(self._runner.addresses[0][1])

    async def _metrics(self, request: web.Request) -> web.Response:
        conditions = self._health.conditions
        self._own.rebuilding.set(Status.REBUILDING in conditions)
        self._own.degraded.set(Status.DEGRADED in conditions)
        self._own.in_service.set(self._health.status.in_service)
        page = await self._in_thread(partial(self._gauges.render, self._board.snapshot()))
        if not self._board.visible:  # the lease ended, or a pause came between
            page = NO_PAGE
        zipped = "gzip" in request.headers.get("Accept-Encoding", "")
        body, content_type = await self._in_thread(
            partial(self._exposition, page, request.headers.get("Accept", ""), zipped=zipped)
        )
        headers = _NO_STORE | {"Content-Type": content_type}
        if zipped:
            headers["Content-Encoding"] = "gzip"
        return web.Response(body=body, headers=headers)

    def _exposition(self, page: Page, accept: str, *, zipped: bool) -> tuple[bytes, str]:
        self._own.series_dropped.set(page.dropped)
        encode, content_type = choose_encoder(accept)
        # The KPI part comes first: OpenMetrics ends with an EOF line, which the encoder writes.
        body = page.text + encode(self._own.registry)
        return gzip.compress(body, compresslevel=1) if zipped else body, content_type

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def _healthz(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "alive"}, headers=_NO_STORE)

    async def _readyz(self, _request: web.Request) -> web.Response:
        status = self._health.status
        return web.json_response(
            {"status": status, "reasons": self._health.reasons},
            status=200 if status.in_service else 503,
            headers=_NO_STORE,
        )
