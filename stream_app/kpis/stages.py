"""Stages: where deals go on, wait, or are stuck."""

from stream_app.domain.kpi import STAGE_DIMENSIONS, Definition

DEFINITIONS = (
    Definition(
        name="stage_conversion",
        formula="stage_advanced / stage_left",
        unit="ratio",
        better="higher",
        title="Stage conversion",
        definition=(
            "Share of the completed visits of the stage that ended further down the pipeline "
            "or won."
        ),
        dimensions=STAGE_DIMENSIONS,
    ),
    Definition(
        name="stage_dwell",
        formula="dwell_seconds / stage_left",
        unit="seconds",
        better="lower",
        title="Time in stage",
        definition="Mean length of the completed visits of the stage, by the time of leaving.",
        dimensions=STAGE_DIMENSIONS,
    ),
    Definition(
        name="stuck_deals",
        formula="older_than(still_open)",
        unit="count",
        better="lower",
        title="Stuck deals",
        definition=(
            "Open deals that entered their stage more than `stuck_after` ago (30 days), as of now."
        ),
        dimensions=STAGE_DIMENSIONS,
    ),
    Definition(
        name="stuck_value",
        formula="older_than(still_open_value)",
        unit="currency",
        better="lower",
        title="Stuck value",
        definition="Amounts of the stuck deals, as of now.",
        dimensions=STAGE_DIMENSIONS,
    ),
)
