"""The metrics page of a simulated company, made by our own board, gauges and fold."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import yaml
from prometheus_client import CollectorRegistry, generate_latest

from stream_app.company import Company, load_company
from stream_app.domain.kpi import PEOPLE
from stream_app.metrics.board import Sample, SnapshotBoard, TargetSample, TargetState
from stream_app.metrics.kpi_gauges import KpiGauges
from stream_app.metrics.own import OUTCOMES, OwnMetrics
from stream_app.simulate import Options, matching_configuration, simulate
from stream_app.verification.recompute import Recomputation
from stream_app.wire.value import Said
from tests.render.standin import StandIn
from tests.stages.company import Logged

OPTIONS = Options(start=datetime(2025, 5, 24, tzinfo=UTC), events=4_000, days=400)
"""More than a year: before that there is no lifetime value."""
OUT_OF_REACH = 1_000_000_000
"""A revenue that is missing, so that the pipeline covers some share of it."""
STATES: Mapping[str, TargetState] = {
    "revenue": TargetState.OK,
    "win_rate": TargetState.FIRING,
    "pipeline_value": TargetState.PENDING,
    "deals_won": TargetState.ACHIEVED,
    "leads": TargetState.FIRING,
}
"""How the month's targets of the company and of every team stand; other KPIs have none."""


def simulated_company(directory: Path) -> Company:
    content = matching_configuration(OPTIONS)
    content["business"] = {"timezone": "Europe/Berlin", "currency": "EUR", "clock": "event"}
    content["customers"] = {"activate_on": "win"}  # so that customers have a source
    content["windows"] = ["hour", "day", "month", "30d", "90d", "365d"]
    content["history"] = {"day": 1, "month": 1}
    content["targets"] = [
        {"name": f"{kpi}-{dimension}", "kpi": kpi, "window": "month", "dimension": dimension}
        | {"at_most" if kpi == "leads" else "at_least": OUT_OF_REACH if kpi == "revenue" else 1}
        for kpi in STATES
        for dimension in ("company", "team")
    ]
    path = directory / "company.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return load_company(path)


class Page:
    """The page; what the worker measures about itself goes on with every scrape."""

    def __init__(self, company: Company) -> None:
        recomputation = Recomputation(
            company.config, company.catalogue, company.goals, company.working_days
        )
        recomputation.begin(0, 0)
        for offset, sent in enumerate(simulate(OPTIONS)):
            recomputation.add(0, Logged(0, offset, sent.timestamp_ms, sent.key, sent.value))
        self.values = [
            said for _, said in recomputation.values(recomputation.newest_us) if not said.complete
        ]
        board = SnapshotBoard()
        board.show()
        for scope, values in _by_scope(self.values).items():
            board.replace((0, scope), map(_sample, values), _targets(*scope, values))
        gauges = KpiGauges(currency=company.config.business.currency)
        self._kpis = gauges.render(board.snapshot()).text
        self._own = OwnMetrics(CollectorRegistry(), started_at_s=0)
        self._own.describe_build(version="1", state_version=company.state_version, configuration="")
        for gauge in (self._own.rebuilding, self._own.degraded, self._own.audit_divergence):
            gauge.set(0)
        self._own.in_service.set(1)
        self._offset = 0

    def text(self) -> bytes:
        own, topic = self._own, "crm.events"
        self._offset += 100
        own.source_offset.labels(topic, "0").set(self._offset)
        own.lag_records.labels(topic, "0").set(3)
        own.outbox_entries.labels(topic, "0").set(0)
        own.set_unpublished_seconds(topic, 0, 0)
        for outcome in OUTCOMES:
            own.set_partition_records(topic, 0, outcome, self._offset // 4)
            own.events.labels(topic, "crm.deal.won.v1", outcome).inc(25)
        own.dead_letters.labels("schema").inc()
        own.batch_records.observe(100)
        for stage in ("measure", "evaluate"):
            own.batch_duration.labels(stage).observe(0.02)
            own.commit_duration.labels(stage).observe(0.002)
        own.freshness.observe(0.3)
        own.published.labels("kpi.values").inc(40)
        own.state_entries.labels("threads").set(7)
        own.fenced_commits.labels(topic).inc(0)
        own.store_errors.labels("timeout").inc(0)
        return self._kpis + generate_latest(own.registry)


@contextmanager
def served(page: Page) -> Iterator[str]:
    """Serve the page; yields host:port."""
    standin = StandIn(page.text)
    try:
        yield standin.address
    finally:
        standin.stop()


def _by_scope(values: list[Said]) -> Mapping[tuple[str, str], list[Said]]:
    scopes: dict[tuple[str, str], list[Said]] = {}
    for said in values:
        scopes.setdefault((said.dimension, said.member), []).append(said)
    return scopes


def _sample(said: Said) -> Sample:
    return Sample(
        kpi=said.kpi,
        unit=said.unit,
        window=said.window,
        dimension=said.dimension,
        member=said.member,
        value=float("nan") if said.value is None else said.value,  # no series
        sample_size=1,
        previous=said.previous if said.dimension in PEOPLE else None,
    )


def _targets(dimension: str, member: str, values: list[Said]) -> Iterator[TargetSample]:
    for said in values:
        if said.kpi in STATES and said.window == "month" and dimension in PEOPLE:
            name = f"{said.kpi}-{dimension}"
            state = STATES[said.kpi]
            yield TargetSample(
                name, said.kpi, "month", dimension, member, 1, 1, state, "below_target",
                coaching=state if state is TargetState.FIRING else TargetState.OK,
            )  # fmt: skip
