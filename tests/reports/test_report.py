"""What a report says, in each form."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from rich.console import Console

from stream_app.board.formats import ABSENT
from stream_app.experiment_words import Section as Comparison
from stream_app.reports.coaching import Coach
from stream_app.reports.contents import Contents, Editor
from stream_app.reports.page import html_page
from stream_app.reports.screen import drawn
from tests.reports.showing import FORMS, GOLDEN, html, terminal
from tests.reports.stories import (
    COMPANY,
    MISSED,
    RULES,
    archive,
    choice,
    company,
    published,
    record,
    rep,
)

VOID = frozenset({"meta", "br"})


@pytest.mark.parametrize("name", FORMS)
def test_a_form_says_what_it_said(name: str) -> None:
    """Wanted changes are written by `python -m tests.reports.showing`."""
    assert FORMS[name]() == (GOLDEN / name).read_text(encoding="utf-8")


class Outline(HTMLParser):
    """The structure of a page: what is open, and the texts of headings and captions."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.headings: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in {"h1", "h2", "h3", "figcaption"}:
            self.headings.append(data.strip())


def outline(text: str) -> Outline:
    parser = Outline()
    parser.feed(text)
    parser.close()
    assert parser.open == []
    return parser


def test_a_page_is_well_formed_and_has_its_sections() -> None:
    assert outline(html()).headings == [
        "Company: March 2026",
        "Trends",
        "Revenue",
        "Deals won",
        "Win rate",
        "All KPIs",
        "Reps",
        "Acquisition by source",
        "Pipeline by stage",
        "Coaching",
        "Ada Example",
        "Bo <b>Example</b>",
        "Cy Example",
    ]


def test_a_page_asks_nothing_of_the_network() -> None:
    text = html()
    assert not re.search(r"https?:|//[a-z]|url\(|@import|<script|<link|<img|<iframe", text)
    assert {name for _, name, _ in outline(text).attributes}.isdisjoint({"src", "href", "onload"})


def test_what_comes_from_a_crm_is_escaped() -> None:
    assert "<b>Example" not in html()
    assert "=web &amp; co" in html()


def contents(*more: tuple[bytes, bytes], **changes: object) -> Contents:
    return Editor(COMPANY, RULES, archive([*published(), *more]), choice(**changes)).contents()


def test_a_total_without_a_record_is_0_and_a_ratio_unknown() -> None:
    """r-4 has nothing but a won deal without an amount."""
    found = contents(rep("deals_won", "r-4", 1))
    (reps,) = [section for section in found.sections if section.dimension == "rep"]
    last = reps.lines[-1]
    assert (last.name, [figure.shown for figure in last.figures]) == ("r-4", ["€0", "1", ABSENT])


def test_a_trend_has_gaps_where_nothing_is_known() -> None:
    figures = {figure.kpi.name: figure for figure in contents().figures}
    assert [point.value for point in figures["revenue"].trend] == [400, 600, 900]
    assert [point.value for point in figures["win_rate"].trend] == [0.3, 0.25]
    later = contents(record("win_rate", "2026-01", 0.5))
    found = {figure.kpi.name: figure for figure in later.figures}["win_rate"]
    assert [point.value for point in found.trend] == [0.5, 0.3, 0.25]


def test_the_running_month_is_to_date_and_says_so() -> None:
    april = RULES.closed_window("month", 739_707).start
    text = terminal(choice(start=april), coaching=False)
    assert text.startswith("Company: April 2026\n2026-04-01 to 2026-04-30, still running; ")
    assert "against the month before, up to the same day" in text


def test_a_member_has_a_report_of_its_own() -> None:
    found = contents(dimension="rep", member="r-1")
    assert found.subject == "Rep Ada Example"
    assert [figure.shown for figure in found.figures] == ["€600", "6", "30.0 %"]
    (stages,) = found.sections
    assert [line.name for line in stages.lines] == ["offer", "contract"]


def test_one_dimension_leaves_the_others_out() -> None:
    assert [section.dimension for section in contents(dimension="source").sections] == ["source"]


def test_targets_that_are_missed_are_named_first() -> None:
    missed = record("revenue", "2026-03", 250, targets=[MISSED], revision=2)
    assert contents(missed).summary[0] == ("0 of 1 targets reached; behind: Revenue €250 of €500.")


def test_the_higher_revision_stands() -> None:
    old = record("revenue", "2026-03", 1, revision=0)
    assert next(contents(old).figures).shown == "€900"


def test_a_withdrawn_value_is_gone() -> None:
    found = archive()
    for key, _ in published():
        found.take(key, None)
    assert found.starts() == []


def test_a_bottleneck_stands_on_enough() -> None:
    """The worst stage has 3 visits: it is shown, and not called a bottleneck."""
    few = record("stage_conversion", "2026-03", 0.1, dimension="stage", member="new", denominator=3)
    (stages,) = [each for each in contents(few).sections if each.dimension == "stage"]
    assert stages.notes[0].endswith("stage conversion offer (50.0 %, n = 40).")


def test_comparisons_are_shown_with_their_verdict_and_escaped() -> None:
    one = Comparison(
        title="trial: <b> against a",
        verdict="<b> wins more of its leads than a",
        rows=(("a", "400", "48", "12.0%"), ("<b>", "410", "74", "18.0%")),
        notes=("Leads created up to 2026-10-22",),
    )
    with_one = replace(contents(), experiments=(one,))
    page = html_page(with_one)

    assert "A/B comparisons, as of now" in page
    assert "&lt;b&gt; wins more of its leads than a" in page
    assert "<b>" not in page
    assert "A/B comparisons" not in html_page(contents())
    console = Console(width=120, no_color=True)
    with console.capture() as capture:
        console.print(drawn(with_one, width=120))
    assert "  trial: <b> against a\n  <b> wins more of its leads than a\n" in capture.get()


def test_a_kpi_may_be_called_like_markup() -> None:
    like_markup = 'title: "[/red] :x:"'
    titled = company(f"kpis: {{deals_won: {{formula: deals_won, unit: count, {like_markup}}}}}")
    asked = Editor(titled, RULES, archive(), choice()).contents()
    pages = list(Coach(titled, RULES, archive(), choice()).pages())
    console = Console(width=150, no_color=True)
    with console.capture() as capture:
        console.print(drawn(asked, pages, width=150))
    assert capture.get().count("[/red] :x:") > 2
