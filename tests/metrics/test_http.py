import gzip
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import aiohttp
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as openmetrics_families,
)

from stream_app.metrics.board import SnapshotBoard
from stream_app.metrics.health import Health
from stream_app.metrics.http import MetricsAddressError, MetricsServer
from stream_app.metrics.kpi_gauges import KpiGauges, Page
from stream_app.metrics.own import OwnMetrics
from tests.metrics.exposing import parsed, sample, series


@dataclass(frozen=True)
class Worker:
    board: SnapshotBoard
    health: Health
    own: OwnMetrics
    server: MetricsServer

    async def get(
        self, path: str, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Mapping[str, str], bytes]:
        url = f"http://127.0.0.1:{self.server.port}{path}"
        async with (
            aiohttp.ClientSession(auto_decompress=False) as session,
            session.get(
                url, headers={"Accept-Encoding": "identity"} | dict(headers or {})
            ) as response,
        ):
            return response.status, response.headers, await response.read()


def worker_of(board: SnapshotBoard, *, gauges: KpiGauges | None = None, port: int = 0) -> Worker:
    health, own = Health(), OwnMetrics(CollectorRegistry(), started_at_s=0.0)
    server = MetricsServer(
        board=board,
        gauges=gauges or KpiGauges(currency="EUR"),
        own=own,
        health=health,
        port=port,
    )
    return Worker(board, health, own, server)


@pytest.fixture
async def worker() -> AsyncIterator[Worker]:
    board = SnapshotBoard(series_max=3)
    board.show()
    one = worker_of(board)
    async with one.server:
        yield one


def be_ready(health: Health) -> None:
    health.set_kafka(reachable=True)
    health.set_redis(reachable=True)
    health.set_assigned(assigned=True)
    health.set_recovered(recovered=True)


async def test_kpis_and_own_metrics_are_one_valid_page(worker: Worker) -> None:
    worker.board.replace((0, "all"), [sample("win_rate", unit="ratio", value=0.25)])
    worker.own.fenced_commits.labels("crm.events").inc()

    status, headers, body = await worker.get("/metrics")

    values = parsed(body)
    assert (status, headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    labels = {"window": "month", "dimension": "rep", "member": "r-1"}
    assert values[series("kpi_win_rate_ratio", **labels)] == 0.25
    assert values[series("stream_app_fenced_commits_total", topic="crm.events")] == 1
    assert values[series("stream_app_series_dropped")] == 0


async def test_openmetrics_is_spoken_to_those_who_ask(worker: Worker) -> None:
    worker.board.replace((0, "all"), [sample("leads")])

    _, headers, body = await worker.get(
        "/metrics", {"Accept": "application/openmetrics-text; version=1.0.0"}
    )

    names = [family.name for family in openmetrics_families(body.decode())]
    assert headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    assert names[0] == "kpi_leads"
    assert "stream_app_events" in names


async def test_the_page_is_compressed_for_those_who_can_read_it(worker: Worker) -> None:
    worker.board.replace((0, "all"), [sample("leads")])

    _, headers, body = await worker.get("/metrics", {"Accept-Encoding": "gzip"})

    assert headers["Content-Encoding"] == "gzip"
    assert any(name == "kpi_leads" for name, _ in parsed(gzip.decompress(body)))


async def test_dropped_series_are_counted(worker: Worker) -> None:
    for number in range(5):
        worker.board.replace((0, number), [sample(member=f"r-{number}")])

    _, _, body = await worker.get("/metrics")

    values = parsed(body)
    assert values[series("stream_app_series_dropped")] == 2
    assert sum(name == "kpi_leads" for name, _ in values) == 3


async def test_the_next_scrape_after_a_revoke_has_no_series_of_it(worker: Worker) -> None:
    worker.board.replace((0, "a"), [sample("leads")])
    worker.board.replace((1, "b"), [sample("nps")])
    await worker.get("/metrics")

    worker.board.drop_partition(1)

    _, _, body = await worker.get("/metrics")
    assert b"kpi_leads" in body
    assert b"kpi_nps" not in body


async def test_a_worker_that_lost_its_lease_shows_only_itself(worker: Worker) -> None:
    worker.board.replace((0, "a"), [sample("leads")])

    worker.board.hide()

    status, _, body = await worker.get("/metrics")
    assert status == 200
    assert b"kpi_" not in body
    assert b"stream_app_events_total" in body


async def test_a_lease_that_ends_while_the_page_is_made_is_respected() -> None:
    board = SnapshotBoard()

    class LosingTheLease(KpiGauges):
        def render(self, snapshot) -> Page:
            page = super().render(snapshot)
            board.hide()
            return page

    board.show()
    board.replace((0, "a"), [sample("leads")])
    worker = worker_of(board, gauges=LosingTheLease(currency="EUR"))
    async with worker.server:
        _, _, body = await worker.get("/metrics")

    assert b"kpi_" not in body


async def test_a_living_process_is_healthy_whatever_it_waits_for(worker: Worker) -> None:
    worker.health.set_kafka(reachable=False)

    assert (await worker.get("/healthz"))[0] == 200


async def test_readiness_says_what_is_missing(worker: Worker) -> None:
    status, headers, body = await worker.get("/readyz")

    assert status == 503
    assert json.loads(body)["status"] == "starting"
    assert headers["Cache-Control"] == "no-store"


async def test_a_ready_worker_says_so(worker: Worker) -> None:
    be_ready(worker.health)

    status, _, body = await worker.get("/readyz")

    assert (status, json.loads(body)) == (200, {"status": "ready", "reasons": []})


async def test_a_degraded_worker_stays_in_service(worker: Worker) -> None:
    be_ready(worker.health)
    worker.health.degrade("poison", "the last 51 records were all dead letters (limit 50)")

    status, _, body = await worker.get("/readyz")
    _, _, metrics = await worker.get("/metrics")

    assert (status, json.loads(body)) == (
        200,
        {
            "status": "degraded",
            "reasons": ["the last 51 records were all dead letters (limit 50)"],
        },
    )
    values = parsed(metrics)
    assert values[series("stream_app_degraded")] == 1
    assert values[series("stream_app_rebuilding")] == 0
    assert values[series("stream_app_in_service")] == 1


async def test_a_rebuilding_worker_is_not_in_service(worker: Worker) -> None:
    be_ready(worker.health)
    worker.health.set_recovered(recovered=False)

    status, _, body = await worker.get("/readyz")
    _, _, metrics = await worker.get("/metrics")

    assert (status, json.loads(body)["status"]) == (503, "rebuilding")
    assert parsed(metrics)[series("stream_app_rebuilding")] == 1
    assert parsed(metrics)[series("stream_app_in_service")] == 0


async def test_unknown_paths_are_not_served(worker: Worker) -> None:
    assert (await worker.get("/"))[0] == 404


async def test_a_taken_port_is_an_error_that_names_the_setting(worker: Worker) -> None:
    second = worker_of(SnapshotBoard(), port=worker.server.port)

    with pytest.raises(
        MetricsAddressError,
        match=rf"^STREAM_APP_METRICS=127\.0\.0\.1:{worker.server.port}: cannot listen there"
        r" \(.*\); set STREAM_APP_METRICS to a free host:port of this machine"
        r" \(port 0 takes any free one\)$",
    ):
        await second.server.start()
    await second.server.stop()


async def test_a_stopped_server_has_freed_its_port() -> None:
    first = worker_of(SnapshotBoard())
    await first.server.start()
    port = first.server.port
    await first.server.stop()

    async with worker_of(SnapshotBoard(), port=port).server as second:
        assert second.port == port
