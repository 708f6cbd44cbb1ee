"""Faust's consumer thread, fetching runs of a partition instead of single records.

Overrides `AIOKafkaConsumerThread` of faust-streaming 0.15.3 and looks into the fetcher of aiokafka
0.14.0. Everything here runs in the consumer's thread and is called through `call_thread`.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

import aiokafka
from aiokafka.errors import ConsumerStoppedError
from aiokafka.structs import ConsumerRecord, TopicPartition
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Transport
from faust.types import TP

from stream_app.transport.log_facts import LogFacts, read_log_facts

FETCH_WAIT_MS: Final = 100
_REASSIGNMENT_PAUSE_S: Final = 0.05
_CONFIRMATION_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one fetch brought of one partition: every record in `[start, end)`."""

    records: list[ConsumerRecord[bytes | None, bytes | None]]
    start: int
    end: int
    log_end: int
    epoch: int


class BatchConsumerThread(AIOKafkaConsumerThread):
    """The thread in which aiokafka's consumer lives."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._epochs: dict[TP, int] = {}

    def _create_worker_consumer(self, transport: Transport) -> aiokafka.AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        # One fetch per broker is under way at a time, and Faust lets it wait 1.5 s for records of
        # idle partitions, while new ones of all others wait behind it.
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS  # noqa: SLF001
        # An aborted transaction never happened.
        consumer._isolation_level = "read_committed"  # noqa: SLF001
        return consumer

    async def fetch(self, active: set[TP], timeout: float) -> Mapping[TP, Chunk]:
        """What has been fetched of the active partitions; waits if there is nothing yet.

        Raises:
            KafkaError: what the broker refused, a corrupt record, a stopped consumer.
        """
        return cast(
            "Mapping[TP, Chunk]",
            await self.call_thread(self._fetch, self._ensure_consumer(), active, timeout),
        )

    async def reposition(self, tp: TP, offset: int, epoch: int) -> None:
        """Seeks; later chunks carry this epoch.

        Raises:
            IllegalStateError: the partition is not assigned any more.
        """
        await self.call_thread(self._reposition, tp, offset, epoch)

    async def log_facts(self, tps: set[TP]) -> dict[TP, LogFacts]:
        """Asks the brokers what these logs are now.

        Raises:
            KafkaError: no answer.
        """
        found = await self.call_thread(
            read_log_facts, self._ensure_consumer(), [TopicPartition(*tp) for tp in tps]
        )
        return cast("dict[TP, LogFacts]", found)

    async def seek_some_to_committed(self, tps: set[TP]) -> Mapping[TP, int]:
        """Faust's own positioning, for some partitions only."""
        found = await self.call_thread(
            self._ensure_consumer().seek_to_committed, *(TopicPartition(*tp) for tp in tps)
        )
        return cast("Mapping[TP, int]", found)

    async def confirm_membership(self, tp: TP, offset: int) -> bool:
        """Whether the group says, now, that the partition is ours.

        Commits an (advisory) offset: the coordinator refuses it from anybody but a member of the
        current generation.

        Raises:
            KafkaError: no answer.
        """
        return cast("bool", await self.call_thread(self._confirm_membership, tp, offset))

    async def _confirm_membership(self, tp: TP, offset: int) -> bool:
        consumer = self._ensure_consumer()
        generation = consumer._coordinator.generation  # noqa: SLF001
        if generation < 0 or TopicPartition(*tp) not in consumer.assignment():
            return False
        try:
            await asyncio.wait_for(consumer.commit({TopicPartition(*tp): offset}), _CONFIRMATION_S)
        except aiokafka.errors.CommitFailedError:
            return False
        return bool(consumer._coordinator.generation == generation)  # noqa: SLF001

    async def _reposition(self, tp: TP, offset: int, epoch: int) -> None:
        self._ensure_consumer().seek(TopicPartition(*tp), offset)
        self._epochs[tp] = epoch

    async def _fetch(
        self, consumer: aiokafka.AIOKafkaConsumer, active: set[TP], timeout: float
    ) -> dict[TP, Chunk]:
        fetcher: Any = consumer._fetcher  # noqa: SLF001
        subscriptions: Any = consumer._subscription  # noqa: SLF001
        deadline = time.monotonic() + timeout
        with subscriptions.fetch_context():
            while self.consumer.flow_active:
                if consumer._closed or fetcher._closed:  # noqa: SLF001
                    raise ConsumerStoppedError
                if subscriptions.reassignment_in_progress:
                    # Faust waits here for the assignment, which needs this thread's few workers.
                    await asyncio.sleep(_REASSIGNMENT_PAUSE_S)
                    return {}
                if chunks := await self._drain(fetcher, subscriptions, active):
                    return chunks
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    return {}
                waiter = fetcher._create_fetch_waiter()  # noqa: SLF001
                done, _ = await asyncio.wait({waiter}, timeout=remaining)
                if not done:
                    waiter.cancel()
                    return {}
                waiter.result()  # raises what the coordinator wants the consumer to know
        return {}

    async def _drain(self, fetcher: Any, subscriptions: Any, active: set[TP]) -> dict[TP, Chunk]:
        """Takes what is there without waiting, so that nothing moves between before and after.

        A partition's position before and after tells which offsets the records cover: aiokafka
        moves it over control batches, aborted and compacted records.
        """
        assignment = subscriptions.subscription.assignment
        states = {
            tp: assignment.state_value(TopicPartition(*tp))
            for tp in active
            if subscriptions.is_assigned(TopicPartition(*tp))
        }
        before = {tp: state.position for tp, state in states.items() if state.has_valid_position}
        drained = await fetcher.fetched_records(active, timeout=0)
        return {
            tp: Chunk(
                records=drained.get(tp, []),
                start=start,
                end=states[tp].position,
                log_end=states[tp].highwater or 0,
                epoch=self._epochs.get(tp, 0),
            )
            for tp, start in before.items()
            if states[tp].has_valid_position and states[tp].position > start
        }
