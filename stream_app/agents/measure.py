"""The agent `measure`: batches of `crm.events` → stage one → `kpi.partials`, `crm.dead-letters`."""

import asyncio
import logging
from collections.abc import AsyncIterable, Callable
from typing import Final

from stream_app.agents.partition_work import PartitionWork
from stream_app.metrics.health import Health
from stream_app.metrics.own import OwnMetrics
from stream_app.metrics.poison import PoisonFuse
from stream_app.stages.accepting import BatchSummary, Stop
from stream_app.stages.measuring import FAR_BEHIND, Measurer
from stream_app.state.claims import TopicPartition
from stream_app.transport.batch import Batch

logger = logging.getLogger(__name__)

PAUSE_FAR_BEHIND_SECONDS: Final = 0.5


class MeasureAgent:
    """A thin shell over `Measurer`: it only counts what happened."""

    def __init__(
        self,
        work: PartitionWork[Measurer],
        *,
        own: OwnMetrics,
        health: Health,
        monotonic_s: Callable[[], float],
    ) -> None:
        self._work = work
        self._own = own
        self._health = health
        self._monotonic_s = monotonic_s
        self._fuses: dict[int, PoisonFuse] = {}
        self._stops: dict[int, Stop] = {}

    async def __call__(self, stream: AsyncIterable[Batch]) -> None:
        """Take batches for ever."""
        async for batch in stream:
            began_s = self._monotonic_s()
            stage = self._work.stages.get(batch.partition)
            if stage is not None:
                stage.backlog = max(0, batch.log_end - batch.end)
            for summary in await self._work.take(batch):
                self._observe(batch, summary, began_s)

    def forget(self, tp: TopicPartition) -> None:
        """A partition is not ours any more: nor is what is wrong with it."""
        topic, partition = tp
        if topic != self._work.topic:
            return
        self._fuses.pop(partition, None)
        self._health.restore(f"poison-{partition}")
        self._health.restore(f"stopped-{partition}")
        if (stop := self._stops.pop(partition, None)) is not None:
            self._own.stopped_before_offset.remove(topic, str(partition), stop.reason)

    def show_counts(self, topic: str, stage: Measurer) -> None:
        """Export the committed counts of a partition that this worker owns."""
        for outcome, count in stage.counts.items():
            self._own.set_partition_records(topic, stage.partition, outcome, count)
        self._own.source_offset.labels(topic, str(stage.partition)).set(stage.offset)

    def _observe(self, batch: Batch, summary: BatchSummary, began_s: float) -> None:
        own, now_s = self._own, self._monotonic_s()
        own.batch_records.observe(len(summary.dead))
        own.batch_duration.labels("measure").observe(now_s - began_s)
        for (type_name, outcome), count in summary.outcomes.items():
            own.events.labels(batch.topic, type_name, outcome).inc(count)
        for reason, count in summary.reasons.items():
            own.dead_letters.labels(reason).inc(count)
        stage = self._work.stages.get(batch.partition)
        if stage is not None:
            self.show_counts(batch.topic, stage)
            if stage.stopped is not None:
                self._tell_stop(batch, stage.stopped)
        fuse = self._fuses.setdefault(batch.partition, PoisonFuse())
        fuse.observe(now_s, summary.dead)
        self._health.set_degraded(f"poison-{batch.partition}", fuse.reason(now_s))

    def _tell_stop(self, batch: Batch, stop: Stop) -> None:
        self._stops[batch.partition] = stop
        where = f"{batch.topic}/{batch.partition}"
        told = (
            f"{where} is stopped before offset {stop.offset}, because of `poison: stop`: "
            f"{stop.reason}, {stop.detail}. Mend the configuration if the record is right, or set "
            "`poison: dead_letter` to leave it out; then start the worker again"
        )
        logger.error("%s", told)
        self._health.degrade(f"stopped-{batch.partition}", told)
        gauge = self._own.stopped_before_offset
        gauge.labels(batch.topic, str(batch.partition), stop.reason).set(stop.offset)


async def publish_partials(stage: Measurer) -> bool:
    """Publish what a partition committed; True when there may be more.

    Far behind the end of the log there is no hurry: what changes within the pause is sent once.
    """
    published = await stage.publish_outbox()
    if published and stage.backlog > FAR_BEHIND:
        await asyncio.sleep(PAUSE_FAR_BEHIND_SECONDS)
    return published
