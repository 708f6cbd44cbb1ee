"""Pipeline: what is open now, or was at a window's end, and what may come of it."""

from stream_app.domain.kpi import Definition
from stream_app.domain.windows import CALENDAR_KINDS

DEFINITIONS = (
    Definition(
        name="pipeline_deals",
        formula="at_end(open_deals)",
        unit="count",
        better="higher",
        title="Open deals",
        definition="Deals open at the end of the window, or now.",
        extra=("pipeline",),
        headline=True,
    ),
    Definition(
        name="pipeline_value",
        formula="at_end(open_value)",
        unit="currency",
        better="higher",
        title="Pipeline value",
        definition="Amounts of the deals open at the end of the window, or now.",
        extra=("pipeline",),
        headline=True,
    ),
    Definition(
        name="pipeline_weighted",
        formula="at_end(weighted(open_value))",
        unit="currency",
        better="higher",
        title="Weighted pipeline",
        definition="Pipeline value with each amount times the chance of its stage.",
        extra=("pipeline",),
    ),
    Definition(
        name="pipeline_velocity",
        formula="at_end(open_deals) * win_rate * average_deal_size * (86400 / sales_cycle)",
        unit="currency per day",
        better="higher",
        title="Pipeline velocity",
        definition=(
            "What the open deals bring in a day at the present win rate, deal size and sales cycle."
        ),
        windows=("30d", "90d", "365d"),
    ),
    Definition(
        name="forecast",
        formula="revenue + whole(weighted(closing_value))",
        unit="currency",
        better="higher",
        title="Forecast",
        definition=(
            "Revenue so far, and open deals expected to close within the window times the "
            "chance of their stage."
        ),
        windows=CALENDAR_KINDS,
    ),
    Definition(
        name="pipeline_coverage",
        formula="whole(closing_value) / (target(revenue) - revenue)",
        unit="ratio",
        better="higher",
        title="Pipeline coverage",
        definition=(
            "Open deals expected to close within the window, by what is missing of its revenue "
            "target; only where there is one."
        ),
        windows=CALENDAR_KINDS,
    ),
)
