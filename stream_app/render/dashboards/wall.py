"""The company wall: eight big numbers, what they should be, and what they were."""

from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard

from stream_app.render import query
from stream_app.render.dashboards.frame import NUMBERS_MAX, Row, Scene, filled, frame, liveness
from stream_app.render.panels import kpi_comparison, kpi_number, kpi_trend, states

BIG: Final = (
    "revenue",
    "win_rate",
    "pipeline_value",
    "deals_won",
    "conversion_rate",
    "average_deal_size",
    "sales_cycle",
    "nps",
)
PLACE: Final = query.place("$window", "$dimension", "$member")


def dashboard(scene: Scene) -> Dashboard:
    """Two rows of four numbers; with the variables the same wall for one team or channel."""
    big = scene.kpis_of("company", *BIG)
    names = [kpi.name for kpi in scene.company.catalogue.kpis if kpi not in big]
    big = [*big, *scene.kpis_of("company", *names)][: len(BIG)]
    board = frame(
        scene,
        "company-wall",
        "Company wall",
        "The numbers of the business against their targets and the previous period.",
        member=True,
    )
    rows = []
    for first in range(0, len(big), NUMBERS_MAX):
        row = big[first : first + NUMBERS_MAX]
        rows += [
            Row(5, [kpi_number(kpi, PLACE, scene.look) for kpi in row]),
            Row(3, [kpi_comparison(kpi, PLACE, scene.look) for kpi in row]),
        ]
    trends = Row(7, [kpi_trend(kpi, PLACE, scene.look) for kpi in big[:2]])
    verdicts = states(
        "Targets over time",
        "When each target was on its way, slipping, missed or achieved.",
        f"max by (target) (kpi_target_state{{{PLACE}}})",
        "{{target}}",
    )
    return filled(board, liveness(), *rows, trends, Row(6, [verdicts]))
