"""Claims the partitions a group assigned and finds where to read on, until it works.

    assigned ──▶ log facts ──▶ claim ──▶ does it fit? ──▶ seek ──▶ deliver chunks, each where the
        ▲            │           │             │                    last one ended
        └── back off ┴───────────┘             └▶ stop the worker

Faust positions its consumer once, gives that a time limit and hangs when it is missed. So this runs
beside Faust: a partition takes part when it is ready, and what it waits for can be asked.
"""

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from aiokafka.errors import IllegalStateError, KafkaError
from faust.types import TP

from stream_app.state.claims import Claims
from stream_app.state.errors import StateTorn, StoreUnavailable
from stream_app.state.partition import PartitionState
from stream_app.transport.errors import LogMismatch, Mismatch
from stream_app.transport.fetching import BatchConsumerThread, Chunk
from stream_app.transport.log_facts import require_fit

log = logging.getLogger(__name__)

_BACKOFF_FIRST_S: Final = 0.1
_BACKOFF_LAST_S: Final = 5.0
_RECLAIM_AFTER_S: Final = 0.3
_BEYOND_END_LOOKS: Final = 6
"""A new leader may name too small an end for some seconds, so look again before giving up."""


@dataclass(slots=True)
class _Position:
    epoch: int
    following: int


class Positioning:
    """Where each claimed partition is being read.

    Args:
        claims: of this worker.
        thread: the consumer's.
        fail: stops the worker; called with `LogMismatch` or `StateTorn`.

    Attributes:
        gaps: how often fetched records did not follow the last ones and were fetched again.
        changed: set whenever a partition becomes ready.
    """

    def __init__(
        self,
        claims: Claims,
        thread: BatchConsumerThread,
        fail: Callable[[Exception], Awaitable[None]],
    ) -> None:
        self._claims = claims
        self._thread = thread
        self._fail = fail
        self._positions: dict[TP, _Position] = {}
        self._waiting: dict[TP, str] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._run = object()
        self._epochs = itertools.count(1)
        self.gaps = 0
        self.changed = asyncio.Event()

    @property
    def waiting(self) -> Mapping[TP, str]:
        """Assigned partitions that cannot be read yet, and what each waits for."""
        return dict(self._waiting)

    @property
    def ready(self) -> frozenset[TP]:
        """Partitions that are being read."""
        return frozenset(self._positions)

    def begin(self, tps: Iterable[TP]) -> None:
        """An assignment begins: claims and positions these partitions."""
        self.end()
        for tp in tps:
            self._waiting[tp] = "its claim"
            self._spawn(self._establish(tp, self._run))

    def end(self) -> None:
        """An assignment ends: nothing is claimed or sought any more, all claims are given back."""
        self._run = object()
        for task in self._tasks:
            task.cancel()
        self._positions.clear()
        self._waiting.clear()
        self._claims.release([(state.topic, state.partition) for state in self._claims])

    def accept(self, tp: TP, chunk: Chunk) -> bool:
        """Whether the chunk follows what was delivered; if not, the partition is read again."""
        position = self._positions.get(tp)
        if position is None or position.epoch != chunk.epoch:
            return False  # fetched before the last seek
        if position.following != chunk.start:
            self.gaps += 1
            log.warning(
                "%s/%d: fetched from offset %d where %d was expected; reading again",
                *(tp.topic, tp.partition, chunk.start, position.following),
            )
            self._unready(tp, "being read again after a gap")
            self._spawn(self._realign(tp, self._run))
            return False
        position.following = chunk.end
        return True

    async def rewind(self, tp: TP, offset: int, epoch: int | None) -> bool:
        """Reads on from `offset`; False if that is under way already."""
        position = self._positions.get(tp)
        if position is None or epoch not in (None, position.epoch):
            return False
        self._unready(tp, "being read again")
        await self._seek(tp, offset, self._run)
        return True

    def halt(self, tp: TP) -> None:
        """Whoever takes its records wants no more of them: it is read no further."""
        self._positions.pop(tp, None)

    def reclaim(self, tp: TP) -> None:
        """After a fence: asks the group whether the partition is still ours, then claims it."""
        if tp not in self._positions:
            return  # under way already, or not ours any more
        state = self._claims.get(tp)
        offset = 0 if state is None else state.position
        self._unready(tp, "being claimed again after a fence")
        self._claims.release((tp,))
        self._spawn(self._reestablish(tp, offset, self._run))

    async def _reestablish(self, tp: TP, offset: int, run: object) -> None:
        # Two workers that each take the partition for theirs must not fence each other in turn:
        # the group confirms it to one of them only. It says no while it rebalances.
        delay_s = _RECLAIM_AFTER_S
        while run is self._run:
            await asyncio.sleep(delay_s)
            try:
                confirmed = await self._thread.confirm_membership(tp, offset)
            except (KafkaError, TimeoutError) as error:
                self._waiting[tp] = _named(error)
            else:
                if confirmed:
                    await self._establish(tp, run)
                    return
            delay_s = min(2 * delay_s, _BACKOFF_LAST_S)

    async def _establish(self, tp: TP, run: object) -> None:
        async def claimed() -> None:
            async def verify(state: PartitionState) -> None:
                # Again: what a predecessor wrote until it was fenced is in the log now.
                require_fit(state, (await self._thread.log_facts({tp}))[tp])

            facts = (await self._thread.log_facts({tp}))[tp]
            state = await self._claims.claim(tp, defaults=facts.pins, verify=verify)
            if run is self._run:
                await self._seek(tp, state.position, run)
            else:
                self._claims.release((tp,))

        await self._persist(tp, claimed, run)

    async def _realign(self, tp: TP, run: object) -> None:
        async def realigned() -> None:
            facts = (await self._thread.log_facts({tp}))[tp]
            state = self._claims.get(tp)
            if state is not None and run is self._run:
                require_fit(state, facts)
                await self._seek(tp, state.position, run)

        await self._persist(tp, realigned, run)

    async def _persist(self, tp: TP, attempt: Callable[[], Awaitable[None]], run: object) -> None:
        delay_s = _BACKOFF_FIRST_S
        looks = 0
        while run is self._run:
            try:
                await attempt()
            except (StoreUnavailable, KafkaError) as error:
                reason = _named(error)
            except LogMismatch as error:
                looks += 1
                reason = _named(error)
                if error.what is not Mismatch.BEYOND_END or looks == _BEYOND_END_LOOKS:
                    await self._fail(error)
                    return
            except StateTorn as error:
                await self._fail(error)
                return
            else:
                return
            if run is not self._run:
                return
            if self._waiting.get(tp) != reason:
                log.warning("%s/%d cannot be read yet: %s", tp.topic, tp.partition, reason)
            self._waiting[tp] = reason
            await asyncio.sleep(delay_s)
            delay_s = min(2 * delay_s, _BACKOFF_LAST_S)

    async def _seek(self, tp: TP, offset: int, run: object) -> None:
        epoch = next(self._epochs)
        try:
            await self._thread.reposition(tp, offset, epoch)
        except IllegalStateError:
            return  # no longer assigned; the next assignment begins anew
        if run is self._run:
            self._positions[tp] = _Position(epoch, offset)
            self._waiting.pop(tp, None)
            self.changed.set()

    def _unready(self, tp: TP, reason: str) -> None:
        self._positions.pop(tp, None)
        self._waiting[tp] = reason

    def _spawn(self, work: Awaitable[None]) -> None:
        async def watched() -> None:
            try:
                await work
            except Exception as error:  # noqa: BLE001 (a bug must stop the worker, not a task)
                await self._fail(error)

        task = asyncio.ensure_future(watched())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _named(error: Exception) -> str:
    return str(error) or type(error).__name__
