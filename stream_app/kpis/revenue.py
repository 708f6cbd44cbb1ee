"""Revenue: what was won, and how it compares."""

from stream_app.domain.kpi import Definition

DEFINITIONS = (
    Definition(
        name="revenue",
        formula="revenue",
        unit="currency",
        better="higher",
        title="Revenue",
        definition="Amounts of the deals won, by day of winning.",
    ),
    Definition(
        name="average_deal_size",
        formula="revenue_sized / deals_won_sized",
        unit="currency",
        better="higher",
        title="Average deal size",
        definition="Mean amount of the won deals that have an amount above zero.",
    ),
)
