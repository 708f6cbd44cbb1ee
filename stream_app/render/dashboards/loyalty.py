"""Loyalty: what customers say, and whether they stay."""

from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard

from stream_app.render.dashboards.frame import Scene, filled, frame, liveness
from stream_app.render.panels import AnyPanel, kpi_comparison, kpi_number, kpi_trend, ranking

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
    numbers: list[AnyPanel] = []
    compared: list[AnyPanel] = []
    for kpi in top:
        place = scene.at(kpi, "company", "all")
        number = kpi_number(kpi, place, scene.look).title(scene.title(kpi))
        numbers.append(number.span(6).height(5))
        compared.append(kpi_comparison(kpi, place, scene.look).span(6).height(3))
    splits = [name for name in _SPLITS if scene.has(name)]
    ranked: list[list[AnyPanel]] = [
        [
            ranking(
                kpi,
                scene.at(kpi, dimension),
                scene.look,
                title=f"{scene.title(kpi)} by {dimension.replace('_', ' ')}",
            )
            .span(24 // len(splits))
            .height(7)
            for dimension in splits
        ]
        for kpi in scene.kpis("nps", "csat")
    ]
    trends: list[AnyPanel] = [
        kpi_trend(kpi, scene.at(kpi, "company", "all"), scene.look).span(12).height(7)
        for kpi in top[:2]
    ]
    return filled(board, [liveness()], numbers, compared, *ranked, trends)
