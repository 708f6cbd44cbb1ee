"""A rest that leaves the processor to others, for as long as they use it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

LOOK_SECONDS: Final = 0.02
IDLE_SHARE: Final = 0.1
"""Who uses less of the processor than this has nothing to do, or waits for something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """Rests in short pieces and looks after each whether somebody made use of it.

    Attributes:
        monotonic_s: the time that goes by.
        processor_s: the processor time that this process has used.
    """

    monotonic_s: Callable[[], float]
    processor_s: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def __call__(self, longest_s: float) -> None:
        """Rest for so long, or until the process has next to nothing to do."""
        now_s = self.monotonic_s()
        end_s = now_s + longest_s
        while now_s < end_s:
            began_s, used_s = now_s, self.processor_s()
            await self.sleep(min(LOOK_SECONDS, end_s - now_s))
            now_s = self.monotonic_s()
            if self.processor_s() - used_s < IDLE_SHARE * (now_s - began_s):
                return
