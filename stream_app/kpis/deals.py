"""Deals: created, won, lost, and how long it took."""

from stream_app.domain.kpi import HISTOGRAM_DIMENSIONS, Definition

DEFINITIONS = (
    Definition(
        name="deals_created",
        formula="deals_created",
        unit="count",
        better="higher",
        title="Deals created",
        definition="Deals by the time of their creation.",
        headline=True,
    ),
    Definition(
        name="deals_won",
        formula="deals_won",
        unit="count",
        better="higher",
        title="Deals won",
        definition="Wins that stand, by the time of winning.",
        headline=True,
    ),
    Definition(
        name="deals_lost",
        formula="deals_lost",
        unit="count",
        better="lower",
        title="Deals lost",
        definition="Losses that stand, by the time of losing.",
        extra=("loss_reason",),
        headline=True,
    ),
    Definition(
        name="slipped_deals",
        formula="slipped_deals",
        unit="count",
        better="lower",
        title="Slipped deals",
        definition=(
            "Times that an open deal was put off to a later expected day, by the time of "
            "putting off."
        ),
    ),
    Definition(
        name="win_rate",
        formula="deals_won / (deals_won + deals_lost)",
        unit="ratio",
        better="higher",
        title="Win rate",
        definition="Deals won over deals closed, by the day of closing.",
        headline=True,
    ),
    Definition(
        name="win_rate_value",
        formula="revenue / (revenue + lost_value)",
        unit="ratio",
        better="higher",
        title="Win rate by value",
        definition="Amount won over amount closed, by the day of closing.",
    ),
    Definition(
        name="sales_cycle",
        formula="cycle_seconds / cycle_deals",
        unit="seconds",
        better="lower",
        title="Sales cycle",
        definition="Mean time from the lead's creation (else the deal's) to winning.",
        headline=True,
    ),
    Definition(
        name="sales_cycle_median",
        formula="median(cycle_seconds)",
        unit="seconds",
        better="lower",
        title="Sales cycle, median",
        definition="Half of the deals won took no longer; off by at most 1 %.",
        dimensions=HISTOGRAM_DIMENSIONS,
    ),
    Definition(
        name="sales_cycle_p90",
        formula="percentile(cycle_seconds, 90)",
        unit="seconds",
        better="lower",
        title="Sales cycle, p90",
        definition="Nine of ten deals won took no longer; off by at most 1 %.",
        dimensions=HISTOGRAM_DIMENSIONS,
    ),
)
