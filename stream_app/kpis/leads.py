"""Leads: how many come in, and how many become customers."""

from stream_app.domain.kpi import Definition

DEFINITIONS = (
    Definition(
        name="leads",
        formula="leads",
        unit="count",
        better="higher",
        title="Leads",
        definition="Leads created, each once, by the time of their creation.",
        headline=True,
    ),
    Definition(
        name="conversions",
        formula="conversions",
        unit="count",
        better="higher",
        title="Conversions",
        definition="Leads whose first standing win among their deals falls into the window.",
        headline=True,
    ),
    Definition(
        name="conversion_rate",
        formula="conversions / leads",
        unit="ratio",
        better="higher",
        title="Conversion rate",
        definition="Conversions in the period over leads created in the period; it may exceed 1.",
        headline=True,
    ),
    Definition(
        name="cohort_conversion_rate",
        formula="leads_converted / leads",
        unit="ratio",
        better="higher",
        title="Cohort conversion",
        definition=(
            "Share of the leads created in the window that have been won, whenever that was."
        ),
    ),
)
