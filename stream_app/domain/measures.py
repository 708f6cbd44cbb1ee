"""Names of everything that is counted, and how a cell spells them.

A *measure* is an additive integer. A cell (scope, bucket) maps measure keys to values. A key is the
measure's name, for money followed by the currency (`revenue/EUR`), for money that a stage's
probability may weigh also by pipeline and stage (`open_value_staged/EUR/default/proposal`), for
the histogram of cycles by the bin (`cycle_bin/112`). The parts after the name are percent-encoded
where they hold a `/`.
"""

from functools import lru_cache
from typing import Final

STOCKS: Final = frozenset(
    {"open_deals", "open_value", "open_value_staged", "customers_active"},
)
"""Running sums of daily differences; everything else is a flow."""

MONEY: Final = frozenset(
    {
        "revenue",
        "revenue_sized",
        "revenue_costed",
        "cost",
        "lost_value",
        "open_value",
        "open_value_staged",
        "closing_value",
        "closing_value_staged",
        "still_open_value",
        "spend",
        "expense",
    },
)
"""Measures counted per currency, in minor units of that currency."""

COUNTS: Final = frozenset(
    {
        "leads",
        "conversions",
        "leads_converted",
        "deals_created",
        "deals_won",
        "deals_won_sized",
        "new_customers",
        "deals_lost",
        "cycle_seconds",
        "cycle_deals",
        "open_deals",
        "slipped_deals",
        "still_open",
        "stage_entered",
        "stage_left",
        "stage_advanced",
        "dwell_seconds",
        "nps_promoters",
        "nps_passives",
        "nps_detractors",
        "csat_responses",
        "csat_satisfied",
        "csat_score",
        "csat10_responses",
        "csat10_satisfied",
        "csat10_score",
        "customers_gained",
        "customers_lost",
        "customers_active",
    },
)
"""Measures that are plain integers: numbers of things, seconds, scores."""

WEIGHABLE: Final = {"open_value": "open_value_staged", "closing_value": "closing_value_staged"}
"""Money that stages' probabilities weigh → the measure that keeps it apart by stage."""

HISTOGRAMS: Final = {"cycle_seconds": "cycle_bin"}
"""What has percentiles → the measure that counts its bins; for the company, teams and reps only."""

AGED: Final = frozenset({"still_open", "still_open_value"})
"""What is open now, by the day since when: the only measures that have an age."""

INNER: Final = frozenset({*WEIGHABLE.values(), *HISTOGRAMS.values()})
"""Measures that formulas reach through functions, never by name."""

EXPERIMENT_LEADS: Final = "experiment_leads"
EXPERIMENT_CONVERTED: Final = "experiment_converted"
OF_ARMS: Final = frozenset({EXPERIMENT_LEADS, EXPERIMENT_CONVERTED})
"""Counted by arm (`experiment_leads/free-trial`) in an experiment's own scope; no formula's."""

BUILT_IN: Final = MONEY | COUNTS | INNER


@lru_cache(maxsize=65_536)
def split_measure(key: str) -> tuple[str, tuple[str, ...]]:
    """A measure key as (name, (part, …)), parts decoded."""
    name, *parts = key.split("/")
    return name, tuple(part.replace("%2F", "/").replace("%25", "%") for part in parts)


@lru_cache(maxsize=65_536)
def measure_key(name: str, *parts: str) -> str:
    """The key of a measure; the inverse of `split_measure`."""
    if not parts:
        return name
    return "/".join((name, *(part.replace("%", "%25").replace("/", "%2F") for part in parts)))
