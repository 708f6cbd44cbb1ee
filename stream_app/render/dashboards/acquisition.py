"""Acquisition: where customers come from, how, and at what cost."""

from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard

from stream_app.render import query
from stream_app.render.dashboards.frame import Scene, filled, frame, liveness
from stream_app.render.panels import AnyPanel, kpi_comparison, kpi_number, ranking
from stream_app.render.tables import league

_TOP: Final = ("leads", "conversion_rate", "cac", "clv")
_RANKED: Final = ("conversion_rate", "cac", "cost_per_lead", "clv", "clv_to_cac", "leads")
_MOST_COLUMNS: Final = 4


def dashboard(scene: Scene) -> Dashboard:
    """Conversion, cost and lifetime value by source and by technique."""
    board = frame(
        scene,
        "acquisition",
        "Acquisition",
        "Which sources and techniques bring customers, and what they cost and are worth.",
    )
    top = scene.kpis_of("company", *_TOP)
    numbers: list[AnyPanel] = [
        kpi_number(kpi, scene.at(kpi, "company", "all"), scene.look)
        .title(scene.title(kpi))
        .span(6)
        .height(4)
        for kpi in top
    ]
    compared: list[AnyPanel] = [
        kpi_comparison(kpi, scene.at(kpi, "company", "all"), scene.look).span(6).height(3)
        for kpi in top
    ]
    splits = [name for name in ("source", "technique") if scene.has(name)]
    rows = [[liveness()], numbers, compared, *(_by(scene, name) for name in splits)]
    both = "source+technique"
    listed = [
        kpi
        for kpi in scene.kpis_of(both, "leads", "conversions", "conversion_rate", "cac", "revenue")
        if scene.window(kpi) == "$window"
    ]
    if scene.has(both) and listed:
        table = league(
            "Source and technique together",
            "Each combination; few leads make large swings.",
            listed,
            query.place("$window", both),
            scene.look,
            heading="Source + technique",
        )
        rows.append([table.span(24).height(9)])
    return filled(board, *rows)


def _by(scene: Scene, dimension: str) -> list[AnyPanel]:
    kpis = scene.kpis_of(dimension, *_RANKED)[:_MOST_COLUMNS]
    width = 24 // max(1, len(kpis))
    return [
        ranking(
            kpi,
            scene.at(kpi, dimension),
            scene.look,
            title=f"{scene.title(kpi)} by {dimension}",
        )
        .span(width)
        .height(8)
        for kpi in kpis
    ]
