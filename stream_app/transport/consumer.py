"""Faust's consumer, delivering runs of a partition from the stored offset on.

Overrides `faust.transport.drivers.aiokafka.Consumer` of faust-streaming 0.15.3. Partitions of the
*stateful* topics (those of `Claims`) are claimed and positioned at the offset in Redis, and their
records come as `Batch`es. All other topics keep Faust's behaviour.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator, Mapping
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final, cast

from aiokafka.errors import ConsumerStoppedError, KafkaError
from faust.transport.drivers.aiokafka import Consumer
from faust.types import TP, ConsumerMessage

from stream_app.transport.batch import Batch
from stream_app.transport.fetching import BatchConsumerThread, Chunk
from stream_app.transport.positioning import Positioning

if TYPE_CHECKING:
    from stream_app.transport.transport import BatchTransport

_BLOCKED_PAUSE_S: Final = 0.1
_COMMIT_PATIENCE_S: Final = 5.0
_SEEK_PATIENCE_S: Final = 10.0

log = logging.getLogger(__name__)


class BatchConsumer(Consumer):
    """Reads batches of stateful topics.

    Attributes:
        positioning: what is claimed and read, and what is waited for.
        failure: what stopped the worker, if a log or a state did not fit.
    """

    transport: "BatchTransport"
    _thread: BatchConsumerThread

    def __init__(self, transport: "BatchTransport", *args: Any, **kwargs: Any) -> None:
        super().__init__(transport, *args, **kwargs)
        self.claims = transport.claims
        self.failure: Exception | None = None
        self.positioning = Positioning(self.claims, self._thread, self._fail)
        self._read_offset = _ReadOffsets(self.claims.topics)
        self._room = self.positioning.changed
        self._kafka_commit: asyncio.Future[bool] | None = None

    async def rewind(self, tp: tuple[str, int], offset: int, *, epoch: int | None = None) -> bool:
        """Reads a stateful partition again from `offset`.

        Args:
            tp: topic and partition.
            offset: where to go on: `PartitionState.position`.
            epoch: of the batch or `Gap` that shows the need. Batches that were already on their
                way show it too, and must not cause another rewind each.

        Returns:
            False: not needed, the partition is being positioned already.
        """
        return await self.positioning.rewind(TP(*tp), offset, epoch)

    def reclaim(self, tp: tuple[str, int]) -> None:
        """After `Fenced`: gives the claim up and, once the group confirms us, claims again.

        The group decides, not Redis: a zombie's late claim fences the rightful owner, who would
        otherwise wait for an assignment that does not come.
        """
        self.positioning.reclaim(TP(*tp))

    async def log_ends(self, topic: str, partitions: Iterable[int]) -> dict[int, int]:
        """Where partitions of any topic end now.

        Raises:
            KafkaError: no answer, or the consumer has been stopped.
        """
        if self.should_stop or self._thread.should_stop:
            raise ConsumerStoppedError
        facts = await self._thread.log_facts({TP(topic, partition) for partition in partitions})
        return {tp.partition: found.end for tp, found in facts.items()}

    def halt(self, tp: tuple[str, int]) -> None:
        """Reads a stateful partition no further; until it is claimed anew it stays ours."""
        self.positioning.halt(TP(*tp))

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Any]]:
        """Called by Faust's fetcher, again and again; a message's value is a `Batch`."""
        if not self.flow_active:
            await self.wait(cast("Any", self.can_resume_flow))
        if self.should_stop:
            return
        generation = self.app.consumer_generation_id
        active = self._fetchable()
        if not active:
            await self._wait_for_room()
            return
        fetched = await self._thread.fetch(active, timeout)
        for tp, message in self._interleaved(fetched):
            # What is not delivered is not lost: every new assignment starts at the stored offset.
            if not self.flow_active or self.app.consumer_generation_id != generation:
                return
            yield tp, message

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Called by Faust inside every new assignment, after everybody else has positioned."""
        assigned = self.assignment()
        stateful = {tp for tp in assigned if tp.topic in self.claims.topics}
        self.positioning.begin(stateful)
        others = assigned - stateful
        if not others:
            return {}
        try:
            async with asyncio.timeout(_SEEK_PATIENCE_S):
                return await self._thread.seek_some_to_committed(others)
        except (KafkaError, TimeoutError) as error:
            # aiokafka goes to the committed offsets by itself as soon as it can ask for them.
            # Faust would stop every later recovery when this took too long.
            log.warning("positions of %s are not known yet: %r", sorted(others), error)
            return {}

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Called by Faust when a rebalance begins, before the group moves on."""
        self.positioning.end()
        await super().on_partitions_revoked(revoked)

    async def on_stop(self) -> None:
        """Called by Faust when the worker stops."""
        await super().on_stop()
        self.positioning.end()

    def on_buffer_drop(self, tp: TP) -> None:
        """Called by a stream's queue when it has room again."""
        super().on_buffer_drop(tp)
        self._room.set()

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Nothing: Faust's own watch goes by streams of single records.

        After an outage it takes partitions without records for stalled, and advises to raise its
        timeouts. What really stalls is in `lag_records` and `unpublished_seconds`.
        """

    def _new_consumer_thread(self) -> BatchConsumerThread:
        return BatchConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def _fetchable(self) -> set[TP]:
        topics, ready = self.claims.topics, self.positioning.ready
        active = self._get_active_partitions()
        return {tp for tp in active if tp.topic not in topics or tp in ready}

    async def _wait_for_room(self) -> None:
        """Faust would sleep for a second while all queues are full."""
        self._room.clear()
        try:
            await asyncio.wait_for(self._room.wait(), _BLOCKED_PAUSE_S)
        except TimeoutError:
            return

    def _interleaved(self, fetched: Mapping[TP, Chunk]) -> Iterator[tuple[TP, Any]]:
        """One message of each partition in turn, so that none waits for all of another's."""
        for row in zip_longest(*(self._messages(tp, chunk) for tp, chunk in fetched.items())):
            yield from (item for item in row if item is not None)

    def _messages(self, tp: TP, chunk: Chunk) -> Iterator[tuple[TP, ConsumerMessage]]:
        self.app.monitor.track_tp_end_offset(tp, chunk.log_end)
        if tp.topic not in self.claims.topics:
            for record in chunk.records:
                yield tp, self._to_message(tp, record)
        elif self.positioning.accept(tp, chunk):
            for batch in _batches(tp, chunk, self.transport.batch_records):
                yield tp, self._to_batch_message(tp, batch)

    def _to_batch_message(self, tp: TP, batch: Batch) -> ConsumerMessage:
        return ConsumerMessage(
            topic=tp.topic,
            partition=tp.partition,
            offset=batch.end - 1,
            timestamp=batch.records[-1].timestamp / 1000.0 if batch.records else 0.0,
            timestamp_type=0,
            headers=[],
            key=None,
            value=cast("Any", batch),
            checksum=None,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )

    def _filter_committable_offsets(self, tps: Iterable[TP]) -> dict[TP, int]:
        """Kafka is told what Redis holds; lag tools read it, nobody else."""
        others = (tp for tp in tps if tp.topic not in self.claims.topics)
        offsets = super()._filter_committable_offsets(others)
        for state in self.claims:
            tp = TP(state.topic, state.partition)
            if state.offset is not None and state.offset != self._committed_offset[tp]:
                offsets[tp] = state.offset
        return offsets

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """One try at a time: aiokafka tries for ever while the coordinator is away."""
        if self._kafka_commit is not None and not self._kafka_commit.done():
            return False
        if self._thread.should_stop:
            return False  # it crashed: its loop is closed, and nobody relies on this offset
        self._kafka_commit = asyncio.ensure_future(
            cast("Awaitable[bool]", super()._commit(offsets))
        )
        done, _ = await asyncio.wait({self._kafka_commit}, timeout=_COMMIT_PATIENCE_S)
        return bool(done) and self._kafka_commit.result()

    async def _fail(self, error: Exception) -> None:
        self.failure = error
        if self.transport.on_failure is not None:
            self.transport.on_failure(error)
        await self.crash(error)


class _ReadOffsets(defaultdict[TP, int | None]):
    """Faust drops messages below the last offset it read; after a rewind those are wanted."""

    def __init__(self, stateful: frozenset[str]) -> None:
        super().__init__(lambda: None)
        self._stateful = stateful

    def __setitem__(self, tp: TP, offset: int | None) -> None:
        if tp.topic not in self._stateful:
            super().__setitem__(tp, offset)


def _batches(tp: TP, chunk: Chunk, records_max: int) -> Iterator[Batch]:
    rest = Batch(
        tp.topic, tp.partition, chunk.records, chunk.start, chunk.end, chunk.log_end, chunk.epoch
    )
    while len(rest) > records_max:
        head, rest = rest.split(records_max)
        yield head
    yield rest
