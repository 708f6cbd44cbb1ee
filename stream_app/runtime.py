"""What a worker is made of besides Faust: started before it consumes, stopped after it."""

import asyncio
import contextlib
import gc
import itertools
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Final

from prometheus_client import CollectorRegistry

from stream_app import __version__
from stream_app.agents.outages import KAFKA, REDIS, Outages
from stream_app.agents.patience import Patience
from stream_app.agents.self_audit import Places, SelfAudit
from stream_app.company import Company
from stream_app.metrics.board import SnapshotBoard
from stream_app.metrics.health import Health, Status
from stream_app.metrics.http import MetricsServer
from stream_app.metrics.kpi_gauges import KpiGauges
from stream_app.metrics.own import OwnMetrics
from stream_app.settings import Settings
from stream_app.stages.ports import OutRecord
from stream_app.stages.standing import Standing
from stream_app.state.claims import Claims, TopicPartition
from stream_app.state.client import connect, execute
from stream_app.state.errors import Kind
from stream_app.state.keys import namespace
from stream_app.state.server import check, require_no_eviction
from stream_app.state.speaking import Speaking
from stream_app.transport.consumer import BatchConsumer
from stream_app.transport.publisher import Publisher
from stream_app.transport.reading import TopicReader
from stream_app.transport.security import Security
from stream_app.transport.topics import contract_topics, ensure_topics

logger = logging.getLogger(__name__)

_WATCH_SECONDS: Final = 0.5
_VOUCH_SECONDS: Final = 1.0
_EVICTION_SECONDS: Final = 5
_REACH_SECONDS: Final = 2.0
_ANSWER_SECONDS: Final = 4.0
_FAREWELL_SECONDS: Final = 5.0
_CANCEL_SECONDS: Final = 0.5
_TOLD_AS_OUTAGES: Final = (Status.WAITING_FOR_KAFKA, Status.WAITING_FOR_REDIS)
_RECORDS_PER_TURN: Final = 2_000
"""After so many records that are only looked at, others may do something."""

_GC_THRESHOLDS: Final = (50_000, 20, 5)
"""The last: not so seldom that the stages of partitions that went elsewhere stay for hours."""


def wall_clock_us() -> int:
    """The time now: the one place where processing time comes from."""
    return time.time_ns() // 1000


class Runtime:
    """The connections, metrics and background tasks of one worker.

    Attributes:
        partitions: topic → how many partitions it has; known after `start`.
        measure_silence: measures how long stages have had something to say and said nothing.
        rebuilding: whether some owned partition has not caught up with its log since its beginning.
        is_stopping: whether the worker stops; then its parts are cancelled in any order.
        told_rebuild: the log says that this state version begins.
    """

    def __init__(
        self, settings: Settings, company: Company, *, fatal: Callable[[BaseException], None]
    ) -> None:
        """Make everything, connect nothing.

        Args:
            settings: where things are.
            company: what is counted.
            fatal: stops the worker with an error.
        """
        self.fatal: Final = fatal
        self.settings: Final = settings
        self.company: Final = company
        self.topics: Final = settings.topics
        self.partials_topic: Final = settings.topics.partials(company.state_version)
        keys = namespace(settings.topic_prefix, company.state_version)
        password = settings.redis_password
        self._redis = connect(
            settings.redis_url, password=None if password is None else password.reveal()
        )
        self.claims: Final = Claims(
            self._redis, {self.topics.events: keys, self.partials_topic: keys}
        )
        self.speaking: Final = Speaking(
            self._redis,
            settings.topic_prefix,
            company.state_version,
            lease_s=settings.session_timeout_seconds,
            monotonic_s=time.monotonic,
            wall_clock_us=wall_clock_us,
        )
        self.security: Final = security_of(settings)
        self._publisher = Publisher(settings.kafka, security=self.security)
        self.board: Final = SnapshotBoard()
        self.health: Final = Health()
        self.own: Final = OwnMetrics(CollectorRegistry(), started_at_s=time.time())  # noqa: TID251
        self.own.describe_build(
            version=__version__,
            state_version=company.state_version,
            configuration=company.configuration,
        )
        self.own.begin_counting(topics=(self.topics.events, self.partials_topic), kinds=Kind)
        definitions = {kpi.name: kpi.definition.definition for kpi in company.catalogue.kpis}
        self._server = MetricsServer(
            board=self.board,
            gauges=KpiGauges(currency=company.config.business.currency, help_texts=definitions),
            own=self.own,
            health=self.health,
            host=settings.metrics_host,
            port=settings.metrics_port,
        )
        self.outages: Final = Outages(self.health, self.own)
        self.patience: Final = Patience(self.outages)
        self.partitions: dict[str, int] = {}
        self.measure_silence: Callable[[], None] = lambda: None
        self.rebuilding: Callable[[], bool] = lambda: False
        self.is_stopping: Callable[[], bool] = lambda: False
        self.told_rebuild = False
        self._tasks: list[asyncio.Task[None]] = []
        self._farewells: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Serve health, wait for Redis and Kafka, create what topics are missing.

        Raises:
            UnsuitableServer: Redis answers but must not hold the state.
            TopicRefused: a topic is missing and the broker does not create it.
            MetricsAddressError: STREAM_APP_METRICS cannot be listened on.
        """
        await self._server.start()
        logger.info("metrics and health on http://%s:%s", self._server.host, self._server.port)
        await self.patience(lambda: check(self._redis))
        self.outages.serve(REDIS)
        await self.patience(self._make_topics)
        await self.patience(self._publisher.start)
        self.outages.serve(KAFKA)

    async def _make_topics(self) -> None:
        specs = contract_topics(self.topics, self.company.state_version, self.settings.partitions)
        report = await ensure_topics(self.settings.kafka, specs, security=self.security)
        self.partitions = dict(report.partitions)
        for drift in report.drifts:
            logger.warning("%s", drift)

    async def read_standing(self) -> Standing:
        """What stands in `kpi.values` and `kpi.experiments`.

        Raises:
            BrokerUnavailable: no broker answers.
        """
        standing = Standing(self.partitions[self.partials_topic])
        kafka = {"bootstrap_servers": list(self.settings.kafka), **self.security.aiokafka()}
        for topic, add in (
            (self.topics.values, standing.add_value),
            (self.topics.experiments, standing.add_result),
        ):
            async with await TopicReader.open(topic, kafka) as reader:
                read = 0
                async for record in reader.read():
                    add(record.key, record.value)
                    read += 1
                    if read % _RECORDS_PER_TURN == 0:
                        await asyncio.sleep(0)
        return standing

    async def end_reign(self) -> None:
        """Make whoever speaks look again, once nothing of ours can arrive any more.

        Raises:
            BrokerUnavailable, StoreUnavailable: repeat it.
        """
        await self._publisher.abandon()
        await self.speaking.end_reign()

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run something beside the agents until the worker stops; if it fails, so does the worker.

        Args:
            work: what goes on for ever.
            name: of its task.
        """

        async def watched() -> None:
            try:
                await work
            except Exception as error:  # noqa: BLE001 - a task that dies silently is an outage
                self.fatal(error)
            except asyncio.CancelledError:
                if not self.is_stopping():  # some library's own cancellation has come through
                    self.fatal(RuntimeError(f"{name}: cancelled, and the worker is not stopping"))
                raise

        self._tasks.append(asyncio.create_task(watched(), name=name))

    async def publish(self, records: Sequence[OutRecord]) -> None:
        """Send records; returns when the broker has acknowledged all.

        Raises:
            BrokerUnavailable: some may have been sent; sending them again does no harm.
        """
        await self._publisher.send_all(records)
        for topic, count in Counter(record.topic for record in records).items():
            self.own.published.labels(topic).inc(count)

    def say_farewell(self, words: Awaitable[Sequence[OutRecord]]) -> None:
        """Send a stage's last words, once nothing that was sent before can arrive any more."""

        async def said() -> None:
            records = await words

            async def send() -> None:
                await self._publisher.abandon()
                await self.publish(records)

            if records:
                await self.patience(send)
                if self.speaking.reign is None:  # others read another `kpi.partials`
                    await self.patience(self.speaking.end_reign)

        task = asyncio.create_task(said(), name="say farewell")
        self._farewells.add(task)
        task.add_done_callback(self._farewells.discard)

    async def alert_log(self) -> list[tuple[bytes, bytes | None]]:
        """Every record of `kpi.alerts`, for a partition that begins without its state.

        Raises:
            BrokerUnavailable: it cannot be read now.
        """
        kafka = {"bootstrap_servers": list(self.settings.kafka), **self.security.aiokafka()}
        async with await TopicReader.open(self.topics.alerts, kafka) as reader:
            return [(r.key, r.value) async for r in reader.read() if r.key is not None]

    def observe(self, consumer: BatchConsumer) -> None:
        """From now on: tell readiness, renew the gauges' lease, measure the lag."""
        # What lives as long as the worker is not looked at again at every collection, and what the
        # caches hold has no cycles: looking for some every 700 objects took a fifth of the time.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_GC_THRESHOLDS)
        self.spawn(self._watch_consumer(consumer), "watch the consumer")
        self.spawn(self._watch_redis(consumer), "watch Redis")
        self.spawn(self._watch_kafka(), "watch Kafka")
        self.spawn(self._self_audit(consumer).run(), "compare the stages")

    def _self_audit(self, consumer: BatchConsumer) -> SelfAudit:
        events, partials = self.topics.events, self.partials_topic
        places = Places(
            namespace=namespace(self.settings.topic_prefix, self.company.state_version),
            events=events,
            partials=partials,
            sources=self.partitions[events],
            partitions=self.partitions[partials],
        )
        return SelfAudit(
            self._redis,
            places,
            owned=lambda topic: {s.partition for s in self.claims if s.topic == topic},
            log_ends=lambda partitions: consumer.log_ends(partials, partitions),
            show=self.own.audit_divergence.set,
            compared=self.own.audit_compared.inc,
        )

    async def _watch_consumer(self, consumer: BatchConsumer) -> None:
        told: Status | None = None
        while True:
            self._tell_readiness(consumer)
            self._measure_lag(consumer)
            self.measure_silence()
            status = self.health.status
            if status is not told and status not in _TOLD_AS_OUTAGES:
                logger.info("%s", "; ".join([status, *self.health.reasons]))
                told = status
            await asyncio.sleep(_WATCH_SECONDS)

    def _tell_readiness(self, consumer: BatchConsumer) -> None:
        positioning = consumer.positioning
        assigned = bool(positioning.ready) or not positioning.waiting
        self.health.set_assigned(assigned=assigned and consumer.flow_active)
        self.health.set_recovered(
            recovered=not self.rebuilding(),
            reason="the state is rebuilt from the log; nothing is published until it has caught up",
        )

    async def _watch_redis(self, consumer: BatchConsumer) -> None:
        """The gauges are shown for as long as Redis says that what they show is ours."""
        for second in itertools.count():
            lost = await self.patience(self._lost_claims)
            if second % _EVICTION_SECONDS == 0:
                await self.patience(lambda: require_no_eviction(self._redis))
            is_lost = any(topic == self.partials_topic for topic, _ in lost)
            if is_lost or self.speaking.superseded_by is not None:
                self.board.hide()
            else:
                self.board.show(for_seconds=self.settings.session_timeout_seconds)
            for tp in lost:
                consumer.reclaim(tp)
            await asyncio.sleep(_VOUCH_SECONDS)

    async def _lost_claims(self) -> list[TopicPartition]:
        await execute(self._redis, "PING")  # who owns nothing wants to know, too
        return await self.claims.lost()

    async def _watch_kafka(self) -> None:
        """A worker without news would not notice that Kafka is away."""
        while True:
            await self.patience(lambda: self._publisher.reach(_ANSWER_SECONDS))
            await asyncio.sleep(_REACH_SECONDS)

    def _measure_lag(self, consumer: BatchConsumer) -> None:
        for state in self.claims:
            topic, partition = state.topic, str(state.partition)
            with contextlib.suppress(Exception):  # unknown until the first fetch
                end = consumer.highwater((state.topic, state.partition))  # type: ignore[arg-type]
                self.own.lag_records.labels(topic, partition).set(max(0, end - state.position))
            self.own.outbox_entries.labels(topic, partition).set(len(state.outbox))

    async def stop(self) -> None:
        """Stop the background tasks and close the connections."""
        self.is_stopping = lambda: True
        pending = {task for task in self._tasks if not task.done()}
        while pending:  # a cancellation may be swallowed, see `PartitionWork`
            for task in pending:
                task.cancel()
            _, pending = await asyncio.wait(pending, timeout=_CANCEL_SECONDS)
        if self._farewells:
            await asyncio.wait(self._farewells, timeout=_FAREWELL_SECONDS)
        await self._publisher.stop()
        await self._redis.aclose()
        await self._server.stop()


def security_of(settings: Settings) -> Security:
    """How the settings say that brokers are spoken to."""
    kafka = settings.kafka_security
    return Security(
        protocol=kafka.protocol,
        mechanism=kafka.mechanism,
        username=kafka.username,
        password=None if kafka.password is None else kafka.password.reveal(),
        ca_file=kafka.ca_file,
    )
