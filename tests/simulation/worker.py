"""One worker process: the product's own code from the claim to the last acknowledgement.

Real are both stages, `PartitionWork`, the agents, the clock, patience, claims, the state with its
Lua scripts, and `Positioning`. Written anew are the loop that fetches and delivers batches
(`transport/consumer.py`) and the group's membership: Faust's own is tied to sockets and threads.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import faust
from faust.types import TP
from prometheus_client import CollectorRegistry

from stream_app.agents.clock import Clock
from stream_app.agents.evaluate import EvaluateAgent, ValuePublisher
from stream_app.agents.lookout import Lookout
from stream_app.agents.measure import MeasureAgent, publish_partials
from stream_app.agents.outages import Outages
from stream_app.agents.partition_work import PartitionWork
from stream_app.agents.patience import Patience
from stream_app.agents.table_state import TableState
from stream_app.metrics.board import SnapshotBoard
from stream_app.metrics.health import Health
from stream_app.metrics.own import OwnMetrics
from stream_app.stages.evaluating import EvaluatingStage
from stream_app.stages.measuring import Measurer
from stream_app.stages.partial_records import Outputs
from stream_app.stages.ports import OutRecord
from stream_app.stages.standing import Standing
from stream_app.state.claims import Claims, TopicPartition
from stream_app.state.partition import PartitionState
from stream_app.state.speaking import Speaking
from stream_app.state.tables import StateTable
from stream_app.topology import EVALUATE_TABLES, MEASURE_TABLES
from stream_app.transport.batch import Batch, Gap
from stream_app.transport.errors import BrokerUnavailable
from stream_app.transport.fetching import Chunk
from stream_app.transport.positioning import Positioning
from tests.simulation.company import (
    ALERTS,
    DEAD,
    EVENTS,
    EXPERIMENTS,
    PARTIALS_PARTITIONS,
    TICKS,
    VALUES,
    Line,
)
from tests.simulation.kafka import Fetching, Producer
from tests.simulation.loop import Process
from tests.simulation.network import Network
from tests.simulation.redis_server import DirectClient, RedisServer

if TYPE_CHECKING:
    from tests.simulation.world import World

HEARTBEAT_S: Final = 0.3
SESSION_S: Final = 1.5
"""How long a silent member is one, and an answer about who speaks holds."""

_IDLE_S: Final = 0.5
_QUEUED_BATCHES: Final = 2

_app = faust.App("simulation", broker="kafka://127.0.0.1:1", autodiscover=False)
_own = OwnMetrics(CollectorRegistry(), started_at_s=0.0)


class Client(DirectClient):
    """A Redis client behind a network."""

    def __init__(self, server: RedisServer, process: Process, network: Network) -> None:
        super().__init__(server)
        self._process = process
        self._network = network

    async def ask(self, question: Any) -> Any:
        return await self._network.ask_redis(self._process, question)


class Worker:
    """A worker, from its start to its death."""

    def __init__(self, world: "World", line: Line, name: str) -> None:
        self.world = world
        self.line = line
        self._group = world.groups[line.version]
        self.process = Process(name)
        self.skew_us = world.chance.randrange(-2_000_000, 2_000_000)
        self.died_of: list[BaseException] = []
        loop, company = world.loop, line.company
        self._producer = Producer(self.process, loop, world.logs, world.network)
        self.claims = Claims(
            Client(world.redis, self.process, world.network),
            {EVENTS: line.namespace, line.partials: line.namespace},
        )
        self.speaking = Speaking(
            Client(world.redis, self.process, world.network),
            "",
            line.version,
            lease_s=SESSION_S,
            monotonic_s=loop.time,
            wall_clock_us=self.wall_clock_us,
        )
        self._fetching = Fetching(
            self.process, world.logs, world.network, self._confirms, world.fetch_most
        )
        self.positioning = Positioning(self.claims, self._fetching, self._fail)  # type: ignore[arg-type]
        self._patience = Patience(Outages(Health(), _own, monotonic_s=loop.time))
        self.measure = self._work(EVENTS, MEASURE_TABLES, self._measurer, publish_partials)
        values = ValuePublisher(
            board=SnapshotBoard(),
            own=_own,
            wall_clock_us=self.wall_clock_us,
            monotonic_s=loop.time,
            processor_s=loop.time,  # as busy as can be
        )
        self.evaluate = self._work(line.partials, EVALUATE_TABLES, self._evaluator, values)
        self._lookout = Lookout(
            self.evaluate,
            speaking=self.speaking,
            read_standing=self._read_standing,
            end_reign=self._end_reign,
            patience=self._patience,
            own_seconds=SESSION_S,
            monotonic_s=loop.time,
            tell_superseded=lambda _version: None,
        )
        self._queues: dict[str, asyncio.Queue[Batch]] = {}
        self.assignment: set[TopicPartition] = set()
        self._generation = -1
        self._farewells: set[asyncio.Task[None]] = set()
        self._clock = Clock(
            ticks_topic=TICKS,
            partials_topic=line.partials,
            partitions=lambda: PARTIALS_PARTITIONS,
            is_owner=lambda: (TICKS, 0) in self.assignment and world.ticking,
            publish=lambda records: self._patience(lambda: self._producer.send_all(records)),
            wall_clock_us=self.wall_clock_us,
        )
        self._uses_clock = company.is_wall_clock

    @property
    def name(self) -> str:
        return self.process.name

    @property
    def is_leaving(self) -> bool:
        """Whether something is still to be told to successors."""
        return bool(self._farewells)

    @property
    def will_look(self) -> bool:
        """Whether it is still to look at what others may have left since it began, or spoke."""
        due_s, stages = self._lookout._due_s, self.evaluate.stages.values()
        return any(due_s.get(stage, 0.0) is not None for stage in stages)

    def stages(self) -> Iterator[tuple[TopicPartition, Any]]:
        """The stages under claims that stand, as far as this worker knows."""
        for work in (self.measure, self.evaluate):
            for partition, stage in work.stages.items():
                state = self.claims.get((work.topic, partition))
                if state is not None and state.held:
                    yield (work.topic, partition), stage

    def wall_clock_us(self) -> int:
        """What this machine takes for the time of day."""
        return self.world.wall_us() + self.skew_us

    # -- how it is wired (as topology.py does) ---------------------------------------------------

    def _work(self, topic: str, names: tuple[str, ...], stage: Any, publish: Any) -> Any:
        tables = {
            name: StateTable(_app, name=name, claims=self.claims, topic=topic) for name in names
        }

        def new_stage(state: PartitionState) -> Any:
            self.world.watch.claimed(self, state)
            return stage(state, TableState(state, tables))

        async def rewind(gap: Gap) -> None:
            await self.positioning.rewind(TP(gap.topic, gap.partition), gap.expected, gap.epoch)

        def reclaim(tp: TopicPartition) -> None:
            self.world.note(self.name, "is fenced from", tp)
            self.world.count("fenced")
            self.positioning.reclaim(TP(*tp))

        return PartitionWork(
            topic,
            new_stage=new_stage,
            publish=publish,
            claims=self.claims,
            patience=self._patience,
            own=_own,
            reclaim=reclaim,
            rewind=rewind,
            halt=lambda tp: self.positioning.halt(TP(*tp)),
            fatal=self._fatal,
            is_stopping=lambda: False,  # here workers are killed
            farewell=self._say_farewell,
        )

    def _measurer(self, _state: PartitionState, tables: TableState) -> Measurer:
        company = self.line.company
        return Measurer(
            tables,
            rules=company.rules,
            accepted=company.accepted,
            outputs=Outputs(self.line.partials, DEAD, PARTIALS_PARTITIONS),
            publish=self._producer.send_all,
            patiently=self._patience.commit,
            cached_threads=self.world.cached_threads,
            event_clock=company.is_event_clock,
            wall_clock_us=self.wall_clock_us if company.is_wall_clock else None,
        )

    def _evaluator(self, state: PartitionState, tables: TableState) -> EvaluatingStage:
        async def publish(records: Sequence[OutRecord]) -> None:
            self.world.watch.saying(state.token, records)
            await self._producer.send_all(records)

        plan = self.line.company.plan
        return EvaluatingStage(
            tables,
            replace(plan, alerts=replace(plan.alerts, log=self._alert_log)),
            publish=publish,
            patiently=self._patience.commit,
            wall_clock_us=self.wall_clock_us,
            may_speak=lambda: self.speaking.reign,
        )

    async def _read_standing(self) -> Standing:
        logs, away = self.world.logs, BrokerUnavailable(["simulated:9092"], "reading", "away")
        standing = Standing(PARTIALS_PARTITIONS)
        for topic, add in ((VALUES, standing.add_value), (EXPERIMENTS, standing.add_result)):
            records = await self.world.network.ask_kafka(
                self.process,
                lambda topic=topic: [(r.key, r.value) for _, log in logs.of(topic) for r in log],
                away,
            )
            for key, value in records:
                add(key, value)
        self.world.count("looks")
        return standing

    async def _end_reign(self) -> None:
        self.world.note(self.name, "ends the reign: its words may have come too late")
        self.world.count("reigns ended")
        await self._producer.abandon()
        await self.speaking.end_reign()

    async def _alert_log(self) -> list[tuple[bytes, bytes | None]]:
        logs, away = self.world.logs, BrokerUnavailable(["simulated:9092"], "reading", "away")
        return await self.world.network.ask_kafka(  # type: ignore[no-any-return]
            self.process,
            lambda: [(r.key, r.value) for _, log in logs.of(ALERTS) for r in log],
            away,
        )

    def _say_farewell(self, words: Awaitable[Sequence[OutRecord]]) -> None:
        async def said() -> None:
            records = await words

            async def send() -> None:
                await self._producer.abandon()
                await self._producer.send_all(records)

            if records:
                self.world.note(self.name, "says farewell")
                self.world.count("farewells")
                await self._patience(send)
                if self.speaking.reign is None:
                    await self._patience(self.speaking.end_reign)

        task = self.world.loop.create_task(said())
        self._farewells.add(task)
        task.add_done_callback(self._farewells.discard)

    def _fatal(self, error: BaseException) -> None:
        self.died_of.append(error)
        self.world.failed(self, error)

    async def _fail(self, error: Exception) -> None:
        self._fatal(error)

    # -- its life --------------------------------------------------------------------------------

    async def main(self) -> None:
        """Join the group and work until killed."""
        measure = MeasureAgent(
            self.measure, own=_own, health=Health(), monotonic_s=self.world.loop.time
        )
        evaluate = EvaluateAgent(self.evaluate, own=_own, monotonic_s=self.world.loop.time)
        partials = self.line.partials
        self._queues = {topic: asyncio.Queue(_QUEUED_BATCHES) for topic in (EVENTS, partials)}
        work = [
            self._membership(),
            self._fetch(EVENTS),
            self._fetch(partials),
            measure(self._stream(EVENTS)),
            evaluate(self._stream(partials)),
            self._lookout.ask(),
            self._lookout.look(),
        ]
        if self._uses_clock:
            work.append(self._clock.run())
        try:
            await asyncio.gather(*work)
        except BaseException as error:
            self._fatal(error)
            raise

    def _confirms(self, tp: TopicPartition) -> bool:
        return self._group.confirms(self.name, self._generation, tp)

    async def _membership(self) -> None:
        group, loop = self._group, self.world.loop
        while True:
            joined: asyncio.Future[tuple[int, set[TopicPartition]]] = loop.create_future()

            def answer(given: Any, joined: Any = joined) -> None:
                loop.later(0.01, lambda: joined.done() or joined.set_result(given))

            await self._ask(lambda answer=answer: group.join(self.name, answer))
            self._generation, tps = await joined
            self.assignment = tps
            self.world.note(self.name, "was given", *sorted(tps))
            self.positioning.begin(TP(*tp) for tp in sorted(tps) if tp[0] != TICKS)
            while await self._is_member():  # noqa: ASYNC110 - a heartbeat
                await asyncio.sleep(HEARTBEAT_S)
            self.world.note(self.name, "loses its partitions")
            self.positioning.end()
            self.assignment = set()
            if self.world.chance.random() < 0.5:  # Faust clears the queues at times
                for queue in self._queues.values():
                    while not queue.empty():
                        queue.get_nowait()

    async def _is_member(self) -> bool:
        group = self._group
        return bool(await self._ask(lambda: group.heartbeat(self.name, self._generation)))

    async def _ask(self, question: Any) -> Any:
        """Ask the coordinator until it answers, as aiokafka does."""
        while True:
            try:
                return await self.world.network.ask_kafka(self.process, question, TimeoutError())
            except TimeoutError:
                await asyncio.sleep(HEARTBEAT_S)

    # -- batches (as transport/consumer.py does) -------------------------------------------------

    async def _fetch(self, topic: str) -> None:
        queue = self._queues[topic]
        while True:
            ready = {tp for tp in self.positioning.ready if tp[0] == topic}
            try:
                found = await self._fetching.fetch(ready) if ready else {}
            except Exception:  # noqa: BLE001 - no broker: fetch again
                await asyncio.sleep(0.1)
                continue
            generation = self._generation
            for tp, (records, start, end, log_end, epoch) in found.items():
                if end < log_end and self.world.drops_a_fetch():
                    self.world.note(self.name, "loses what it fetched of", tp)
                    continue
                chunk = Chunk(records, start, end, log_end, epoch)  # type: ignore[arg-type]
                if not self.positioning.accept(TP(*tp), chunk):
                    continue
                for batch in self._batches(tp, chunk):
                    if self._generation == generation:
                        await queue.put(batch)
            if not found:
                await self._something_new(ready)

    def _batches(self, tp: TopicPartition, chunk: Chunk) -> list[Batch]:
        rest = Batch(*tp, chunk.records, chunk.start, chunk.end, chunk.log_end, chunk.epoch)
        batches = []
        while len(rest) > self.world.batch_records:
            head, rest = rest.split(self.world.batch_records)
            batches.append(head)
        return [*batches, rest]

    async def _something_new(self, tps: set[TP]) -> None:
        loop = self.world.loop
        news: asyncio.Future[None] = loop.create_future()

        def come() -> None:
            if not news.done():
                news.set_result(None)

        for tp in tps:
            self.world.logs.when_longer((tp[0], tp[1]), come)
        timer = loop.call_later(_IDLE_S if tps else 0.05, come)
        await news
        timer.cancel()

    async def _stream(self, topic: str) -> AsyncIterator[Batch]:
        while True:
            yield await self._queues[topic].get()
