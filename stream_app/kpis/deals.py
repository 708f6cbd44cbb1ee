"""Deals: created, won, lost, and how long it took."""

from stream_app.domain.kpi import Definition

DEFINITIONS = (
    Definition(
        name="deals_created",
        formula="deals_created",
        unit="count",
        better="higher",
        title="Deals created",
        definition="Deals by the time of their creation.",
    ),
    Definition(
        name="deals_won",
        formula="deals_won",
        unit="count",
        better="higher",
        title="Deals won",
        definition="Wins that stand, by the time of winning.",
    ),
    Definition(
        name="deals_lost",
        formula="deals_lost",
        unit="count",
        better="lower",
        title="Deals lost",
        definition="Losses that stand, by the time of losing.",
        extra=("loss_reason",),
    ),
    Definition(
        name="win_rate",
        formula="deals_won / (deals_won + deals_lost)",
        unit="ratio",
        better="higher",
        title="Win rate",
        definition="Deals won over deals closed, by the day of closing.",
    ),
    Definition(
        name="sales_cycle",
        formula="cycle_seconds / cycle_deals",
        unit="seconds",
        better="lower",
        title="Sales cycle",
        definition="Mean time from the lead's creation (else the deal's) to winning.",
    ),
)
