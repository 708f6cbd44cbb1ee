"""The Faust app of a worker: started and stopped in the right order, stopped for good reasons."""

import asyncio
import logging
from typing import Final

import faust
from faust.app.base import BootStrategy

from stream_app.agents.clock import Clock
from stream_app.agents.lookout import Lookout
from stream_app.agents.retirement import Retirement
from stream_app.metrics.http import MetricsAddressError
from stream_app.runtime import Runtime
from stream_app.state.errors import StateTorn
from stream_app.state.server import UnsuitableServer
from stream_app.transport.consumer import BatchConsumer
from stream_app.transport.errors import LogMismatch, PublishRejected
from stream_app.transport.topics import TopicRefused

logger = logging.getLogger(__name__)

REFUSALS: Final = (
    *(UnsuitableServer, TopicRefused, MetricsAddressError),
    *(LogMismatch, StateTorn, PublishRejected),
)
"""What stops a worker for reasons outside of it; the message says what to do."""


class _Boot(BootStrategy):
    """Faust's own web server listens on all interfaces, and `--with-web` is its default."""

    enable_web = False


class StreamApp(faust.App):
    """A Faust app that brings up its runtime before it consumes, and takes it down last.

    Attributes:
        fatal_error: what stopped the worker, after it was told.
    """

    BootStrategy = _Boot
    runtime: Runtime
    clock: Clock | None = None
    lookout: Lookout
    retirement: Retirement
    fatal_error: BaseException | None = None

    async def on_first_start(self) -> None:
        """Called by Faust before anything of its own starts."""
        await super().on_first_start()
        try:
            await self.runtime.start()
        except Exception as error:
            self._tell(error)
            raise

    async def on_started(self) -> None:
        """Called by Faust when it consumes."""
        await super().on_started()
        consumer: BatchConsumer = self.consumer  # type: ignore[assignment] # our transport's
        self.runtime.observe(consumer)
        if self.clock is not None:
            self.runtime.spawn(self.clock.run(), "clock")
        self.runtime.spawn(self.lookout.ask(), "ask who speaks")
        self.runtime.spawn(self.lookout.look(), "look at the values")
        self.runtime.spawn(self.retirement.run(), "take back results")

    def on_rebalance_end(self) -> None:
        """Called by Faust when it has been assigned partitions and has positioned itself."""
        super().on_rebalance_end()
        self.runtime.own.rebalances.inc()

    async def on_shutdown(self) -> None:
        """Called by Faust when all of its own has stopped."""
        await super().on_shutdown()
        await self.runtime.stop()

    def stop_for(self, error: BaseException) -> None:
        """Stop the worker: going on would count wrong. Nothing is acknowledged."""
        if self.fatal_error is None:
            self._tell(error)
            asyncio.get_running_loop().create_task(self.crash(error))

    def _tell(self, error: BaseException) -> None:
        self.fatal_error = error
        # Whoever operates the worker can mend these; a traceback would only hide what to do.
        is_bug = not isinstance(error, REFUSALS)
        logger.critical("the worker stops: %s", error, exc_info=error if is_bug else None)
