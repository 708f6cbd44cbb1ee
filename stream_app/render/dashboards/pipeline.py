"""The pipeline: what is open, how it moves through the stages, and where it is stuck."""

from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard

from stream_app.render.dashboards.frame import Scene, filled, frame, liveness
from stream_app.render.panels import AnyPanel, kpi_comparison, kpi_number, kpi_trend, ranking

_TOP: Final = (
    "pipeline_value",
    "pipeline_weighted",
    "pipeline_velocity",
    "pipeline_coverage",
    "pipeline_deals",
    "forecast",
    "slipped_deals",
    "win_rate",
)
_SHOWN: Final = 4
_STAGES: Final = ("stage_conversion", "stage_dwell", "stuck_deals", "stuck_value")


def dashboard(scene: Scene) -> Dashboard:
    """Stock and speed on top, bottlenecks by stage below, losses by reason at the end."""
    board = frame(
        scene,
        "pipeline",
        "Pipeline",
        "What is open, how fast it moves, at which stage it is stuck, and why deals are lost.",
    )
    top = scene.kpis_of("company", *_TOP)
    rows: list[list[AnyPanel]] = [[liveness()]]
    for first in range(0, len(top), _SHOWN):
        row = top[first : first + _SHOWN]
        rows += [
            [
                kpi_number(kpi, scene.at(kpi, "company", "all"), scene.look)
                .title(scene.title(kpi))
                .span(6)
                .height(4)
                for kpi in row
            ],
            [
                kpi_comparison(kpi, scene.at(kpi, "company", "all"), scene.look).span(6).height(3)
                for kpi in row
            ],
        ]
    stages: list[AnyPanel] = [
        ranking(kpi, scene.at(kpi, "stage"), scene.look, title=f"{scene.title(kpi)} by stage")
        .span(6)
        .height(8)
        for kpi in scene.kpis_of("stage", *_STAGES)
    ]
    below: list[AnyPanel] = [
        ranking(
            kpi,
            scene.at(kpi, "loss_reason"),
            scene.look,
            title="Deals lost by reason",
            order="most",
        )
        .span(8)
        .height(8)
        for kpi in scene.kpis_of("loss_reason", "deals_lost")
    ]
    below += [
        kpi_trend(kpi, scene.at(kpi, "company", "all"), scene.look).span(8).height(8)
        for kpi in scene.kpis_of("company", "pipeline_value", "pipeline_deals")
    ]
    return filled(board, *rows, stages, below)
