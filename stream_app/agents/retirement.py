"""Takes the results of experiments back that the configuration does not name any more.

An experiment that goes makes a new state version, whose worker knows nothing of what the earlier
one said. So the owner of the first partition of `kpi.partials` looks at what stands in
`kpi.experiments`, not before all that replaces it can be said, and once an hour after that: while
workers are replaced one by one an earlier one may say its results again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

from stream_app.config.model import Experiment
from stream_app.stages.ports import OutRecord
from stream_app.wire.experiment import result_key

LOOK_AGAIN_SECONDS: Final = 3_600.0
_WAIT_SECONDS: Final = 1.0


class Retirement:
    """Looks at one topic for one configuration."""

    def __init__(
        self,
        topic: str,
        experiments: Iterable[Experiment],
        *,
        is_due: Callable[[], bool],
        read_keys: Callable[[], Awaitable[Iterable[bytes]]],
        publish: Callable[[Sequence[OutRecord]], Awaitable[None]],
        end_reign: Callable[[], Awaitable[None]],
    ) -> None:
        """Begin nothing.

        Args:
            topic: `kpi.experiments`.
            experiments: of the configuration.
            is_due: whether it is upon this worker, and it has the word.
            read_keys: the keys under which something stands in the topic.
            publish: sends records.
            end_reign: makes whoever speaks look at what stands.
        """
        self._topic = topic
        self._named = {result_key(e.name, variant) for e in experiments for variant in e.variants}
        self._is_due = is_due
        self._read_keys = read_keys
        self._publish = publish
        self._end_reign = end_reign

    async def run(self) -> None:
        """Look now and then, for ever."""
        while True:
            due = self._is_due()
            if due:
                await self.look()
            await asyncio.sleep(LOOK_AGAIN_SECONDS if due else _WAIT_SECONDS)

    async def look(self) -> int:
        """Take back what stands and is not named; how many records that were."""
        gone = sorted(set(await self._read_keys()) - self._named)
        if gone:
            await self._publish([OutRecord(self._topic, key, None) for key in gone])
            if not self._is_due():  # it may have come too late
                await self._end_reign()
        return len(gone)
