"""The agent `clock`: time as an event.

The worker that owns partition 0 of `kpi.ticks` says once a second what time it is, to `kpi.ticks`
and, as a control record, to every partition of `kpi.partials`. So the second stage has one input
per partition with one offset, midnight comes in quiet hours, and a replay sees the same clock. Two
owners for a moment do no harm: "now" is the latest instant said, it never goes back.
"""

import asyncio
from collections.abc import AsyncIterable, Awaitable, Callable
from typing import Any, Final

from stream_app.stages.ports import OutRecord, WallClock
from stream_app.wire.partial import CLOCK, WALL, Control, control_key, encode_value
from stream_app.wire.tick import encode_tick

TICK_SECONDS: Final = 1.0


class Clock:
    """Sends ticks while this worker owns the clock."""

    def __init__(
        self,
        *,
        ticks_topic: str,
        partials_topic: str,
        partitions: Callable[[], int],
        is_owner: Callable[[], bool],
        publish: Callable[[list[OutRecord]], Awaitable[None]],
        wall_clock_us: WallClock,
    ) -> None:
        self._ticks_topic = ticks_topic
        self._partials_topic = partials_topic
        self._partitions = partitions
        self._is_owner = is_owner
        self._publish = publish
        self._wall_clock_us = wall_clock_us

    async def __call__(self, stream: AsyncIterable[Any]) -> None:
        """The agent: being subscribed is what makes somebody the owner; the ticks are no news."""
        async for _ in stream:
            pass

    async def run(self) -> None:
        """Tick for ever."""
        while True:
            if self._is_owner():
                await self.tick()
            await asyncio.sleep(TICK_SECONDS)

    async def tick(self) -> None:
        """Say what time it is, everywhere."""
        now_us = self._wall_clock_us()
        control, key = encode_value(Control(now_us, now_us)), control_key(CLOCK, WALL)
        tick = encode_tick(now_us)
        records = []
        for partition in range(self._partitions()):
            name = b"%d" % partition
            records.append(OutRecord(self._ticks_topic, name, tick, partition))
            records.append(OutRecord(self._partials_topic, key, control, partition))
        await self._publish(records)
