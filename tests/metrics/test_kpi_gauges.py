from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as openmetrics_families,
)

from stream_app.metrics.board import Sample, SnapshotBoard, TargetSample, TargetState
from stream_app.metrics.kpi_gauges import KpiGauges
from stream_app.metrics.kpi_names import label_value
from tests.metrics.exposing import lines, members, parsed, rendered, sample, series, shown


def test_a_kpi_is_a_gauge_with_window_dimension_and_member() -> None:
    page = rendered(sample("win_rate", unit="ratio", dimension="team", member="emea", value=0.25))

    assert page.text.decode() == (
        "# HELP kpi_win_rate_ratio KPI win_rate, unit ratio.\n"
        "# TYPE kpi_win_rate_ratio gauge\n"
        'kpi_win_rate_ratio{dimension="team",member="emea",window="month"} 0.25\n'
    )


def test_money_is_labelled_with_the_business_currency() -> None:
    page = rendered(
        sample("revenue", unit="currency", value=1234.5),
        sample("pipeline_velocity", unit="currency per day", window="90d"),
    )

    labels = {"dimension": "rep", "member": "r-1", "currency": "EUR"}
    assert parsed(page.text) == {
        series("kpi_revenue", window="month", **labels): 1234.5,
        series("kpi_pipeline_velocity_per_day", window="90d", **labels): 1,
    }


def test_the_families_of_many_scopes_are_contiguous_and_named_once() -> None:
    page = rendered(
        *(
            sample(kpi, member=member, value=place)
            for place, (member, kpi) in enumerate(
                (member, kpi) for member in ("a", "b", "c") for kpi in ("leads", "deals_won")
            )
        )
    )

    assert len(parsed(page.text)) == page.series == 6
    assert lines(page.text, "# TYPE") == [
        "# TYPE kpi_deals_won gauge",
        "# TYPE kpi_leads gauge",
    ]


def test_a_definition_becomes_the_help_text() -> None:
    gauges = KpiGauges(currency="EUR", help_texts={"leads": 'Leads,\nsaid "so" by C:\\crm.'})

    text = gauges.render(shown(sample("leads"))).text

    assert lines(text, "# HELP") == [r"# HELP kpi_leads Leads,\nsaid 'so' by C:\\crm."]


def test_the_page_is_what_the_library_would_have_written() -> None:
    samples = [
        sample(kpi, unit="ratio", member=member, window=window, value=value)
        for kpi in ("win_rate", "conversion_rate")
        for member in ("r-1", 'a "quoted" \\ one', "line\nbreak", "müller+web")
        for window, value in (("day", 0.1), ("month", 1e21), ("year", -3))
    ]

    class Reference:
        def collect(self) -> list[GaugeMetricFamily]:
            families = {}
            for each in samples:
                name = f"kpi_{each.kpi}_ratio"
                families.setdefault(
                    name,
                    GaugeMetricFamily(name, "", labels=["window", "dimension", "member"]),
                ).add_metric([each.window, each.dimension, each.member], float(each.value))
            return list(families.values())

    registry = CollectorRegistry()
    registry.register(Reference())

    assert parsed(rendered(*samples).text) == parsed(generate_latest(registry))


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300))
def test_any_member_reads_back_as_it_is_in_the_data(member: str) -> None:
    page = rendered(sample(member=member))

    assert members(page.text) == {label_value(member)}


def test_a_lone_surrogate_cannot_break_the_page() -> None:
    assert members(rendered(sample(member="x\ud800y")).text) == {"x?y"}


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**15), 10**15))
def test_a_value_reads_back_exactly(value: float) -> None:
    (number,) = parsed(rendered(sample(value=value)).text).values()

    assert number == value


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        float("-inf"),
        Decimal("NaN"),
        Decimal("1e400"),
        10**400,
    ],
)
def test_what_is_no_finite_number_has_no_series(value: float) -> None:
    page = rendered(sample("leads", value=value), sample("nps", value=3))

    assert [name for name, _ in parsed(page.text)] == ["kpi_nps"]
    assert page.dropped == 0


def test_minus_zero_is_shown_as_zero() -> None:
    assert lines(rendered(sample(value=-0.0)).text, "kpi_leads") == [
        'kpi_leads{dimension="rep",member="r-1",window="month"} 0.0'
    ]


def test_a_series_named_twice_in_a_scope_has_its_last_value() -> None:
    board = SnapshotBoard()
    board.show()
    board.replace((0, "a"), [sample(value=1), sample(value=2)])

    page = KpiGauges(currency="EUR").render(board.snapshot())

    assert list(parsed(page.text).values()) == [2]


def test_the_value_one_window_earlier_is_a_series_of_its_own() -> None:
    now = Sample("leads", "count", "month", "team", "emea", 7, 10, previous=5)
    unknown = Sample("nps", "points", "month", "team", "emea", 31, 10)

    page = rendered(now, unknown)

    place = frozenset({"window": "month", "dimension": "team", "member": "emea"}.items())
    assert parsed(page.text) == {
        ("kpi_leads", place): 7,
        ("kpi_nps_points", place): 31,
        ("kpi_previous", place | {("kpi", "leads")}): 5,
    }
    assert page.series == 3


def test_a_target_has_a_value_an_attainment_a_state_its_reason_and_what_a_coach_is_told() -> None:
    board = SnapshotBoard()
    board.show()
    place = {"window": "month", "dimension": "team", "member": "emea"}
    firing = TargetSample(
        "quota", "revenue", **place, target_value=Decimal("99.5"), attainment=0.4,
        state=TargetState.FIRING,
    )  # fmt: skip
    undefined = TargetSample(
        "win", "win_rate", **place, target_value=0.25, attainment=None, state=None
    )
    board.replace((0, "emea"), [], [firing, undefined])

    coached = TargetSample(
        "late", "leads", **place, target_value=5, attainment=None, state=TargetState.ACHIEVED,
        reason="goal_reached", of_closed=True, coaching=TargetState.FIRING,
    )  # fmt: skip
    board.replace((0, "late"), [], [coached])

    page = KpiGauges(currency="EUR").render(board.snapshot())

    quota = {"target": "quota", "kpi": "revenue", **place}
    win = {"target": "win", "kpi": "win_rate", **place}
    late = {"target": "late", "kpi": "leads", **place}
    assert parsed(page.text) == {
        series("kpi_target", **quota): 99.5,
        series("kpi_target", **win): 0.25,
        series("kpi_target_attainment_ratio", **quota): 0.4,
        series("kpi_target_state", **quota): 2,
        series("kpi_target", **late): 5,
        series("kpi_target_state", **late): 3,
        series("kpi_target_reason", **late, about="closed", reason="goal_reached"): 1,
        series("kpi_target_coaching_state", **late): 2,
    }
    assert page.series == 8


def test_beyond_the_limit_the_smallest_samples_are_dropped_first() -> None:
    page = rendered(
        *(sample(member=f"r-{size}", size=size) for size in (5, 50, 7, 70, 6)),
        sample(member="unknown", size=None),
        series_max=3,
    )

    assert members(page.text) == {"r-70", "r-50", "r-7"}
    assert (page.series, page.dropped) == (3, 3)


def test_among_equal_samples_the_limit_is_exact() -> None:
    page = rendered(*(sample(member=f"r-{n}") for n in range(10)), series_max=4)

    assert members(page.text) == {"r-0", "r-1", "r-2", "r-3"}
    assert (page.series, page.dropped) == (4, 6)


def test_company_and_team_are_dropped_last() -> None:
    page = rendered(
        sample(member="big", size=1_000),
        sample(dimension="team", member="emea", size=None),
        sample(dimension="company", member="all", size=1),
        series_max=2,
    )

    assert members(page.text) == {"all", "emea"}


def test_the_limit_takes_apart_a_scope_whose_series_differ() -> None:
    board = SnapshotBoard(series_max=2)
    board.show()
    board.replace((0, "a"), [sample(window=w, size=s) for w, s in (("day", 1), ("year", 99))])
    board.replace((0, "b"), [sample(window="month", member="r-2", size=50)])

    page = KpiGauges(currency="EUR").render(board.snapshot())

    assert {dict(labels)["window"] for _, labels in parsed(page.text)} == {"year", "month"}


def test_a_targets_state_outlives_other_members_values() -> None:
    board = SnapshotBoard(series_max=3)
    board.show()
    board.replace((0, "other"), [sample(member="other", size=10**6)])
    goal = TargetSample("quota", "leads", "month", "rep", "r-1", 5, 0.2, TargetState.FIRING)
    board.replace((0, "r-1"), [], [goal])

    page = KpiGauges(currency="EUR").render(board.snapshot())

    assert members(page.text) == {"r-1"}


def test_reasons_are_dropped_before_any_state_and_any_value() -> None:
    board = SnapshotBoard(series_max=4)
    board.show()
    for name in ("r-1", "r-2"):
        goal = TargetSample("q", "leads", "month", "rep", name, None, None, TargetState.OK, "why")
        board.replace((0, name), [sample(member=name, size=None)], [goal])

    page = KpiGauges(currency="EUR").render(board.snapshot())

    names = {name for name, _ in parsed(page.text)}
    assert "kpi_target_reason" not in names
    assert (page.series, page.dropped, len(names)) == (4, 2, 2)


def test_series_withheld_by_the_board_count_as_dropped() -> None:
    page = rendered(*(sample(member=f"r-{n}") for n in range(100)), series_max=5)

    assert (page.series, page.dropped) == (5, 95)


def test_a_scope_that_changed_or_left_is_rendered_anew() -> None:
    board = SnapshotBoard()
    board.show()
    gauges = KpiGauges(currency="EUR")
    for name in ("a", "b", "c"):
        board.replace((0, name), [sample(member=name, value=1)])
    gauges.render(board.snapshot())

    board.replace((0, "a"), [sample(member="a", value=2)])
    board.replace((0, "b"), [])

    values = parsed(gauges.render(board.snapshot()).text)
    assert {dict(labels)["member"]: value for (_, labels), value in values.items()} == {
        "a": 2,
        "c": 1,
    }


def test_two_renderers_of_one_board_do_not_disturb_each_other() -> None:
    snapshot = shown(sample("leads"), sample("nps"))

    pages = [KpiGauges(currency="EUR").render(snapshot) for _ in range(2)]

    assert pages[0] == pages[1]


def test_the_same_bytes_are_valid_openmetrics() -> None:
    page = rendered(sample("win_rate", unit="ratio"), sample(member='"\\\n'))

    families = list(openmetrics_families(page.text.decode() + "# EOF\n"))

    assert [family.name for family in families] == ["kpi_leads", "kpi_win_rate_ratio"]
