"""The agent `evaluate`: batches of `kpi.partials` → stage two → `kpi.values` and the gauges."""

import asyncio
from collections.abc import AsyncIterable, Callable
from typing import Final

from stream_app.agents.partition_work import PartitionWork
from stream_app.agents.rest import Rest
from stream_app.domain.evaluation import KpiValue
from stream_app.domain.kpi import PEOPLE
from stream_app.domain.scopes import split_scope
from stream_app.domain.silence import SILENT_SOURCES
from stream_app.metrics.board import Sample, SnapshotBoard, TargetSample, TargetState
from stream_app.metrics.own import OwnMetrics
from stream_app.stages.alert_words import TargetShown
from stream_app.stages.evaluating import EvaluatingStage
from stream_app.stages.evaluation import Flushed
from stream_app.stages.ports import WallClock
from stream_app.transport.batch import Batch

LONGEST_PAUSE_SECONDS: Final = 1.0
PAUSE_FACTOR: Final = 3
HISTORY_MS: Final = 3_600_000
"""Records older than this when they are published are history (an import), not stale news."""
WORTH_A_PAUSE_SECONDS: Final = 0.02


class EvaluateAgent:
    """A thin shell over `EvaluatingStage`."""

    def __init__(
        self,
        work: PartitionWork[EvaluatingStage],
        *,
        own: OwnMetrics,
        monotonic_s: Callable[[], float],
    ) -> None:
        self._work = work
        self._own = own
        self._monotonic_s = monotonic_s

    async def __call__(self, stream: AsyncIterable[Batch]) -> None:
        """Take batches for ever."""
        async for batch in stream:
            began_s = self._monotonic_s()
            await self._work.take(batch)
            self._own.batch_duration.labels("evaluate").observe(self._monotonic_s() - began_s)


class ValuePublisher:
    """Publishes what stages have to say, and shows it: at once when idle, conflated under load.

    One partition at a time, and after a publication that took long a rest of up to three times as
    long: what changes meanwhile is published together, and the worker goes on counting. It is over
    when nothing else is to be done. There is none at a take-over: until all is said again, series
    are missing on every page.
    """

    def __init__(
        self,
        *,
        board: SnapshotBoard,
        own: OwnMetrics,
        wall_clock_us: WallClock,
        monotonic_s: Callable[[], float],
        processor_s: Callable[[], float],
    ) -> None:
        self._board = board
        self._own = own
        self._wall_clock_us = wall_clock_us
        self._monotonic_s = monotonic_s
        self._rest = Rest(monotonic_s=monotonic_s, processor_s=processor_s)
        self._turn = asyncio.Lock()

    async def __call__(self, stage: EvaluatingStage) -> bool:
        """One publication; True when there is more to publish now."""
        async with self._turn:
            began_s = self._monotonic_s()
            flushed = await stage.speaker.flush()
            if flushed is None:
                return False
            self._show(stage.partition, flushed)
            took_s = self._monotonic_s() - began_s
            if took_s > WORTH_A_PAUSE_SECONDS and not stage.speaker.takes_over:
                await self._rest(min(LONGEST_PAUSE_SECONDS, PAUSE_FACTOR * took_s))
        return stage.speaker.is_dirty

    def _show(self, partition: int, flushed: Flushed) -> None:
        for scope, values in flushed.current.items():
            dimension, member = split_scope(scope)
            samples = [_sample(v, dimension, member) for v in values if v.value is not None]
            goals = [_target(shown, dimension, member) for shown in flushed.targets[scope]]
            self._board.replace((partition, scope), samples, goals)
        if flushed.sources:
            silent = [_source(*each) for each in flushed.sources]
            self._board.replace((partition, SILENT_SOURCES), (), silent)
        now_ms = self._wall_clock_us() // 1000
        for news_ms in flushed.news_ms:
            if now_ms - news_ms < HISTORY_MS:
                self._own.freshness.observe(max(0, now_ms - news_ms) / 1000)


def _sample(value: KpiValue, dimension: str, member: str) -> Sample:
    assert value.value is not None  # noqa: S101 - the caller left those out
    size = value.denominator if value.denominator is not None else value.value
    return Sample(
        kpi=value.kpi.name,
        unit=value.kpi.definition.unit,
        window=value.window.kind,
        dimension=dimension,
        member=member,
        value=value.value,
        sample_size=int(size),
        previous=value.previous if dimension in PEOPLE else None,
    )


def _target(shown: TargetShown, dimension: str, member: str) -> TargetSample:
    return TargetSample(
        target=shown.target,
        kpi=shown.kpi,
        window=shown.window,
        dimension=dimension,
        member=member,
        target_value=shown.value,
        attainment=shown.attainment,
        state=None if shown.state is None else TargetState.of(shown.state),
        reason=shown.reason,
        of_closed=shown.of_closed,
        coaching=None if shown.coaching is None else TargetState.of(shown.coaching),
    )


def _source(name: str, state: str) -> TargetSample:
    """A source that may not be silent: like a target of the company, without a KPI."""
    return TargetSample(
        target=name,
        kpi="",
        window="",
        dimension="company",
        member="all",
        target_value=None,
        attainment=None,
        state=TargetState.of(state),
    )
