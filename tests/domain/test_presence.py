"""Where a record exists: wherever one of the KPI's measures is not zero in the window."""

from pathlib import Path
from typing import Any

from stream_app.config.load import parse_config
from stream_app.domain.evaluation import Evaluator
from stream_app.kpis import catalogue
from tests.domain.standings import RULES, totals_of, us

OWN = "kpis: {pull: {formula: revenue / previous(leads), unit: ratio}}"


def values(days: dict[str, Any], kpi: str = "pull") -> dict[str, float | None]:
    """Month → the value of a KPI for a team, on 16 November."""
    kpis = catalogue(parse_config(OWN, "company.yaml", Path()))
    windows = [*RULES.current(us("2026-11-16T12:00")), *RULES.closed(us("2026-11-16T12:00"))]
    found = Evaluator(kpis, RULES).values("team|north", totals_of(days), windows, {kpi})
    return {value.window.start[:7]: value.value for value in found if value.window.kind == "month"}


def test_a_measure_that_the_formula_reads_only_one_step_earlier_makes_a_record_exist() -> None:
    assert values({"2026-09-03": {"leads": 4}}) == {"2026-09": None, "2026-10": 0}


def test_a_stock_that_came_and_went_within_the_month_makes_a_record_exist() -> None:
    days = {
        "2026-09-03": {"open_deals": 1, "open_value/EUR": 500_00},
        "2026-09-20": {"open_deals": -1, "open_value/EUR": -500_00},
    }

    for kpi in ("pipeline_deals", "pipeline_value"):
        assert values(days, kpi) == {"2026-09": 0}


def test_a_month_without_any_of_the_measures_has_none() -> None:
    assert values({"2026-09-03": {"deals_lost": 4}}) == {}
