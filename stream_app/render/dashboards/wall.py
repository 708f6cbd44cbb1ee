"""The company wall: eight big numbers, what they should be, and what they were."""

from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard

from stream_app.render import query
from stream_app.render.dashboards.frame import Scene, filled, frame, liveness
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
COLUMNS: Final = 4
PLACE: Final = query.place("$window", "$dimension", "$member")


def dashboard(scene: Scene) -> Dashboard:
    """Two rows of four numbers; with the variables the same wall for one team or channel."""
    big = scene.kpis(*BIG)
    others = [kpi for kpi in scene.company.catalogue.kpis if kpi not in big]
    big = [*big, *others][: len(BIG)]
    board = frame(
        scene,
        "company-wall",
        "Company wall",
        "The numbers of the business against their targets and the previous period.",
        member=True,
    )
    rows = []
    for first in range(0, len(big), COLUMNS):
        row = big[first : first + COLUMNS]
        rows += [
            [kpi_number(kpi, PLACE, scene.look).span(6).height(5) for kpi in row],
            [kpi_comparison(kpi, PLACE, scene.look).span(6).height(3) for kpi in row],
        ]
    trends = [kpi_trend(kpi, PLACE, scene.look).span(12).height(7) for kpi in big[:2]]
    verdicts = states(
        "Targets over time",
        "When each target was on its way, slipping, missed or achieved.",
        f"max by (target) (kpi_target_state{{{PLACE}}})",
        "{{target}}",
    )
    return filled(board, [liveness()], *rows, trends, [verdicts.span(24).height(6)])
