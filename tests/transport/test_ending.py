"""A client's end is waited for, but not for ever, and its cancellations are its own."""

import asyncio
from contextlib import suppress

from stream_app.transport.ending import ended


async def test_a_client_that_ends_in_order_has_ended() -> None:
    assert await ended(asyncio.sleep(0), 5)


async def test_what_a_client_cancels_within_itself_cancels_nobody_else() -> None:
    async def stop() -> None:
        waiting = asyncio.ensure_future(asyncio.Event().wait())
        asyncio.get_running_loop().call_soon(waiting.cancel)
        await waiting

    assert not await ended(stop(), 5)


async def test_a_client_that_swallows_its_cancellation_is_left_behind() -> None:
    released = asyncio.Event()

    async def stop() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await released.wait()

    assert not await ended(stop(), 0)
    released.set()


async def test_an_error_while_ending_is_nobody_elses() -> None:
    async def stop() -> None:
        raise OSError

    assert not await ended(stop(), 5)
