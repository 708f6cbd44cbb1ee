"""The language of formulas: what it means, and what it says of what it does not understand."""

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

import stream_app
from stream_app.company import load_company
from stream_app.config.errors import ConfigErrors
from stream_app.config.model import Config, CustomKpi, Measure
from stream_app.domain.catalogue import wrong_formulas
from stream_app.domain.formula import FormulaError, Vocabulary, parse
from stream_app.domain.histogram import bin_of
from stream_app.domain.totals import ScopeTotals
from stream_app.domain.views import Sides as SidesOfViews
from stream_app.domain.views import View, Views
from stream_app.domain.windows import Days
from stream_app.kpis import DEFINITIONS, catalogue
from tests.domain.stories import a_config

SCALES = {"leads": 0, "deals_won": 0, "revenue": 2, "spend": 2, "defects": 4, "cycle_seconds": 0,
          "open_deals": 0, "open_value": 2, "open_value_staged": 2, "closing_value": 2,
          "closing_value_staged": 2, "still_open": 0, "still_open_value": 2}  # fmt: skip
WORDS = Vocabulary(SCALES.get)
TODAY = 100
WEEK = Days(94, 101)


@dataclass
class Fixed:
    """Totals that were written down: what is not there is 0."""

    flows: dict[tuple[str, int, int], int] = field(default_factory=dict)
    levels: dict[tuple[str, int], int] = field(default_factory=dict)

    def flow(self, name: str, over: Days) -> int:
        return self.flows.get((name, over.first, over.end), 0)

    def stock_at_start(self, name: str, over: Days) -> int:
        return self.levels.get((name, over.first), 0)

    def stock_at_end(self, name: str, over: Days) -> int:
        return self.levels.get((name, over.end), 0)

    def aged(self, name: str, over: Days, days: int) -> int:
        return self.flow(name, Days(0, over.end - 1 - days))

    def percentile(self, name: str, over: Days, percent: Fraction) -> int | None:
        return self.flows.get((f"{name} {percent}", over.first, over.end))

    def touched(self, over: Days, among: AbstractSet[str] | None) -> set[str]:
        inside = {name for name, *days in self.flows if days == [over.first, over.end]}
        return inside if among is None else inside & among


def value(text: str, totals: Fixed, requires: str | None = None) -> object:
    views = Views(totals)  # type: ignore[arg-type] # only days are asked for

    def side(first: int, end: int) -> View:
        return views.of(Days(first, end, 110 if first == 94 else None))

    sides = SidesOfViews(side(94, 101), side(94, 100), side(87, 93), None)
    return parse(text, WORDS, requires).evaluate(sides).value


NUMBERS = Fixed(
    flows={
        ("leads", 94, 101): 8, ("leads", 94, 100): 6, ("leads", 87, 93): 4,
        ("deals_won", 94, 101): 2, ("revenue", 94, 101): 12_345, ("spend", 94, 101): 0,
        ("defects", 94, 101): 25_000, ("closing_value_staged", 94, 110): 70_000,
        ("closing_value_staged", 94, 101): 30_000, ("still_open", 0, 70): 3,
        ("still_open", 0, 95): 5, ("cycle_bin 50", 94, 101): 100, ("cycle_bin 199/2", 94, 101): 900,
    },
    levels={("open_deals", 94): 10, ("open_deals", 101): 6, ("open_value_staged", 101): 5_000},
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("leads + deals_won * 3 - -1", 15),
        ("(leads + deals_won) * 3", 30),
        ("leads / deals_won / 2", 2),
        ("leads \N{MINUS SIGN} deals_won \N{MULTIPLICATION SIGN} 3 \N{DIVISION SIGN} 2", 5),
        ("revenue / leads", 15.43125),
        ("revenue", Decimal("123.45")),
        ("revenue * 2", Decimal("246.9")),
        ("defects / leads", 0.3125),
        ("0.5 * leads", 4),
        ("leads / spend", None),
        ("leads + 1 / spend", None),
        ("at_start(open_deals)", 10),
        ("at_end(open_deals)", 6),
        ("mean(at_start(open_deals), at_end(open_deals))", 8),
        ("previous(leads)", 4),
        ("leads - previous(leads)", 2),  # cut on both sides
        ("last_year(leads)", None),
        ("whole(weighted(closing_value))", 700),
        ("weighted(closing_value)", 300),
        ("at_end(weighted(open_value))", 50),
        ("older_than(still_open)", 3),
        ("older_than(still_open, 5)", 5),
        ("median(cycle_seconds)", 100),
        ("percentile(cycle_seconds, 99.5)", 900),
        ("percentile(cycle_seconds, 10)", None),
        ("inverse(deals_won / leads, 5)", 4),
        ("inverse(deals_won / leads, 3)", 3),
        ("inverse(spend, 5)", 5),
        ("inverse(leads / spend, 5)", None),
    ],
)
def test_a_formula_means_what_it_says(text: str, wanted: object) -> None:
    assert value(text, NUMBERS) == wanted


@pytest.mark.parametrize(
    ("requires", "holds"),
    [
        ("deals_won > 2", False), ("deals_won >= 2", True), ("deals_won > 1", True),
        ("spend != 0", False), ("leads != 0", True), ("1 / spend > 0", False),
        ("last_year(leads) >= 0", False),
    ],
)  # fmt: skip
def test_a_value_is_null_where_its_condition_does_not_hold(requires: str, holds: bool) -> None:  # noqa: FBT001
    assert value("leads * 2", NUMBERS, requires) == (
        None if not holds else 12 if "last_year" in requires else 16
    )


def mistakes() -> Iterator[tuple[str, str]]:
    """The cases of the file, and those that are too long or too short for it."""
    text = (Path(__file__).parent / "bad_formulas.txt").read_text(encoding="utf-8")
    for case in text.strip().split("\n\n")[1:]:
        formula, message = case.splitlines()
        yield formula, message.strip()
    yield "", "the formula ends where a value was expected (at character 1)"
    yield "(" * 41 + "1" + ")" * 41, "nested deeper than 40 (at character 41)"
    yield "1" + " + 1" * 200, "more than 200 operations inside each other (at character 1)"
    yield "1" * 1001, "a formula has at most 1000 characters (at character 1001)"


@pytest.mark.parametrize(("text", "message"), list(mistakes()))
def test_a_mistake_is_told_with_its_place(text: str, message: str) -> None:
    with pytest.raises(FormulaError) as caught:
        parse(text, WORDS)
    assert str(caught.value) == message


def test_a_condition_needs_a_comparison() -> None:
    with pytest.raises(FormulaError, match=r"a condition is a > b, a >= b or a != b"):
        parse("leads", WORDS, "leads")


# -- KPIs that name each other ---------------------------------------------------------------------


def own(**formulas: str) -> Config:
    return a_config(
        kpis={
            name: CustomKpi(name=name, formula=formula, unit="ratio")
            for name, formula in formulas.items()
        },
        measures={"defects": Measure(name="defects")},
    )


def wrong(**formulas: str) -> list[tuple[str, str]]:
    return [(name, what) for name, _, what in wrong_formulas(DEFINITIONS, own(**formulas))]


def test_kpis_may_name_each_other_in_any_order() -> None:
    config = own(a="b * 2", b="c + win_rate", c="defects / leads")

    assert wrong(a="b * 2", b="c + win_rate", c="defects / leads") == []
    (kpi,) = [kpi for kpi in catalogue(config).kpis if kpi.name == "a"]
    assert kpi.measures == {"defects", "leads", "deals_won", "deals_lost"}


def test_a_circle_is_told_for_each_kpi_in_it_and_no_other() -> None:
    assert wrong(a="1 + b", b="c", c="a / 2", d="a") == [
        ("a", "a KPI cannot depend on itself: a → b → c → a (at character 5)"),
        ("b", "a KPI cannot depend on itself: b → c → a → b (at character 1)"),
        ("c", "a KPI cannot depend on itself: c → a → b → c (at character 1)"),
    ]
    assert wrong(a="a + 1") == [("a", "a KPI cannot depend on itself: a → a (at character 1)")]


def test_a_wrong_formula_is_told_once_where_it_stands() -> None:
    assert wrong(a="b", b="leeds", c="a + b") == [
        ("b", "no measure or KPI is called 'leeds' (at character 1)")
    ]


def test_an_own_kpi_takes_the_place_of_a_built_in_one_also_where_others_name_it() -> None:
    kpis = {kpi.name: kpi for kpi in catalogue(own(win_rate="deals_won / leads")).kpis}

    assert kpis["win_rate"].measures == {"deals_won", "leads"}
    assert "leads" in kpis["pipeline_velocity"].measures


def test_an_own_kpi_that_names_itself_means_the_built_in_one() -> None:
    (kpi,) = [k for k in catalogue(own(win_rate="100 * win_rate")).kpis if k.name == "win_rate"]

    assert kpi.measures == {"deals_won", "deals_lost"}


def test_a_built_in_kpi_in_a_circle_is_told_for_the_own_one() -> None:
    assert wrong(sales_cycle="pipeline_velocity / 2")[0] == (
        "sales_cycle",
        (
            "a KPI cannot depend on itself: sales_cycle → pipeline_velocity → sales_cycle"
            " (at character 1)"
        ),
    )


def test_a_named_kpi_keeps_its_condition() -> None:
    (kpi,) = [k for k in catalogue(own(a="net_margin * 100")).kpis if k.name == "a"]
    totals = ScopeTotals(None, lambda bucket: bucket)  # type: ignore[arg-type] # no money abroad
    window = Views(totals).of(WEEK)

    assert kpi.formula.evaluate(SidesOfViews(window, window, None, None)).value is None
    assert {"revenue_costed", "expense"} <= kpi.measures


def test_an_own_kpi_is_undefined_where_what_it_requires_does_not_hold() -> None:
    few = CustomKpi(name="few", formula="deals_won", unit="count", requires="leads >= 10")
    named = CustomKpi(name="named", formula="few + 1", unit="count")
    kpis = {k.name: k for k in catalogue(a_config(kpis={"few": few, "named": named})).kpis}

    values = []
    for leads in (9, 10):
        totals = ScopeTotals(None, lambda bucket: bucket)  # type: ignore[arg-type] # no money
        totals.put(95, "0", 1, {"leads": leads, "deals_won": 4})
        window = Views(totals).of(WEEK)
        sides = SidesOfViews(window, window, None, None)
        values += [kpis[name].formula.evaluate(sides).value for name in ("few", "named")]

    assert values == [None, None, 4, 5]
    assert kpis["named"].measures == {"deals_won", "leads"}


def test_medians_are_read_from_cells() -> None:
    totals = ScopeTotals(None, lambda bucket: bucket)  # type: ignore[arg-type] # counts no money
    totals.put(95, "0", 1, {f"cycle_bin/{bin_of(86_400)}": 2, f"cycle_bin/{bin_of(60)}": 1})
    window = Views(totals).of(WEEK)
    sides = SidesOfViews(window, window, None, None)

    found = parse("median(cycle_seconds)", WORDS).evaluate(sides).value

    assert isinstance(found, int)
    assert abs(found - 86_400) <= 864
    assert parse("percentile(cycle_seconds, 33)", WORDS).evaluate(sides).value == 60


# -- the page about formulas -----------------------------------------------------------------------

PAGE = (Path(stream_app.__file__).parent / "docs" / "formulas.md").read_text(encoding="utf-8")


def test_the_example_of_the_page_can_be_used(tmp_path: Path) -> None:
    (block,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    configuration = tmp_path / "company.yaml"
    configuration.write_text(block, encoding="utf-8")

    kpis = {kpi.name: kpi for kpi in load_company(configuration).catalogue.kpis}

    assert kpis["defect_growth"].formula.compares
    assert kpis["win_rate"].definition.unit == "points"


def test_the_page_names_every_function() -> None:
    with pytest.raises(FormulaError) as caught:
        parse("nothing(1)", WORDS)
    (known,) = re.findall(r"known: ([^)]*)\)", str(caught.value))

    assert [name for name in known.split(", ") if f"`{name}(" not in PAGE] == []


def test_every_function_of_the_page_can_be_called() -> None:
    shown = re.findall(r"`([a-z_]+\(.*?\))`", PAGE)
    for text in shown:
        parse(re.sub(r"\bx\b|\ba\b|\bb\b", "leads", text).replace("(stock)", "(open_deals)"), WORDS)
    assert len(shown) >= 12


def test_what_is_wrong_with_a_condition_is_told_at_its_line(tmp_path: Path) -> None:
    path = tmp_path / "company.yaml"
    path.write_text(
        "kpis:\n"
        "  a: {formula: leads, unit: count, requires: leads > leeds}\n"
        "  b:\n"
        "    formula: deals_won + 1\n"
        "    requires: leads\n"
        "    unit: count\n"
        "  c: {formula: leads, unit: count, requires: c > 0}\n"
        "  d: {formula: leads, unit: count, requires: [leads]}\n",
        encoding="utf-8",
    )

    with pytest.raises(ConfigErrors) as caught:
        load_company(path)

    assert str(caught.value).replace(f"{path}:", "").splitlines() == [
        "2: kpis.a.requires: no measure or KPI is called 'leeds' (at character 9)",
        "5: kpis.b.requires: a condition is a > b, a >= b or a != b (at character 6)",
        "7: kpis.c.requires: a KPI cannot depend on itself: c → c (at character 1)",
        "8: kpis.d.requires: expected text, got a list",
    ]
