"""Loyalty: what customers say, and whether they stay."""

from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard

from stream_app.render.dashboards.frame import Row, Scene, filled, frame, liveness, numbers
from stream_app.render.panels import kpi_trend, ranking

_TOP: Final = ("nps", "csat", "churn_rate", "retention_rate")
_SPLITS: Final = ("team", "product_line", "theme")


def dashboard(scene: Scene) -> Dashboard:
    """NPS, satisfaction and churn of the company, then by team, product and theme."""
    board = frame(
        scene,
        "loyalty",
        "Loyalty",
        "What customers say, what they talk about, and whether they stay.",
    )
    top = scene.kpis_of("company", *_TOP)
    splits = [name for name in _SPLITS if scene.has(name)]
    ranked = [
        Row(
            7,
            [
                ranking(
                    kpi,
                    scene.at(kpi, dimension),
                    scene.look,
                    title=f"{scene.title(kpi, dimension)} by {dimension.replace('_', ' ')}",
                )
                for dimension in splits
                if kpi in scene.kpis_of(dimension, kpi.name)
            ],
        )
        for kpi in scene.kpis("nps", "csat")
    ]
    trends = [kpi_trend(kpi, scene.at(kpi, "company", "all"), scene.look) for kpi in top[:2]]
    return filled(board, liveness(), *numbers(scene, top, height=5), *ranked, Row(7, trends))
