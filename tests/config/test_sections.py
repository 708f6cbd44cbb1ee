"""What each section's own words mean."""

from decimal import Decimal
from pathlib import Path

import pytest

from stream_app.config.load import load_config, parse_config
from stream_app.config.model import Config, CustomKpi, Experiment

MINUTE_US = 60_000_000
DAY_US = 86_400_000_000


def parsed(text: str) -> Config:
    return parse_config(text, "config.yaml", Path("conf"))


def test_new_names_declare_dimensions_and_get_a_credit_rule() -> None:
    config = parsed("dimensions: [team, segment, [segment, desk]]\ncredit: {desk: at_time}\n")

    assert config.dimensions == (("team",), ("segment",), ("segment", "desk"))
    assert config.credit == {
        **load_config(None).credit,
        "segment": "latest",
        "desk": "at_time",
    }
    assert config.warnings == ()


def test_a_declared_dimension_that_looks_like_a_slip_is_doubted() -> None:
    assert parsed("dimensions:\n  - team\n  - tecnique\n").warnings == (
        (
            "config.yaml:3: dimensions[1]: declares a dimension of your own, 'tecnique'; "
            "did you mean 'technique'?"
        ),
    )


def test_no_dimension_at_all_is_a_choice() -> None:
    assert parsed("dimensions: []\n").dimensions == ()


def test_the_business_currency_may_be_listed_as_one() -> None:
    assert parsed('currencies: {EUR: 1.00, USD: "0.92"}').currencies.keys() == {"USD"}


@pytest.mark.parametrize(
    ("written", "length_us"),
    [
        ("45s", 45_000_000),
        ("10m", 10 * MINUTE_US),
        ("2h", 120 * MINUTE_US),
        ("35d", 35 * DAY_US),
        ("2w", 14 * DAY_US),
        ("1y", 365 * DAY_US),
        ("4y", 1_460 * DAY_US),
        ("10y", 3_652 * DAY_US),
        ("100y", 36_524 * DAY_US),
    ],
)
def test_a_duration_is_a_number_and_a_unit(written: str, length_us: int) -> None:
    assert parsed(f"business: {{retention: {written}}}").business.retention_us == length_us


@pytest.mark.parametrize(
    ("written", "ratio"),
    [("+10 %", "0.1"), ("10%", "0.1"), ("-2.5 %", "-0.025"), ("0 %", "0"), ("+120%", "1.2")],
)
def test_growth_is_written_in_per_cent_and_kept_as_a_ratio(written: str, ratio: str) -> None:
    config = parsed(
        f'targets: [{{name: a, kpi: revenue, window: month, growth: "{written}", over: previous}}]'
    )

    assert config.targets[0].growth == Decimal(ratio)


def test_a_target_is_the_companys_unless_it_says_otherwise() -> None:
    config = parsed(
        """
targets:
  - {name: a, kpi: nps, window: month, at_least: -10}
  - {name: b, kpi: nps, window: month, at_least: 10, dimension: company, member: "*"}
  - {name: c, kpi: nps, window: month, at_least: 10, dimension: [source, technique]}
  - {name: d, kpi: nps, window: month, at_most: 10, dimension: source+technique, member: web+demo}
  - {name: e, kpi: stage_dwell, window: month, at_most: 10, dimension: team+stage, no_data: 2d}
"""
    )

    assert [(t.dimension, t.member) for t in config.targets] == [
        (("company",), "all"),
        (("company",), "all"),
        (("source", "technique"), "*"),
        (("source", "technique"), "web+demo"),
        (("team", "stage"), "*"),
    ]
    assert config.targets[0].at_least == -10
    assert config.targets[4].no_data_us == 2 * DAY_US


def test_a_custom_kpi_may_say_everything() -> None:
    config = parsed(
        """
dimensions: [team]
windows: [month, 30d]
kpis:
  lead_speed:
    formula: >
      leads
      / deals_created
    unit: currency per day
    better: lower
    title: Speed of leads
    definition: How many leads
      come for each deal.
    requires: deals_created != 0
    dimensions: [company, team, [team, stage]]
    windows: [30d]
"""
    )

    assert config.kpis["lead_speed"] == CustomKpi(
        name="lead_speed",
        formula="leads / deals_created",
        unit="currency per day",
        better="lower",
        title="Speed of leads",
        definition="How many leads come for each deal.",
        requires="deals_created != 0",
        dimensions=(("company",), ("team",), ("team", "stage")),
        windows=("30d",),
    )


def test_a_target_may_name_a_custom_kpi() -> None:
    text = """
targets: [{name: a, kpi: speed, window: month, at_least: 1}]
kpis: {speed: {formula: leads, unit: count}}
"""
    assert parse_config(text, "c.yaml", Path(), known_kpis=["nps"]).targets[0].kpi == "speed"


def test_experiments_are_read() -> None:
    config = parsed(
        """
experiments:
  - {name: free-trial, dimension: technique, control: cold-call, variants: [free-trial],
     horizon: 30d, random: true}
"""
    )

    assert config.experiments == (
        Experiment(
            name="free-trial",
            dimension="technique",
            control="cold-call",
            variants=("free-trial",),
            horizon_days=30,
            random=True,
        ),
    )
