"""One stage per claimed partition of a topic, with its publishing task: begun and ended by claims.

An agent is a thin shell: it hands every batch to `PartitionWork.take`. What can go wrong on the way
is decided here, once for both stages:

    Redis or Kafka away      wait and go on, nothing acknowledged
    fenced                   forget the partition; it comes back with the next claim
    anything else            stop the worker, nothing acknowledged (Faust would skip the batch)
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Generic, Protocol, TypeVar

from stream_app.agents.patience import Patience
from stream_app.metrics.own import OwnMetrics
from stream_app.stages.ports import OutRecord
from stream_app.state.claims import Claims, TopicPartition
from stream_app.state.errors import CommitTooLarge, Fenced
from stream_app.state.partition import PartitionState
from stream_app.transport.batch import Batch, Gap, align

logger = logging.getLogger(__name__)


class Stage(Protocol):
    """What both stages can do."""

    @property
    def publications(self) -> int:
        """How often something was published and acknowledged."""

    @property
    def stopped(self) -> object:
        """Why the partition takes nothing any more; None: it does."""

    @property
    def has_words(self) -> bool:
        """Whether there is something that ought to be published now."""

    async def begin(self) -> None:
        """Load what is needed before the first batch."""

    async def take(self, records: Any, next_offset: int) -> Any:
        """Take in a run of records and commit."""

    def farewell(self) -> Sequence[OutRecord]:
        """What the successor has to be told."""

    async def let_go(self) -> None:
        """Forget all that is kept in memory: the claim is over."""


S = TypeVar("S", bound=Stage)


class _Work(Generic[S]):
    """A stage, the claim it works under, and its publishing task."""

    __slots__ = ("begun", "news", "stage", "state", "task")

    def __init__(self, state: PartitionState, stage: S) -> None:
        self.state = state
        self.stage = stage
        self.begun = asyncio.Event()
        self.news = asyncio.Event()
        self.task: asyncio.Task[None] | None = None


class PartitionWork(Generic[S]):
    """The stages of the partitions of one topic that this worker owns."""

    def __init__(
        self,
        topic: str,
        *,
        new_stage: Callable[[PartitionState], S],
        publish: Callable[[S], Awaitable[bool]],
        claims: Claims,
        patience: Patience,
        own: OwnMetrics,
        reclaim: Callable[[TopicPartition], None],
        rewind: Callable[[Gap], Awaitable[None]],
        halt: Callable[[TopicPartition], None],
        fatal: Callable[[BaseException], None],
        is_stopping: Callable[[], bool],
        farewell: Callable[[Awaitable[Sequence[OutRecord]]], None],
    ) -> None:
        """Listen to the claims of a topic.

        Args:
            topic: of the batches.
            new_stage: makes the stage for a fresh claim.
            publish: publishes what the stage has to say; True when there may be more.
            claims: of this worker.
            patience: for Redis and Kafka outages.
            own: metrics about ourselves.
            reclaim: asks for the partition again after it was fenced.
            rewind: reads a partition again from where a gap begins.
            halt: does not read a partition any more until it is claimed anew.
            fatal: stops the worker with an error.
            is_stopping: whether the worker stops; then its parts are cancelled in any order.
            farewell: sends what a stage leaves behind, after all that was sent before.
        """
        self._farewell = farewell
        self.topic: Final = topic
        self._new_stage = new_stage
        self._publish = publish
        self._claims = claims
        self._patience = patience
        self._own = own
        self._reclaim = reclaim
        self._rewind = rewind
        self._halt = halt
        self._fatal = fatal
        self._is_stopping = is_stopping
        self._work: dict[int, _Work[S]] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        claims.listen(on_claimed=self._claimed, on_released=self._released)

    @property
    def stages(self) -> dict[int, S]:
        """The stage of each owned partition."""
        return {partition: work.stage for partition, work in self._work.items()}

    def wake(self, partition: int) -> None:
        """A stage may have something to publish though it took no batch."""
        if work := self._work.get(partition):
            work.news.set()

    # -- claims ----------------------------------------------------------------------------------

    def _claimed(self, state: PartitionState) -> None:
        if state.topic != self.topic:
            return
        work = self._work[state.partition] = _Work(state, self._new_stage(state))
        work.task = asyncio.create_task(
            self._run(work), name=f"publish {self.topic}/{state.partition}"
        )

    def _released(self, tp: TopicPartition) -> None:
        if tp[0] != self.topic:
            return
        work = self._work.pop(tp[1], None)
        if work is not None and work.task is not None:
            work.task.cancel()
            work.begun.set()  # a batch that waits for it will find the claim to be over
            # Until Python 3.12 `asyncio.wait_for`, which aiokafka uses, may swallow a cancellation:
            # the task must see by itself that it is over.
            work.news.set()
            self._farewell(_last_words(work.task, work.stage))
            leaving = asyncio.create_task(_let_go(work.task, work.stage), name="let go")
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)
        self._own.forget_partition(*tp)

    # -- batches ---------------------------------------------------------------------------------

    async def take(self, batch: Batch) -> Sequence[Any]:
        """Hand a batch to its partition's stage; returns what it made of each commit's part."""
        work = self._work.get(batch.partition)
        if work is None or work.stage.stopped:
            return ()
        try:
            await work.begun.wait()
            aligned = align(batch, work.state.position)
            if isinstance(aligned, Gap):
                await self._rewind(aligned)
                return ()
            if not aligned:
                return ()
            taken = await self._taken(work, aligned)
        except Fenced as fenced:
            self._fenced(work, fenced)
            return ()
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            self._fatal(error)
            await asyncio.Event().wait()
            raise
        work.news.set()
        if work.stage.stopped:
            self._halt((self.topic, batch.partition))
        return taken

    async def _taken(self, work: _Work[S], batch: Batch) -> Sequence[Any]:
        """What the stage made of the batch; of its halves, if it changes too much for one commit.

        How much a record changes is known only when it was counted: some touch three cells, a
        spend over a year hundreds.
        """
        try:
            return (await self._patience(lambda: work.stage.take(batch.records, batch.end)),)
        except CommitTooLarge:
            if len(batch) < 2:  # noqa: PLR2004 - one record cannot be halved
                raise
        head, rest = batch.split(len(batch) // 2)
        logger.info("%s/%s: a batch of %d is taken in halves", *batch.tp, len(batch))
        taken = await self._taken(work, head)
        return taken if work.stage.stopped else (*taken, *await self._taken(work, rest))

    def _fenced(self, work: _Work[S], fenced: Fenced) -> None:
        tp = (work.state.topic, work.state.partition)
        if not self._is_current(work):
            return  # it was given back meanwhile: nothing is wrong
        logger.warning("%s", fenced)
        self._own.fenced_commits.labels(self.topic).inc()
        self._reclaim(tp)

    def _is_current(self, work: _Work[S]) -> bool:
        return self._work.get(work.state.partition) is work

    # -- publishing ------------------------------------------------------------------------------

    async def _run(self, work: _Work[S]) -> None:
        try:
            await self._patience(work.stage.begin)
            work.begun.set()
            while self._is_current(work):
                work.news.clear()
                while await self._patience(lambda: self._publish(work.stage)):
                    pass
                await work.news.wait()
        except asyncio.CancelledError:
            if self._is_current(work) and not self._is_stopping():
                where = f"{self.topic}/{work.state.partition}"
                self._fatal(RuntimeError(f"publishing of {where} was cancelled by nobody"))
            raise
        except GeneratorExit:
            raise
        except Fenced as fenced:
            self._fenced(work, fenced)
        except BaseException as error:  # noqa: BLE001 - a task that dies silently is an outage
            self._fatal(error)


async def _last_words(task: asyncio.Task[None], stage: Stage) -> Sequence[OutRecord]:
    """What a stage leaves behind, once it has stopped publishing."""
    await asyncio.wait({task})
    return stage.farewell()


async def _let_go(task: asyncio.Task[None], stage: Stage) -> None:
    """Empty a stage that is over: it has cycles, and the collector may come hours later."""
    await asyncio.wait({task})
    await stage.let_go()
