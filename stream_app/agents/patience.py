"""Going on when Redis or Kafka is away: trying again with pauses that grow."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from stream_app.agents.outages import Outages
from stream_app.state.errors import StoreUnavailable
from stream_app.transport.errors import BrokerUnavailable

_Result = TypeVar("_Result")

FIRST_PAUSE_SECONDS: Final = 0.05
LONGEST_PAUSE_SECONDS: Final = 2.0


class Patience:
    """Repeats what failed because Redis or Kafka cannot serve now; everything else is raised."""

    def __init__(self, outages: Outages) -> None:
        """Tell what is waited for."""
        self._outages = outages

    async def __call__(self, operation: Callable[[], Awaitable[_Result]]) -> _Result:
        """Do it until it is done; harmless to repeat is what callers must make sure of."""
        pause_s = FIRST_PAUSE_SECONDS
        who = object()
        served = False
        try:
            while True:
                try:
                    result = await operation()
                except (StoreUnavailable, BrokerUnavailable) as error:
                    self._outages.complain(who, error)
                else:
                    served = True
                    return result
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_SECONDS)
        finally:
            self._outages.withdraw(who, served=served)

    async def commit(self, operation: Callable[[], Awaitable[None]]) -> None:
        """The same for a commit, which is never given up."""
        await self(operation)
