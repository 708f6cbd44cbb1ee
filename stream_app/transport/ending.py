"""Ending clients of aiokafka, whatever becomes of that."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

_CANCEL_SECONDS: Final = 1.0


async def ended(stop: Coroutine[Any, Any, None], seconds: float) -> bool:
    """Wait for a client to stop, for so long; whether it did so in order.

    In a task of its own, because a client cancels its tasks and waits for them, and both go wrong
    now and then: a fetch that waits to be repeated ends as cancelled, and whoever stops the client
    with it, as if somebody had wanted that (a background task ended so without a word); a
    cancellation that `asyncio.wait_for` swallows, until Python 3.12, is waited for for ever.
    """
    stopping = asyncio.ensure_future(stop)
    await asyncio.wait({stopping}, timeout=seconds)
    if not stopping.done():
        stopping.cancel()
        await asyncio.wait({stopping}, timeout=_CANCEL_SECONDS)
    return stopping.done() and not stopping.cancelled() and stopping.exception() is None
