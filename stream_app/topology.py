"""START HERE: every topic, table and agent of the worker, and the edges between them.

crm.events ──measure──▶ kpi.partials ──evaluate──▶ kpi.values, kpi.alerts, kpi.experiments, gauges
               │             ▲
               ▼             │ the time, once a second
       crm.dead-letters    clock ◀── kpi.ticks (who owns its partition 0 is the clock)
"""

import logging
import time
from typing import Any, Final

from click import ClickException

from stream_app.agents.clock import Clock
from stream_app.agents.evaluate import EvaluateAgent, ValuePublisher
from stream_app.agents.lookout import Lookout
from stream_app.agents.measure import MeasureAgent, publish_partials
from stream_app.agents.partition_work import PartitionWork
from stream_app.agents.retirement import Retirement
from stream_app.agents.table_state import TableState
from stream_app.agents.unpublished import UnpublishedTime
from stream_app.company import Company, load_company
from stream_app.config.errors import ConfigErrors
from stream_app.config.model import Config
from stream_app.domain.currencies import MINOR_UNIT_EXPONENTS
from stream_app.domain.rates import Rates
from stream_app.domain.rules import FoldRules
from stream_app.domain.trial import trial_scope
from stream_app.domain.windows import WindowRules, last_instant_of
from stream_app.faust_app import StreamApp
from stream_app.logs import logging_config
from stream_app.runtime import Runtime, wall_clock_us
from stream_app.settings import Settings, SettingsErrors, from_environment
from stream_app.stages import alert_memory, cells, scopes, threads
from stream_app.stages.alert_plan import AlertPlan
from stream_app.stages.evaluating import EvaluatingStage
from stream_app.stages.evaluation import Evaluation
from stream_app.stages.listening import Silence
from stream_app.stages.measuring import Measurer
from stream_app.stages.partial_records import Outputs
from stream_app.state.claims import TopicPartition
from stream_app.state.partition import PartitionState
from stream_app.state.tables import StateTable
from stream_app.transport.batch import Gap
from stream_app.transport.consumer import BatchConsumer
from stream_app.transport.groups import group_of
from stream_app.transport.reading import standing
from stream_app.transport.transport import batch_app, batch_topic
from stream_app.wire.cloudevent import Rules

logger = logging.getLogger(__name__)

MEASURE_TABLES: Final = (
    threads.THREADS,
    threads.SEGMENTS,
    cells.CELLS,
    cells.EXPIRY,
    cells.HOURS,
)
EVALUATE_TABLES: Final = (scopes.SCOPE_CELLS, scopes.SCOPES, alert_memory.ALERTS)


def build(settings: Settings, company: Company) -> StreamApp:
    """The whole worker, not yet started."""

    def stop(error: BaseException) -> None:
        app.stop_for(error)

    runtime = Runtime(settings, company, fatal=stop)
    app = batch_app(
        group_of(settings.topic_prefix, company.state_version),
        settings.kafka,
        claims=runtime.claims,
        security=runtime.security,
        session_timeout_s=settings.session_timeout_seconds,
        batch_records=settings.batch_records,
        app_class=StreamApp,
        on_failure=stop,
        logging_config=logging_config(),
    )
    app.runtime = runtime
    runtime.is_stopping = lambda: app.should_stop
    measure, evaluate = _add_measure(app), _add_evaluate(app)
    runtime.rebuilding = lambda: (
        not (
            all(stage.is_ready for stage in measure.stages.values())
            and all(stage.hears_all_sources for stage in evaluate.stages.values())
        )
        or (
            runtime.speaking.superseded_by is None
            and any(stage.must_say_again for stage in evaluate.stages.values())
        )
    )
    runtime.measure_silence = UnpublishedTime(
        (measure, evaluate),
        monotonic_s=time.monotonic,
        may_be_silent=lambda: runtime.speaking.superseded_by is not None,
        show=runtime.own.set_unpublished_seconds,
    ).measure
    app.clock = _add_clock(app)
    app.lookout = Lookout(
        evaluate,
        speaking=runtime.speaking,
        read_standing=runtime.read_standing,
        end_reign=runtime.end_reign,
        patience=runtime.patience,
        own_seconds=settings.session_timeout_seconds,
        monotonic_s=time.monotonic,
        tell_superseded=runtime.health.set_superseded,
    )
    app.retirement = _retirement(runtime, evaluate)
    return app


def app_from_environment() -> StreamApp:
    """The worker that the environment describes, for Faust's own command line.

    Raises:
        WrongSetUp: settings or configuration are wrong; the message names everything that is.
    """
    try:
        settings = from_environment()
        return build(settings, load_company(settings.config_path))
    except (SettingsErrors, ConfigErrors) as errors:
        raise WrongSetUp(str(errors)) from errors


class WrongSetUp(ClickException):
    """What is wrong with the environment or the configuration; click ends with exit code 2."""

    exit_code = 2


def _add_measure(app: StreamApp) -> PartitionWork[Measurer]:
    """crm.events → kpi.partials, crm.dead-letters."""
    runtime, config = app.runtime, app.runtime.company.config
    rules, accepted = FoldRules.from_config(config), Rules.from_config(config)
    topic = runtime.topics.events
    tables = _tables(app, topic, MEASURE_TABLES)

    def new_stage(state: PartitionState) -> Measurer:
        return Measurer(
            TableState(state, tables),
            rules=rules,
            accepted=accepted,
            outputs=Outputs(
                runtime.partials_topic,
                runtime.topics.dead_letters,
                runtime.partitions[runtime.partials_topic],
            ),
            publish=runtime.publish,
            patiently=runtime.patience.commit,
            cached_threads=runtime.settings.cache_threads,
            event_clock=config.business.clock == "event",
            wall_clock_us=wall_clock_us if _is_wall_clock(config) else None,
            poison_stop=config.poison_stop,
            hears=tuple(config.silent_sources_us),
        )

    runtime.claims.listen(on_claimed=lambda state: _tell_rebuild(runtime, state))
    work = _work(app, topic, new_stage, publish_partials)
    agent = MeasureAgent(work, own=runtime.own, health=runtime.health, monotonic_s=time.monotonic)
    runtime.claims.listen(
        on_claimed=lambda state: _show_counts(agent, work, state), on_released=agent.forget
    )
    app.agent(batch_topic(app, topic), name="measure", concurrency=1)(agent.__call__)
    return work


def _add_evaluate(app: StreamApp) -> PartitionWork[EvaluatingStage]:
    """kpi.partials → kpi.values, kpi.alerts, kpi.experiments, gauges."""
    runtime, config = app.runtime, app.runtime.company.config
    calendar = FoldRules.from_config(config).calendar
    windows, rates = WindowRules.from_config(config, calendar), Rates.from_config(config)
    as_of = config.business.as_of
    topic = runtime.partials_topic
    tables = _tables(app, topic, EVALUATE_TABLES)

    def new_stage(state: PartitionState) -> EvaluatingStage:
        plan = Evaluation(
            catalogue=runtime.company.catalogue,
            windows=windows,
            rates=rates,
            calendar=calendar,
            values_topic=runtime.topics.values,
            sources=runtime.partitions[runtime.topics.events],
            experiments={trial_scope(each.name): each for each in config.experiments},
            experiments_topic=runtime.topics.experiments,
            fixed_now_us=None if as_of is None else last_instant_of(as_of.toordinal(), calendar),
            event_clock=config.business.clock == "event",
            money_exponent=MINOR_UNIT_EXPONENTS[config.business.currency],
            alerts=AlertPlan(
                goals=runtime.company.goals,
                working=runtime.company.working_days,
                calendar=calendar,
                windows=windows,
                topic=runtime.topics.alerts,
                partitions=runtime.partitions[topic],
                log=runtime.alert_log,
                clock_stands=as_of is not None,
                silence=Silence(
                    allowed_us=config.silent_sources_us, by_event=not _is_wall_clock(config)
                ),
            ),
        )
        return EvaluatingStage(
            TableState(state, tables),
            plan,
            publish=runtime.publish,
            patiently=runtime.patience.commit,
            wall_clock_us=wall_clock_us,
            may_speak=lambda: runtime.speaking.reign,
        )

    publisher = ValuePublisher(
        board=runtime.board,
        own=runtime.own,
        wall_clock_us=wall_clock_us,
        monotonic_s=time.monotonic,
        processor_s=time.process_time,
    )
    work = _work(app, topic, new_stage, publisher)
    runtime.claims.listen(on_released=lambda tp: _forget_gauges(runtime, tp))
    agent = EvaluateAgent(work, own=runtime.own, monotonic_s=time.monotonic)
    app.agent(batch_topic(app, topic), name="evaluate", concurrency=1)(agent.__call__)
    return work


def _add_clock(app: StreamApp) -> Clock | None:
    """The time → kpi.ticks and every partition of kpi.partials; not needed where "now" is data."""
    runtime = app.runtime
    if not _is_wall_clock(runtime.company.config):
        return None
    ticks = runtime.topics.ticks
    clock = Clock(
        ticks_topic=ticks,
        partials_topic=runtime.partials_topic,
        partitions=lambda: runtime.partitions[runtime.partials_topic],
        is_owner=lambda: (ticks, 0) in app.consumer.assignment(),
        publish=lambda records: runtime.patience(lambda: runtime.publish(records)),
        wall_clock_us=wall_clock_us,
    )
    app.agent(app.topic(ticks, value_type=bytes, key_type=bytes), name="clock")(clock.__call__)
    return clock


def _retirement(runtime: Runtime, evaluate: PartitionWork[EvaluatingStage]) -> Retirement:
    def is_due() -> bool:
        stage = evaluate.stages.get(0)
        return stage is not None and stage.is_ready and stage.speaker.may_speak

    topic, security = runtime.topics.experiments, runtime.security
    kafka = {"bootstrap_servers": list(runtime.settings.kafka), **security.aiokafka()}
    return Retirement(
        topic,
        runtime.company.config.experiments,
        is_due=is_due,
        read_keys=lambda: runtime.patience(lambda: standing(topic, kafka)),
        publish=lambda records: runtime.patience(lambda: runtime.publish(records)),
        end_reign=lambda: runtime.patience(runtime.end_reign),
    )


def _is_wall_clock(config: Config) -> bool:
    return config.business.as_of is None and config.business.clock != "event"


def _work(app: StreamApp, topic: str, new_stage: Any, publish: Any) -> PartitionWork[Any]:
    runtime = app.runtime

    def consumer() -> BatchConsumer:
        return app.consumer  # type: ignore[return-value] # our transport's

    async def rewind(gap: Gap) -> None:
        await consumer().rewind((gap.topic, gap.partition), gap.expected, epoch=gap.epoch)

    def reclaim(tp: TopicPartition) -> None:
        consumer().reclaim(tp)

    return PartitionWork(
        topic,
        new_stage=new_stage,
        publish=publish,
        claims=runtime.claims,
        patience=runtime.patience,
        own=runtime.own,
        reclaim=reclaim,
        rewind=rewind,
        halt=lambda tp: consumer().halt(tp),
        fatal=app.stop_for,
        is_stopping=lambda: app.should_stop,
        farewell=runtime.say_farewell,
    )


def _tables(app: StreamApp, topic: str, names: tuple[str, ...]) -> dict[str, StateTable]:
    claims = app.runtime.claims
    return {name: StateTable(app, name=name, claims=claims, topic=topic) for name in names}


def _tell_rebuild(runtime: Runtime, state: PartitionState) -> None:
    """Say once that a state version begins; its partitions begin together."""
    if state.topic == runtime.topics.events and state.offset is None and not runtime.told_rebuild:
        runtime.told_rebuild = True
        logger.info(
            "state version %s has counted nothing yet: it counts %s from its beginning and "
            "publishes when it has caught up; the values that stand stay until then",
            *(runtime.company.state_version, state.topic),
        )


def _show_counts(agent: MeasureAgent, work: PartitionWork[Measurer], state: PartitionState) -> None:
    """A partition without news must be accounted for as well."""
    if state.topic == work.topic:
        agent.show_counts(state.topic, work.stages[state.partition])


def _forget_gauges(runtime: Runtime, tp: TopicPartition) -> None:
    if tp[0] == runtime.partials_topic:
        runtime.board.drop_partition(tp[1])
