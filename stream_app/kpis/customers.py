"""Customers: won, kept and lost, what one costs and what one is worth."""

from stream_app.domain.kpi import Definition

PEOPLE = frozenset({"rep", "team"})
"""Spend is not theirs."""

DEFINITIONS = (
    Definition(
        name="new_customers",
        formula="new_customers",
        unit="count",
        better="higher",
        title="New customers",
        definition="First standing wins, but for deals that say they are no new business.",
        headline=True,
    ),
    Definition(
        name="cac",
        formula="spend / new_customers",
        unit="currency",
        better="lower",
        title="Acquisition cost",
        definition="Spend for each new customer.",
        requires="spend != 0",
        without=PEOPLE,
        in_hour=False,
    ),
    Definition(
        name="cost_per_lead",
        formula="spend / leads",
        unit="currency",
        better="lower",
        title="Cost per lead",
        definition="Spend for each lead created.",
        requires="spend != 0",
        without=PEOPLE,
        in_hour=False,
    ),
    Definition(
        name="churn_rate",
        formula="customers_lost / at_start(customers_active)",
        unit="ratio",
        better="lower",
        title="Churn rate",
        definition="Customers lost in the window over those active at its start.",
    ),
    Definition(
        name="retention_rate",
        formula="1 - churn_rate",
        unit="ratio",
        better="higher",
        title="Retention rate",
        definition="Share of the customers active at the start of the window that it did not lose.",
    ),
    Definition(
        name="clv",
        formula=(
            "revenue / mean(at_start(customers_active), at_end(customers_active)) * "
            "inverse(churn_rate, 5)"
        ),
        unit="currency",
        better="higher",
        title="Lifetime value",
        definition=(
            "Revenue of a year for each active customer, times the years one stays (1 / "
            "churn, at most 5)."
        ),
        windows=("365d",),
    ),
    Definition(
        name="clv_margin",
        formula="clv * gross_margin",
        unit="currency",
        better="higher",
        title="Lifetime margin",
        definition="Customer lifetime value times gross margin.",
        windows=("365d",),
    ),
    Definition(
        name="clv_to_cac",
        formula="clv_margin / cac",
        unit="ratio",
        better="higher",
        title="Lifetime margin / CAC",
        definition="Customer lifetime margin over customer acquisition cost.",
        windows=("365d",),
        without=PEOPLE,
    ),
)
