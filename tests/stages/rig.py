"""Both stages on a real Redis, with topics in memory: every step by itself, in any order."""

from collections.abc import Awaitable, Callable, Iterable

import faust

from stream_app.company import Company
from stream_app.domain.rates import Rates
from stream_app.domain.rules import FoldRules
from stream_app.domain.trial import trial_scope
from stream_app.domain.windows import WindowRules, last_instant_of
from stream_app.stages.accepting import BatchSummary
from stream_app.stages.alert_plan import AlertPlan
from stream_app.stages.evaluating import EvaluatingStage
from stream_app.stages.evaluation import Evaluation, Flushed
from stream_app.stages.listening import Silence
from stream_app.stages.measuring import Measurer
from stream_app.stages.partial_records import Outputs
from stream_app.stages.ports import OutRecord
from stream_app.stages.standing import Standing
from stream_app.state.claims import Claims
from stream_app.state.client import Client
from stream_app.state.keys import PartitionKeys
from stream_app.state.partition import PartitionState
from stream_app.state.tables import StateTable
from stream_app.topology import EVALUATE_TABLES, MEASURE_TABLES
from stream_app.verification.compare import Comparison, Difference, compare_values
from stream_app.verification.recompute import Recomputation
from stream_app.verification.results import ResultRounds
from stream_app.wire.cloudevent import Rules
from stream_app.wire.partial import CLOCK, Control, control_key, encode_value, parse_key
from tests.stages.company import SOURCES, Logged
from tests.stages.outside import (
    ALERTS,
    DEAD,
    EVENTS,
    EXPERIMENTS,
    PARTIALS,
    PARTIALS_PARTITIONS,
    VALUES,
    Shaky,
    Topics,
)

NAMESPACE = "stream-app:stages"


class Rig:
    """All partitions of both stages, each owned by the stage that was begun last."""

    def __init__(
        self,
        redis: Client,
        company: Company,
        log: Iterable[Logged],
        *,
        cached_threads: int = 3,
        version: str = "",
    ) -> None:
        self.namespace, self.partials = NAMESPACE + version, PARTIALS + version
        self.redis = redis
        self.company = company
        self.config = company.config
        self.log: list[list[Logged]] = [[] for _ in range(SOURCES)]
        self.extend(log)
        self.topics = Topics()
        self.store_faults: list[str] = []
        self.cached_threads = cached_threads
        self.wall_us = 0
        self.wall_follows_records = True
        self.rebuild_until = 0
        self._app = faust.App("stages", broker="kafka://127.0.0.1:1", autodiscover=False)
        self.measurers: dict[int, Measurer] = {}
        self.evaluators: dict[int, EvaluatingStage] = {}
        self.reign = 0
        self.curious: set[int] = set()

    # -- what is there ---------------------------------------------------------------------------

    def extend(self, log: Iterable[Logged]) -> None:
        """More records in `crm.events`."""
        for record in log:
            self.log[record.partition].append(record)

    def keys(self, topic: str, partition: int) -> PartitionKeys:
        """Where Redis holds a partition's state."""
        return PartitionKeys(self.namespace, topic, partition)

    @property
    def is_event_clock(self) -> bool:
        return self.config.business.clock == "event"

    @property
    def is_wall_clock(self) -> bool:
        return self.config.business.as_of is None and not self.is_event_clock

    @property
    def fixed_now_us(self) -> int | None:
        as_of = self.config.business.as_of
        calendar = FoldRules.from_config(self.config).calendar
        return None if as_of is None else last_instant_of(as_of.toordinal(), calendar)

    def read_of(self, topic: str, partition: int) -> int:
        """How many records a stage has taken."""
        stages: dict[int, Measurer] | dict[int, EvaluatingStage] = (
            self.measurers if topic == EVENTS else self.evaluators
        )
        return stages[partition]._state.offset or 0

    # -- owning ----------------------------------------------------------------------------------

    async def own_all(self) -> None:
        """Begin every stage, as a worker that was assigned everything."""
        for partition in range(SOURCES):
            await self.own_source(partition)
        for partition in range(PARTIALS_PARTITIONS):
            await self.own_scopes(partition)

    async def own_source(self, partition: int) -> Measurer:
        """A new stage one from the state; whoever owned it before is fenced."""
        state, tables = await self._claim(EVENTS, partition, MEASURE_TABLES)
        stage = self.measurers[partition] = Measurer(
            Shaky(state, tables, self.store_faults),
            rules=FoldRules.from_config(self.config),
            accepted=Rules.from_config(self.config),
            outputs=Outputs(self.partials, DEAD, PARTIALS_PARTITIONS),
            publish=self.topics.publish,
            patiently=once,
            cached_threads=self.cached_threads,
            event_clock=self.is_event_clock,
            wall_clock_us=self.wall_clock_us if self.is_wall_clock else None,
            poison_stop=self.config.poison_stop,
            hears=tuple(self.config.silent_sources_us),
        )
        await stage.begin()
        return stage

    async def own_scopes(self, partition: int) -> EvaluatingStage:
        """A new stage two from the state."""
        state, tables = await self._claim(self.partials, partition, EVALUATE_TABLES)
        calendar = FoldRules.from_config(self.config).calendar
        plan = Evaluation(
            catalogue=self.company.catalogue,
            windows=WindowRules.from_config(self.config, calendar),
            rates=Rates.from_config(self.config),
            calendar=calendar,
            values_topic=VALUES,
            sources=SOURCES,
            fixed_now_us=self.fixed_now_us,
            event_clock=self.is_event_clock,
            experiments={trial_scope(each.name): each for each in self.config.experiments},
            experiments_topic=EXPERIMENTS,
            money_exponent=2,
            alerts=AlertPlan(
                goals=self.company.goals,
                working=self.company.working_days,
                calendar=calendar,
                windows=WindowRules.from_config(self.config, calendar),
                topic=ALERTS,
                partitions=PARTIALS_PARTITIONS,
                log=self.alert_log,
                clock_stands=self.fixed_now_us is not None,
                silence=Silence(
                    allowed_us=self.config.silent_sources_us, by_event=not self.is_wall_clock
                ),
            ),
        )
        stage = self.evaluators[partition] = EvaluatingStage(
            Shaky(state, tables, self.store_faults),
            plan,
            publish=self.topics.publish,
            patiently=once,
            wall_clock_us=self.wall_clock_us,
            may_speak=lambda: self.reign,
        )
        await stage.begin()
        self.curious.add(partition)
        return stage

    async def look(self, partition: int) -> None:
        """Stage two sees what stands in `kpi.values`."""
        standing = Standing(PARTIALS_PARTITIONS)
        for record in self.topics.all(VALUES):
            standing.add_value(record.key, record.value)
        for record in self.topics.all(EXPERIMENTS):
            standing.add_result(record.key, record.value)
        await self.evaluators[partition].speaker.look(standing, self.reign)
        self.curious.discard(partition)

    async def _claim(
        self, topic: str, partition: int, names: tuple[str, ...]
    ) -> tuple[PartitionState, dict[str, StateTable]]:
        claims = Claims(self.redis, {topic: self.namespace})
        ends = {
            EVENTS: self.rebuild_until,
            self.partials: len(self.topics.of(self.partials, partition)),
        }
        defaults = {"rebuild_until": ends[topic]}
        state = await claims.claim((topic, partition), defaults=defaults)
        state.log_end = len(self.log[partition]) if topic == EVENTS else ends[topic]
        return state, {
            name: StateTable(self._app, name=name, claims=claims, topic=topic) for name in names
        }

    async def alert_log(self) -> list[tuple[bytes, bytes | None]]:
        """Everything in `kpi.alerts`."""
        return [(r.key, r.value) for r in self.topics.all(ALERTS) if r.key is not None]

    def wall_clock_us(self) -> int:
        """Goes on by a millisecond whenever somebody looks."""
        self.wall_us += 1_000
        return self.wall_us

    # -- steps -----------------------------------------------------------------------------------

    async def take(self, partition: int, size: int = 10_000) -> BatchSummary | None:
        """Stage one takes up to so many records."""
        stage = self.measurers[partition]
        begin = self.read_of(EVENTS, partition)
        records = self.log[partition][begin : begin + size]
        if not records:
            return None
        if self.wall_follows_records:
            self.topics.now_ms = max(self.topics.now_ms, records[-1].timestamp)
            self.wall_us = max(self.wall_us, 1_000 * self.topics.now_ms)
        return await stage.take(records, records[-1].offset + 1)

    async def publish(self, partition: int) -> bool:
        """Stage one publishes its outbox."""
        return await self.measurers[partition].publish_outbox()

    async def evaluate(self, partition: int, size: int = 10_000) -> bool:
        """Stage two takes up to so many partials."""
        begin = self.read_of(self.partials, partition)
        records = self.topics.of(self.partials, partition)[begin : begin + size]
        if records:
            await self.evaluators[partition].take(records, records[-1].offset + 1)
        return bool(records)

    async def flush(self, partition: int) -> Flushed | None:
        """Stage two publishes."""
        return await self.evaluators[partition].speaker.flush()

    async def tick(self, now_us: int) -> None:
        """What the clock says, to every partition."""
        self.wall_us = max(self.wall_us, now_us)
        self.topics.now_ms = max(self.topics.now_ms, now_us // 1_000)
        faults, self.topics.faults = self.topics.faults, []
        body, key = encode_value(Control(now_us, now_us)), control_key(CLOCK, "wall")
        await self.topics.publish(
            [OutRecord(self.partials, key, body, p) for p in range(PARTIALS_PARTITIONS)]
        )
        self.topics.faults = faults

    async def settle(self) -> None:
        """Until nobody has anything to do."""
        self.topics.faults.clear()
        self.store_faults.clear()
        busy = True
        while busy:
            busy = False
            for partition in range(SOURCES):
                busy |= await self.take(partition, 500) is not None
                while await self.publish(partition):
                    busy = True
            for partition in range(PARTIALS_PARTITIONS):
                busy |= await self.evaluate(partition)
                stage = self.evaluators[partition]
                if stage.speaker.must_look or (
                    partition in self.curious and not stage.speaker.is_dirty
                ):
                    await self.look(partition)
                while await self.flush(partition):
                    busy = True

    # -- the truth -------------------------------------------------------------------------------

    def recomputed(self, records: Iterable[Logged] | None = None) -> Recomputation:
        """What the log says."""
        truth = Recomputation(
            self.config, self.company.catalogue, self.company.goals, self.company.working_days
        )
        for partition in range(SOURCES):
            truth.begin(partition, 0)
        for record in (r for log in self.log for r in log) if records is None else records:
            truth.add(record.partition, record)
        return truth

    def compared(self, last_tick_us: int | None = None) -> Comparison:
        """What stands in `kpi.values` against what the log says."""
        truth = self.recomputed()
        now_us = truth.now_us(last_tick_us)
        assert now_us is not None
        return compare_values(truth.values(now_us), self.topics.standing())

    def differences(self, last_tick_us: int | None = None) -> list[str]:
        """The differences, fit for an assertion."""
        found = self.compared(last_tick_us)
        assert found.records > 100
        listed = [each for listed in found.by_key.values() for each in listed]
        return [str(each) for each in (*self.result_differences(last_tick_us), *listed)][:20]

    def result_differences(self, last_tick_us: int | None = None) -> list[Difference]:
        """What stands in `kpi.experiments` against what the log says."""
        truth = self.recomputed()
        now_us = truth.now_us(last_tick_us)
        assert now_us is not None
        standing = self.topics.standing(EXPERIMENTS)
        return ResultRounds().compare(truth.results(now_us), standing, {})

    def dead_letters(self) -> list[bytes]:
        """Keys of the dead letters, in the order in which they were sent."""
        return [record.key or b"" for record in self.topics.all(DEAD)]

    def cells(self) -> dict[bytes, bytes | None]:
        """What `kpi.partials` says last of every cell, control records left out."""
        latest = {
            record.key: record.value for record in self.topics.all(self.partials) if record.key
        }
        return {key: value for key, value in latest.items() if "|" in parse_key(key).scope}


async def once(operation: Callable[[], Awaitable[None]]) -> None:
    """No patience: Redis is there."""
    await operation()
