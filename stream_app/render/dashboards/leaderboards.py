"""Leaderboards: teams, and reps by their pseudonyms."""

from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard

from stream_app.render import query
from stream_app.render.dashboards.frame import Row, Scene, bare_frame, filled, frame, liveness
from stream_app.render.panels import ranking, states
from stream_app.render.tables import league, verdicts

_RANKED: Final = ("revenue", "win_rate", "deals_won", "pipeline_value")
_LISTED: Final = (
    "revenue",
    "deals_won",
    "win_rate",
    "average_deal_size",
    "sales_cycle",
    "conversion_rate",
    "pipeline_value",
    "nps",
)


def teams(scene: Scene) -> Dashboard:
    """Teams against each other and their targets."""
    return _leaderboard(scene, "team", "Teams")


def reps(scene: Scene) -> Dashboard:
    """The ten first reps by each KPI, and all of them in a table."""
    return _leaderboard(scene, "rep", "Reps")


def _leaderboard(scene: Scene, dimension: str, title: str) -> Dashboard:
    uid = title.lower()
    text = f"{title} against each other and their targets, in the chosen window."
    if not scene.has(dimension):
        why = f"KPIs are not split by {dimension}: see `dimensions`."
        return filled(bare_frame(uid, title, why), liveness())
    look = scene.named if dimension == "rep" else scene.look
    board = frame(scene, uid, title, text)
    ranked = [
        ranking(kpi, scene.at(kpi, dimension), look, title=scene.title(kpi, dimension))
        for kpi in scene.kpis_of(dimension, *_RANKED)
    ]
    place = query.place("$window", dimension)
    listed = [
        kpi
        for kpi in scene.kpis_of(dimension, *_LISTED)
        if scene.window(kpi, dimension) == "$window"
    ]
    rows = [liveness(), Row(10, ranked)]
    if listed:
        table = league(
            f"All {title.lower()}",
            "A row for each; the colour is the state of the target of the first column.",
            listed,
            place,
            look,
            heading=dimension.capitalize(),
        )
        rows.append(Row(10, [table]))
    timeline = states(
        "Targets over time",
        "When each was on its way, slipping, below target or had achieved it.",
        f"max by (member, target) (kpi_target_state{{{place}}})",
        "{{member}} {{target}}",
    )
    coached = f"max by (member, target) (kpi_target_coaching_state{{{place}}})"
    reasons = verdicts(
        "Why",
        "Why each target is off or achieved, or is not judged; and who missed one again and again.",
        [
            f'max by (member, target, reason) (kpi_target_reason{{{place},reason!="window_runs"}})',
            f"label_replace({coached} == 2, 'reason', 'missed_repeatedly', '', '')",
        ],
        look,
        none="every target is judged, and on its way",
    )
    return filled(board, *rows, Row(8, [timeline, reasons]))
