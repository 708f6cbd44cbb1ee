"""Where things lie in a chart."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stream_app.reports.charts import HEIGHT, WIDTH, Chart, axis_text, chart, nice_ticks, sparkline
from stream_app.reports.contents import Editor
from stream_app.reports.figures import Point
from tests.reports.stories import COMPANY, RULES, archive, choice

UNITS = ("count", "currency", "ratio", "seconds", "points")


@example([5e-324], "ratio")
@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=5), st.sampled_from(UNITS))
def test_ticks_are_few_even_and_hold_every_value(values: list[float], unit: str) -> None:
    ticks = nice_ticks(values, unit)
    assert ticks[0] <= min(*values, 0) + 1e-6
    assert ticks[-1] >= max(*values, 0) - 1e-6
    assert 2 <= len(ticks) <= 7
    steps = {round((b - a) / (ticks[1] - ticks[0]), 6) for a, b in pairwise(ticks)}
    assert steps == {1}


@pytest.mark.parametrize(
    ("values", "unit", "texts"),
    [
        ([0.52], "ratio", ["0 %", "20 %", "40 %", "60 %"]),
        ([1_300_000], "currency", ["0", "0.5M", "1M", "1.5M"]),
        ([42_000, -5_000], "currency", ["\N{MINUS SIGN}20k", "0", "20k", "40k", "60k"]),
        ([5 * 86_400], "seconds", ["0d", "2d", "4d", "6d"]),
        ([3], "count", ["0", "1", "2", "3"]),
    ],
)
def test_ticks_are_round_numbers_of_the_unit(
    values: list[float], unit: str, texts: list[str]
) -> None:
    ticks = nice_ticks(values, unit)
    assert [axis_text(tick, unit, ticks) for tick in ticks] == texts


def charts() -> dict[str, Chart]:
    figures = Editor(COMPANY, RULES, archive(), choice()).contents().figures
    found = {figure.kpi.name: chart(figure, "EUR") for figure in figures}
    return {name: each for name, each in found.items() if each is not None}


def test_totals_are_bars_and_all_else_is_a_line() -> None:
    found = charts()
    assert sorted(found) == ["deals_won", "revenue", "win_rate"]
    assert [(len(c.bars), len(c.lines)) for _, c in sorted(found.items())] == [
        (2, 0),
        (3, 0),
        (0, 1),
    ]


def test_a_chart_has_axes_a_unit_and_the_target() -> None:
    revenue = charts()["revenue"]
    assert (revenue.title, revenue.unit) == ("Revenue", "EUR")
    assert [label.text for label in revenue.y_labels] == ["0", "250", "500", "750", "1,000"]
    assert [label.text for label in revenue.x_labels] == ["Jan 26", "Feb 26", "Mar 26"]
    assert revenue.target is not None
    assert revenue.target.text == "target €750"
    assert revenue.last is not None
    assert revenue.last.text == "€900"
    assert revenue.summary == "Revenue: Jan 26: €400; Feb 26: €600; Mar 26: €900"


def test_everything_lies_inside_the_box() -> None:
    for each in charts().values():
        for mark in (*each.bars, *each.dots):
            assert each.left <= mark.x - mark.width / 2
            assert mark.x + mark.width / 2 <= each.right <= WIDTH
            assert 0 <= mark.top <= each.base <= HEIGHT


def test_a_line_breaks_where_there_is_no_value() -> None:
    values = [1.0, 2.0, None, 2.0, 1.0]
    assert len(sparkline([Point("", "", value) for value in values])) == 2
    assert sparkline([Point("", "", 1.0)]) == ()
