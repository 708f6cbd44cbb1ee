"""What `check` says of the worker at STREAM_APP_METRICS, asked at a real metrics page."""

import asyncio

from prometheus_client import CollectorRegistry

from stream_app.checking.findings import Level
from stream_app.checking.worker import worker_findings
from stream_app.metrics.board import SnapshotBoard
from stream_app.metrics.health import Health
from stream_app.metrics.http import MetricsServer
from stream_app.metrics.kpi_gauges import KpiGauges
from stream_app.metrics.own import OwnMetrics

THEIRS = "0123456789"


async def told_of(configuration: str | None) -> list[tuple[Level, str]]:
    own = OwnMetrics(CollectorRegistry(), started_at_s=0)
    own.describe_build(version="1", state_version="v", configuration=THEIRS)
    server = MetricsServer(
        board=SnapshotBoard(),
        gauges=KpiGauges(currency="EUR"),
        own=own,
        health=Health(),
        port=0,
    )
    async with server:
        found = await asyncio.to_thread(
            lambda: [*worker_findings("127.0.0.1", server.port, configuration)]
        )
        return [(each.level, each.text.replace(str(server.port), "PORT")) for each in found]


async def test_a_worker_with_another_configuration_is_told() -> None:
    wanted = (
        f"the worker at 127.0.0.1:PORT publishes by another configuration ({THEIRS}; this one is "
        "aaaaaaaaaa): KPIs, windows, targets, rates or quotas"
    )
    assert (await told_of("aaaaaaaaaa"))[1:] == [(Level.NOTE, wanted)]


async def test_one_with_the_same_is_not_nor_where_ours_is_wrong() -> None:
    assert len(await told_of(THEIRS)) == 1
    assert len(await told_of(None)) == 1
