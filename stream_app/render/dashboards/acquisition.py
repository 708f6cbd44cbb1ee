"""Acquisition: where customers come from, how, and at what cost."""

from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard

from stream_app.render import query
from stream_app.render.dashboards.frame import Row, Scene, filled, frame, liveness, numbers
from stream_app.render.panels import AnyPanel, ranking
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
    splits = [name for name in ("source", "technique") if scene.has(name)]
    rows = [liveness(), *numbers(scene, top), *(Row(8, _by(scene, name)) for name in splits)]
    both = "source+technique"
    listed = [
        kpi
        for kpi in scene.kpis_of(both, "leads", "conversions", "conversion_rate", "cac", "revenue")
        if scene.window(kpi, both) == "$window"
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
        rows.append(Row(9, [table]))
    return filled(board, *rows)


def _by(scene: Scene, dimension: str) -> list[AnyPanel]:
    kpis = scene.kpis_of(dimension, *_RANKED)[:_MOST_COLUMNS]
    return [
        ranking(
            kpi,
            scene.at(kpi, dimension),
            scene.look,
            title=f"{scene.title(kpi, dimension)} by {dimension}",
        )
        for kpi in kpis
    ]
