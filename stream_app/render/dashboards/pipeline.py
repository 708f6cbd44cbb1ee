"""The pipeline: what is open, how it moves through the stages, and where it is stuck."""

from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard

from stream_app.render.dashboards.frame import Row, Scene, filled, frame, liveness, numbers
from stream_app.render.panels import AnyPanel, kpi_trend, ranking

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
    stages = [
        ranking(kpi, scene.at(kpi, "stage"), scene.look, title=scene.title(kpi, "stage"))
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
        for kpi in scene.kpis_of("loss_reason", "deals_lost")
    ]
    below += [
        kpi_trend(kpi, scene.at(kpi, "company", "all"), scene.look)
        for kpi in scene.kpis_of("company", "pipeline_value", "pipeline_deals")
    ]
    return filled(board, liveness(), *numbers(scene, top), Row(8, stages), Row(8, below))
