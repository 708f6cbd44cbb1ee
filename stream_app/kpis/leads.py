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
    ),
    Definition(
        name="conversions",
        formula="conversions",
        unit="count",
        better="higher",
        title="Conversions",
        definition="Leads whose first standing win among their deals falls into the window.",
    ),
    Definition(
        name="conversion_rate",
        formula="conversions / leads",
        unit="ratio",
        better="higher",
        title="Conversion rate",
        definition="Conversions in the period over leads created in the period; it may exceed 1.",
    ),
)
