"""Revenue: what was won, how it compares, and what is left of it."""

from stream_app.domain.kpi import Definition

DEFINITIONS = (
    Definition(
        name="revenue",
        formula="revenue",
        unit="currency",
        better="higher",
        title="Revenue",
        definition="Amounts of the deals won, by day of winning.",
        headline=True,
    ),
    Definition(
        name="revenue_growth",
        formula="(revenue - previous(revenue)) / previous(revenue)",
        unit="ratio",
        better="higher",
        title="Revenue growth",
        definition=(
            "Revenue against the window before; while the window runs, both up to the last "
            "completed day."
        ),
        requires="previous(revenue) > 0",
        headline=True,
    ),
    Definition(
        name="revenue_growth_yoy",
        formula="(revenue - last_year(revenue)) / last_year(revenue)",
        unit="ratio",
        better="higher",
        title="Revenue growth, yoy",
        definition=(
            "Revenue against the same window a year before; while it runs, both up to the "
            "last completed day."
        ),
        requires="last_year(revenue) > 0",
    ),
    Definition(
        name="average_deal_size",
        formula="revenue_sized / deals_won_sized",
        unit="currency",
        better="higher",
        title="Average deal size",
        definition="Mean amount of the won deals that have an amount above zero.",
        headline=True,
    ),
    Definition(
        name="average_order_value",
        formula="revenue / deals_won",
        unit="currency",
        better="higher",
        title="Average order value",
        definition="Mean amount of all won deals, those without an amount included.",
    ),
    Definition(
        name="gross_margin",
        formula="(revenue_costed - cost) / revenue_costed",
        unit="ratio",
        better="higher",
        title="Gross margin",
        definition="What is left of revenue after cost, of the won deals or lines that say a cost.",
    ),
    Definition(
        name="margin_coverage",
        formula="revenue_costed / revenue",
        unit="ratio",
        better="higher",
        title="Margin coverage",
        definition="Share of revenue whose cost is known: how far the gross margin can be trusted.",
    ),
    Definition(
        name="net_margin",
        formula="(revenue - cost - spend - expense) / revenue",
        unit="ratio",
        better="higher",
        title="Net margin",
        definition=(
            "What is left of revenue after cost, spend and expenses; while 90 % of revenue "
            "has a cost."
        ),
        requires="margin_coverage >= 0.9",
        dimensions=frozenset({"company"}),
    ),
)
