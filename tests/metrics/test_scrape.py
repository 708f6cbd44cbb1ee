import asyncio
import re

import pytest
from prometheus_client import CollectorRegistry

from stream_app.metrics.board import SnapshotBoard
from stream_app.metrics.health import Health
from stream_app.metrics.http import MetricsServer
from stream_app.metrics.kpi_gauges import KpiGauges
from stream_app.metrics.own import OwnMetrics
from stream_app.metrics.scrape import ScrapeError, fetch_metrics, kpi_gauges, target_gauges
from tests.metrics.exposing import sample

UNITS = {"revenue": "currency", "win_rate": "ratio", "leads": "count"}


def server_of(board: SnapshotBoard) -> MetricsServer:
    return MetricsServer(
        board=board,
        gauges=KpiGauges(currency="EUR"),
        own=OwnMetrics(CollectorRegistry(), started_at_s=0.0),
        health=Health(),
        port=0,
    )


async def test_what_a_worker_exposes_reads_back() -> None:
    board = SnapshotBoard()
    board.show()
    board.replace(
        (0, "team emea"),
        [
            sample("revenue", unit="currency", dimension="team", member="emea", value=1200.55),
            sample("win_rate", unit="ratio", dimension="team", member="emea", value=0.1),
        ],
    )
    board.replace((1, "a|b"), [sample(dimension="source", member='web+"x"\\', window="7d")])

    async with server_of(board) as server:
        text = await asyncio.to_thread(fetch_metrics, "127.0.0.1", server.port)

    assert kpi_gauges(text, UNITS) == {
        ("revenue", "month", "team", "emea"): 1200.55,
        ("win_rate", "month", "team", "emea"): 0.1,
        ("leads", "7d", "source", 'web+"x"\\'): 1,
    }


async def test_a_worker_that_is_gone_is_an_error_that_names_its_address() -> None:
    async with server_of(SnapshotBoard()) as server:
        port = server.port

    with pytest.raises(ScrapeError, match=rf"^http://127\.0\.0\.1:{port}/metrics: no answer \("):
        fetch_metrics("127.0.0.1", port)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("kpi_leads{", "no valid Prometheus exposition: ", id="no exposition"),
        pytest.param(
            'kpi_leads{window="day",member="x"} 1\n',
            "kpi_leads lacks the label 'dimension'",
            id="a label is missing",
        ),
        pytest.param(
            'kpi_leads{window="day",dimension="rep",member="x"} 1\n' * 2,
            "kpi_leads has the series ('day', 'rep', 'x') twice",
            id="a series twice",
        ),
    ],
)
def test_a_page_that_no_worker_wrote_is_refused(text: str, message: str) -> None:
    with pytest.raises(ScrapeError, match=f"^{re.escape(message)}"):
        kpi_gauges(text, UNITS)


def test_other_gauges_are_passed_over() -> None:
    assert kpi_gauges("stream_app_degraded 0\nkpi_target_state 2\n", UNITS) == {}


def test_gauges_about_targets_are_read_by_target_and_kpi() -> None:
    labels = 'dimension="team",member="emea",window="month",kpi="win_rate",target="t"'
    page = f"kpi_target_state{{{labels}}} 2\nkpi_previous{{{labels}}} 7\nkpi_win_rate_ratio 1\n"

    assert target_gauges(page) == {
        ("kpi_target_state of t (win_rate)", "month", "team", "emea"): 2.0
    }
