"""The KPIs, as kpis.md lists them: what is divided by what, and where each of them exists."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

from tests.oracle.reference_sums import Asked, Undefined

Part = Callable[[Asked], Fraction]
CALENDAR = ("day", "week", "month", "quarter", "year")
STAGES = frozenset({"stage", "team+stage", "rep+stage"})


@dataclass(frozen=True)
class Kpi:
    """One line of the table.

    Attributes:
        measures: a record must exist where one of them is not zero.
        top: the value, or the numerator.
        bottom: the denominator; None for what is no quotient.
        holds: what must hold, else the value is null.
        compares: what is compared with an earlier window is cut.
        levels: it has a stock, so there is no `hour`.
        of_spend: not for rep and team, nor for `hour`.
        windows: None for all.
        dimensions: None for the company and the configured ones.
        extra: more dimensions, that need not be configured.
    """

    measures: tuple[str, ...]
    top: Part
    bottom: Part | None = None
    holds: Callable[[Asked], bool] = lambda _: True
    compares: bool = False
    levels: bool = False
    of_spend: bool = False
    windows: tuple[str, ...] | None = None
    dimensions: frozenset[str] | None = None
    extra: frozenset[str] = frozenset()

    def exists(self, window: str, dimension: str, configured: frozenset[str]) -> bool:
        """Whether the running window of that kind has the KPI for a dimension."""
        if self.windows is not None and window not in self.windows:
            return False
        if window == "hour" and (self.levels or self.of_spend or dimension not in HOURS):
            return False
        if self.of_spend and {"rep", "team"} & set(dimension.split("+")):
            return False
        if self.dimensions is not None:
            return dimension in self.dimensions
        return dimension == "company" or dimension in configured | self.extra


HOURS = {"company", "team"}


def total(measure: str) -> Kpi:
    return Kpi((measure,), lambda a: a.flow(measure))


def ratio(top: str, bottom: str) -> Kpi:
    return Kpi((top, bottom), lambda a: a.flow(top), lambda a: a.flow(bottom))


def level(measure: str) -> Kpi:
    return Kpi((measure,), lambda a: a.end(measure), levels=True)


def growth(earlier: Part) -> Kpi:
    return Kpi(
        ("revenue",),
        lambda a: a.flow("revenue") - earlier(a),
        earlier,
        holds=lambda a: earlier(a) > 0,
        compares=True,
    )


def divided(top: Fraction, bottom: Fraction) -> Fraction:
    if bottom == 0:
        raise Undefined
    return top / bottom


def coverage(a: Asked) -> Fraction:
    return divided(a.flow("revenue_costed"), a.flow("revenue"))


def gross_margin(a: Asked) -> Fraction:
    return divided(a.flow("revenue_costed") - a.flow("cost"), a.flow("revenue_costed"))


def churn(a: Asked) -> Fraction:
    return divided(a.flow("customers_lost"), a.start("customers_active"))


def lifetime(a: Asked) -> Fraction:
    rate = churn(a)
    return Fraction(5) if rate == 0 else min(Fraction(5), 1 / rate)


def clv(a: Asked) -> Fraction:
    customers = (a.start("customers_active") + a.end("customers_active")) / 2
    return divided(a.flow("revenue"), customers) * lifetime(a)


def clv_margin(a: Asked) -> Fraction:
    return clv(a) * gross_margin(a)


def cac(a: Asked) -> Fraction:
    if a.flow("spend") == 0:
        raise Undefined
    return divided(a.flow("spend"), a.flow("new_customers"))


def velocity(a: Asked) -> Fraction:
    won = a.flow("deals_won")
    days = divided(a.flow("cycle_seconds"), a.flow("cycle_deals")) / 86_400
    size = divided(a.flow("revenue_sized"), a.flow("deals_won_sized"))
    return divided(a.end("open_deals") * divided(won, won + a.flow("deals_lost")) * size, days)


def responses(a: Asked) -> Fraction:
    return a.flow("nps_promoters") + a.flow("nps_passives") + a.flow("nps_detractors")


def with_spend(kpi: Kpi) -> Kpi:
    return replace(kpi, of_spend=True, holds=lambda a: a.flow("spend") != 0)


def by(kpi: Kpi, *dimensions: str) -> Kpi:
    return replace(kpi, extra=frozenset(dimensions))


def of_stages(kpi: Kpi) -> Kpi:
    return replace(kpi, dimensions=STAGES)


def stuck(measure: str) -> Kpi:
    return Kpi(
        (measure,), lambda a: a.stuck(measure), levels=True, windows=("day",), dimensions=STAGES
    )


CYCLE = Kpi(("cycle_deals",), lambda a: a.percentile(50),
            dimensions=frozenset({"company", "team", "rep"}))  # fmt: skip
CLV = Kpi(("revenue", "customers_lost", "customers_active"), clv, levels=True, windows=("365d",))
STUCK = ("stuck_deals", "stuck_value")

KPIS: dict[str, Kpi] = {
    **{
        name: total(name)
        for name in (
            "revenue", "leads", "deals_created", "deals_won", "new_customers", "conversions",
            "slipped_deals",
        )
    },
    "deals_lost": by(total("deals_lost"), "loss_reason"),
    "revenue_growth": growth(lambda a: a.before("revenue")),
    "revenue_growth_yoy": growth(lambda a: a.a_year_before("revenue")),
    "gross_margin": Kpi(
        ("revenue_costed", "cost"),
        lambda a: a.flow("revenue_costed") - a.flow("cost"),
        lambda a: a.flow("revenue_costed"),
    ),
    "margin_coverage": ratio("revenue_costed", "revenue"),
    "net_margin": Kpi(
        ("revenue", "cost", "spend", "expense"),
        lambda a: a.flow("revenue") - a.flow("cost") - a.flow("spend") - a.flow("expense"),
        lambda a: a.flow("revenue"),
        holds=lambda a: coverage(a) >= Fraction(9, 10),
        dimensions=frozenset({"company"}),
    ),
    "conversion_rate": ratio("conversions", "leads"),
    "cohort_conversion_rate": ratio("leads_converted", "leads"),
    "win_rate": Kpi(
        ("deals_won", "deals_lost"),
        lambda a: a.flow("deals_won"),
        lambda a: a.flow("deals_won") + a.flow("deals_lost"),
    ),
    "win_rate_value": Kpi(
        ("revenue", "lost_value"),
        lambda a: a.flow("revenue"),
        lambda a: a.flow("revenue") + a.flow("lost_value"),
    ),
    "average_deal_size": ratio("revenue_sized", "deals_won_sized"),
    "average_order_value": ratio("revenue", "deals_won"),
    "sales_cycle": ratio("cycle_seconds", "cycle_deals"),
    "sales_cycle_median": CYCLE,
    "sales_cycle_p90": replace(CYCLE, top=lambda a: a.percentile(90)),
    "pipeline_deals": by(level("open_deals"), "pipeline"),
    "pipeline_value": by(level("open_value"), "pipeline"),
    "pipeline_weighted": by(
        replace(level("open_value"), top=lambda a: a.weighted_end("open_value")), "pipeline"
    ),
    "pipeline_velocity": Kpi(
        ("open_deals", "deals_won", "deals_lost", "revenue_sized", "cycle_seconds", "cycle_deals"),
        velocity,
        levels=True,
        windows=("30d", "90d", "365d"),
    ),
    "forecast": Kpi(
        ("revenue", "closing_value"),
        lambda a: a.flow("revenue") + a.weighted_whole("closing_value"),
        windows=CALENDAR,
    ),
    "stage_conversion": of_stages(ratio("stage_advanced", "stage_left")),
    "stage_dwell": of_stages(ratio("dwell_seconds", "stage_left")),
    "stuck_deals": stuck("still_open"),
    "stuck_value": stuck("still_open_value"),
    "cac": with_spend(ratio("spend", "new_customers")),
    "cost_per_lead": with_spend(ratio("spend", "leads")),
    "clv": CLV,
    "clv_margin": replace(
        CLV, measures=(*CLV.measures, "revenue_costed", "cost"), top=clv_margin
    ),
    "clv_to_cac": replace(
        CLV,
        measures=(*CLV.measures, "revenue_costed", "cost", "spend", "new_customers"),
        top=clv_margin,
        bottom=cac,
        of_spend=True,
    ),
    "nps": by(
        Kpi(
            ("nps_promoters", "nps_passives", "nps_detractors"),
            lambda a: 100 * (a.flow("nps_promoters") - a.flow("nps_detractors")),
            responses,
        ),
        "theme",
    ),
    "csat": by(ratio("csat_satisfied", "csat_responses"), "theme"),
    "csat_10": by(ratio("csat10_satisfied", "csat10_responses"), "theme"),
    "csat_mean": by(ratio("csat_score", "csat_responses"), "theme"),
    "csat_10_mean": by(ratio("csat10_score", "csat10_responses"), "theme"),
    "churn_rate": Kpi(
        ("customers_lost", "customers_active"),
        lambda a: a.flow("customers_lost"),
        lambda a: a.start("customers_active"),
        levels=True,
    ),
    "retention_rate": Kpi(
        ("customers_lost", "customers_active"), lambda a: 1 - churn(a), levels=True
    ),
}  # fmt: skip
"""AMBIGUOUS: `theme (nps, csat)` names the two kinds of survey, so csat on both its scales."""
