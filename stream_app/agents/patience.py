"""Going on when Redis or Kafka is away: pauses that grow, one log line each, readiness told."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from stream_app.metrics.health import Health
from stream_app.metrics.own import OwnMetrics
from stream_app.state.errors import StoreUnavailable
from stream_app.transport.errors import BrokerUnavailable

logger = logging.getLogger(__name__)
_Result = TypeVar("_Result")

FIRST_PAUSE_SECONDS: Final = 0.05
LONGEST_PAUSE_SECONDS: Final = 2.0


class Patience:
    """Repeats what failed because Redis or Kafka cannot serve now; everything else is raised."""

    def __init__(self, health: Health, own: OwnMetrics) -> None:
        self._health = health
        self._own = own

    async def __call__(self, operation: Callable[[], Awaitable[_Result]]) -> _Result:
        """Do it until it is done; harmless to repeat is what callers must make sure of."""
        pause_s = FIRST_PAUSE_SECONDS
        complained = False
        while True:
            try:
                result = await operation()
            except (StoreUnavailable, BrokerUnavailable) as error:
                self._tell(error)
                if not complained:
                    logger.warning("%s; trying again until it serves", error)
                    complained = True
            else:
                self._health.set_redis(reachable=True)
                self._health.set_kafka(reachable=True)
                if complained:
                    logger.info("it serves again")
                return result
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_SECONDS)

    async def commit(self, operation: Callable[[], Awaitable[None]]) -> None:
        """The same for a commit, which is never given up."""
        await self(operation)

    def _tell(self, error: StoreUnavailable | BrokerUnavailable) -> None:
        if isinstance(error, StoreUnavailable):
            self._own.store_errors.labels(error.kind.value).inc()
            self._health.set_redis(reachable=False, reason=str(error))
        else:
            self._health.set_kafka(reachable=False, reason=str(error))
