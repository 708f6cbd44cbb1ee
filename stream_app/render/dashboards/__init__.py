"""The dashboards, one module each: name of the file → how it is built."""

from collections.abc import Callable, Mapping
from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard

from stream_app.render.dashboards import (
    acquisition,
    leaderboards,
    loyalty,
    operators,
    pipeline,
    wall,
)
from stream_app.render.dashboards.frame import Scene

DASHBOARDS: Final[Mapping[str, Callable[[Scene], Dashboard]]] = {
    "company-wall": wall.dashboard,
    "teams": leaderboards.teams,
    "reps": leaderboards.reps,
    "acquisition": acquisition.dashboard,
    "pipeline": pipeline.dashboard,
    "loyalty": loyalty.dashboard,
    "operators": operators.dashboard,
}
"""In the order of the playlist; the operators' one is not for a wall."""

ON_THE_WALL: Final = tuple(name for name in DASHBOARDS if name != "operators")
