import pytest

from stream_app.metrics.kpi_names import (
    LABEL_CHARACTERS_MAX,
    MetricNameClash,
    is_money,
    label_value,
    metric_name,
    metric_names,
)


@pytest.mark.parametrize(
    ("kpi", "unit", "name"),
    [
        pytest.param("win_rate", "ratio", "kpi_win_rate_ratio", id="ratio"),
        pytest.param("sales_cycle", "seconds", "kpi_sales_cycle_seconds", id="seconds"),
        pytest.param("nps", "points", "kpi_nps_points", id="points"),
        pytest.param("deals_won", "count", "kpi_deals_won", id="a count has no unit"),
        pytest.param("revenue", "currency", "kpi_revenue", id="money has a label instead"),
        pytest.param(
            "pipeline_velocity",
            "currency per day",
            "kpi_pipeline_velocity_per_day",
            id="money per day keeps the day",
        ),
        pytest.param("time-to-market", "days", "kpi_time_to_market_days", id="custom name"),
        pytest.param("load", "°C / h", "kpi_load_C_h", id="custom unit"),
        pytest.param("share", "%", "kpi_share", id="a unit without letters is left out"),
    ],
)
def test_a_gauge_is_named_by_kpi_and_unit(kpi: str, unit: str, name: str) -> None:
    assert metric_name(kpi, unit) == name


@pytest.mark.parametrize(
    ("unit", "money"), [("currency", True), ("currency per day", True), ("count", False)]
)
def test_money_carries_its_currency(unit: str, money: bool) -> None:  # noqa: FBT001
    assert is_money(unit) is money


def test_names_lead_back_to_their_kpis() -> None:
    names = metric_names({"win_rate": "ratio", "revenue": "currency"})

    assert names == {"kpi_win_rate_ratio": "win_rate", "kpi_revenue": "revenue"}


def test_two_kpis_of_one_name_are_refused() -> None:
    with pytest.raises(
        MetricNameClash,
        match=r"^KPI 'a_ratio' \(unit 'count'\) would be exposed as kpi_a_ratio, which is already"
        r" the name of KPI 'a': rename the KPI or give it another unit$",
    ):
        metric_names({"a": "ratio", "a_ratio": "count"})


def test_a_kpi_named_like_a_target_gauge_is_refused() -> None:
    with pytest.raises(MetricNameClash, match="the name of a gauge about targets"):
        metric_names({"target": "count"})


def test_a_label_of_256_characters_is_unchanged() -> None:
    assert label_value("ä" * LABEL_CHARACTERS_MAX) == "ä" * LABEL_CHARACTERS_MAX


def test_longer_labels_are_cut_but_stay_distinct() -> None:
    one, other = (label_value("x" * 400 + end) for end in "12")

    assert len(one) == len(other) == LABEL_CHARACTERS_MAX
    assert one != other
    assert one.startswith("x" * 200)
