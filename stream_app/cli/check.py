"""`stream-app check`: is everything there and as it must be?"""

from pathlib import Path
from typing import Final

import click
import msgspec
from rich.console import Console
from rich.text import Text

from stream_app.checking.findings import Finding, Level, fine, mend, note
from stream_app.checking.kafka_facts import ClusterFacts, cluster_facts
from stream_app.checking.reached import Reached
from stream_app.checking.redis_facts import server_findings, sizes_by_version
from stream_app.checking.state import PartitionFacts, size_findings, state_findings
from stream_app.checking.topics import topic_findings
from stream_app.checking.worker import worker_findings
from stream_app.cli.reading import FINE, FOUND, config_option, finish, json_option
from stream_app.cli.startup import USAGE
from stream_app.cli.watching import Watching
from stream_app.company import Company, load_company
from stream_app.config.errors import ConfigErrors
from stream_app.intake.connection import connection
from stream_app.settings import Settings, SettingsErrors, from_environment
from stream_app.state.errors import StoreUnavailable
from stream_app.transport.errors import BrokerUnavailable
from stream_app.transport.reading import TopicReader
from stream_app.transport.topics import contract_topics
from stream_app.verification.committed import CommittedState, connected

_MARKS: Final = {Level.FINE: "✔", Level.NOTE: "!", Level.MEND: "✘"}
_STYLES: Final = {Level.FINE: "green", Level.NOTE: "yellow", Level.MEND: "red"}


@click.command("check", epilog="Example: stream-app check --config company.yaml")
@config_option
@json_option
def command(config_path: Path | None, *, as_json: bool) -> None:
    """Check configuration, connections, topics, state and sizes; say how to mend them.

    Reads kpi.values to tell which targets were never reached, and which experiments miss their
    deals.

    Nothing is created and nothing is changed. Exit code 0: all is fine, also where a worker has yet
    to create something (!); 1: something needs mending (✘); 2: the configuration is wrong.
    """
    finish(_check(config_path, as_json=as_json))


async def _check(config_path: Path | None, *, as_json: bool) -> int:
    report = _Report(as_json=as_json)
    settings = _settings(report)
    default_path = None if settings is None else settings.config_path
    company = _company(config_path or default_path, report)
    if settings is not None:
        await _servers(settings, company, report)
    to_mend = sum(finding.level is Level.MEND for finding in report.findings)
    if as_json:
        document = {"to_mend": to_mend, "findings": [f.document() for f in report.findings]}
        click.echo(msgspec.json.format(msgspec.json.encode(document)).decode())
    else:
        click.echo(f"{to_mend} to mend" if to_mend else "nothing to mend")
    if settings is None or company is None:
        return USAGE
    return FOUND if to_mend else FINE


class _Report:
    """Prints findings as they come."""

    def __init__(self, *, as_json: bool) -> None:
        self.findings: list[Finding] = []
        self._console = None if as_json else Console(soft_wrap=True)

    def tell(self, *findings: Finding) -> None:
        self.findings += findings
        if self._console is None:
            return
        for finding in findings:
            line = Text(f"{_MARKS[finding.level]} ", style=_STYLES[finding.level])
            self._console.print(line.append(finding.text, style="default"), highlight=False)
            if finding.remedy:
                self._console.print(f"    → {finding.remedy}", highlight=False, markup=False)


def _settings(report: _Report) -> Settings | None:
    try:
        settings = from_environment()
    except SettingsErrors as errors:
        remedy = "correct the environment variable"
        report.tell(*(mend(message, remedy) for message in errors.messages))
        return None
    report.tell(*(note(warning) for warning in settings.warnings))
    return settings


def _company(path: Path | None, report: _Report) -> Company | None:
    try:
        company = load_company(path)
    except ConfigErrors as errors:
        report.tell(*(mend(str(error), "correct the configuration") for error in errors.errors))
        return None
    config = company.config
    name = "the defaults (no STREAM_APP_CONFIG, no --config)" if path is None else str(path)
    report.tell(
        fine(
            f"configuration: {name}: {len(company.catalogue.kpis)} KPIs, "
            f"{len(config.windows)} windows, {len(config.dimensions)} splits, "
            f"{config.business.timezone.key}, {config.business.currency}; "
            f"state version {company.state_version}"
        ),
        *(note(warning) for warning in config.warnings),
    )
    return company


async def _servers(settings: Settings, company: Company | None, report: _Report) -> None:
    version = None if company is None else company.state_version
    cluster = await _kafka(settings, version, report)
    if company is not None and cluster is not None and settings.topics.values in cluster.topics:
        report.tell(*await _reached(settings, company))
    redis = connected(settings)
    try:
        found = await server_findings(redis)
        report.tell(*found)
        reachable = not any(finding.level is Level.MEND for finding in found)
        if reachable and company is not None:
            if cluster is not None:
                state = CommittedState(redis, settings, company)
                report.tell(*await _state(settings, company, cluster, state))
            sizes = await sizes_by_version(redis, settings.topic_prefix)
            report.tell(*size_findings(company.state_version, sizes))
    except StoreUnavailable as error:
        report.tell(mend(str(error), "see the log of Redis"))
    finally:
        await redis.aclose()
    if settings.metrics_port:
        where = settings.metrics_host, settings.metrics_port
        ours = None if company is None else company.configuration
        for finding in worker_findings(*where, ours):
            report.tell(finding)


async def _kafka(settings: Settings, version: str | None, report: _Report) -> ClusterFacts | None:
    servers = ",".join(settings.kafka)
    specs = [
        spec
        for spec in contract_topics(settings.topics, version or "", settings.partitions)
        if version or spec.name != settings.topics.partials("")
    ]
    try:
        cluster = await cluster_facts(connection(settings), [spec.name for spec in specs])
    except BrokerUnavailable as error:
        what, _, remedy = str(error).rpartition("; ")
        report.tell(mend(what, remedy))
        return None
    brokers = "1 broker" if cluster.brokers == 1 else f"{cluster.brokers} brokers"
    report.tell(fine(f"Kafka at {servers}: {brokers}"))
    report.tell(*topic_findings(specs, cluster.topics, brokers=cluster.brokers, servers=servers))
    return cluster


async def _reached(settings: Settings, company: Company) -> list[Finding]:
    """What kpi.values tells about targets and experiments."""
    reached = Reached(company.goals, company.config.experiments)
    if not reached.asks:
        return []
    topic = settings.topics.values
    try:
        with Watching(Console(stderr=True, soft_wrap=True)) as watching:
            async with await TopicReader.open(topic, connection(settings)) as reader:
                async for record in reader.read(watching.began(f"reading {topic}")):
                    reached.take(record.key, record.value)
    except BrokerUnavailable as error:
        return [note(f"targets and experiments were not compared with {topic}: {error}")]
    return list(reached.findings())


async def _state(
    settings: Settings, company: Company, cluster: ClusterFacts, state: CommittedState
) -> list[Finding]:
    events = settings.topics.events
    topic = cluster.topics.get(events)
    if topic is None:
        return []
    metas = await state.metas(events, range(topic.partitions))
    # Only now: a worker counts while we look, and what it has counted is in the log by then.
    log = await cluster_facts(connection(settings), [events])
    partitions = [
        PartitionFacts(begin=begin, end=end, meta=meta)
        for begin, end, meta in zip(log.begins[events], log.ends[events], metas, strict=True)
    ]
    return list(
        state_findings(
            events,
            company.state_version,
            partitions,
            topic_id=topic.topic_id,
        )
    )
