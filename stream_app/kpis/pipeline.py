"""Pipeline: what is open now, or was at a window's end."""

from stream_app.domain.kpi import Definition

DEFINITIONS = (
    Definition(
        name="pipeline_deals",
        formula="at_end(open_deals)",
        unit="count",
        better="higher",
        title="Open deals",
        definition="Deals open at the end of the window, or now.",
        extra=("pipeline",),
    ),
    Definition(
        name="pipeline_value",
        formula="at_end(open_value)",
        unit="currency",
        better="higher",
        title="Pipeline value",
        definition="Amounts of the deals open at the end of the window, or now.",
        extra=("pipeline",),
    ),
)
