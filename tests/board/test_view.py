from collections.abc import Iterable
from datetime import UTC, datetime
from io import StringIO

from rich.console import Console

from stream_app.board.formats import ABSENT
from stream_app.board.screen import drawn
from stream_app.board.view import Cell, Choice, View, view
from stream_app.company import load_company
from tests.board.records import record, standing

NOW = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
KPIS = load_company(None).catalogue.kpis


def seen(records: Iterable[tuple[bytes, bytes | None]], choice: Choice | None = None) -> View:
    return view(
        standing(records),
        KPIS,
        choice or Choice(),
        currency="EUR",
        name=lambda dimension, member: f"{dimension}:{member}" if dimension == "rep" else member,
        now=NOW,
    )


def text_of(shown: View, width: int = 100, height: int | None = None) -> list[str]:
    console = Console(width=width, record=True, file=StringIO())
    console.print(drawn(shown, height=height))
    return console.export_text().splitlines()


def test_rows_are_kpis_in_the_order_of_the_catalogue() -> None:
    shown = seen([record("win_rate", unit="ratio"), record("revenue"), record("unheard_of")])
    assert [row.title for row in shown.rows] == ["Revenue", "Win rate"]
    assert shown.columns == ("", "Today", "Week", "Month", "30 days")


def test_a_cell_has_the_value_and_how_it_compares() -> None:
    shown = seen([record(value=110, previous=100)])
    assert shown.rows[0].cells[2] == Cell("€110", "▲ 10 %", "good")


def test_less_of_what_should_be_low_is_good() -> None:
    days = seen([record("sales_cycle", value=86_400, previous=172_800, unit="seconds")])
    assert days.rows[0].cells[2] == Cell("1d 0h", "▼ 50 %", "good")
    lost = seen([record("deals_lost", value=3, previous=2, unit="count")])
    assert lost.rows[0].cells[2].tone == "bad"


def test_an_undefined_value_is_a_dash_never_a_zero() -> None:
    shown = seen([record("win_rate", value=None, unit="ratio"), record("leads", unit="count")])
    assert [row.title for row in shown.rows] == ["Leads"]
    both = [record("win_rate", value=None, unit="ratio"), record("win_rate", "week", unit="ratio")]
    assert seen(both).rows[0].cells[2] == Cell(ABSENT)


def test_one_member_has_the_same_rows() -> None:
    choice = Choice(windows=("month",), dimension="rep", member="r-1")
    shown = seen([record(dimension="rep", member="r-1", value=5), record(value=9)], choice)
    assert shown.title == "rep rep:r-1"
    assert [cell.value for cell in shown.rows[0].cells] == ["€5"]
    assert shown.rankings == ()


def test_members_are_compared_by_revenue() -> None:
    records = [
        record(dimension="team", member=name, value=value)
        for name, value in (("a", 1), ("b", 3), ("c", 2))
    ]
    records.append(record("leads", dimension="team", member="d", value=9, unit="count"))
    choice = Choice(windows=("month",), dimension="team", member=None, top=3)
    shown = seen(records, choice)
    assert [row.title for row in shown.rows] == ["b", "c", "a"]
    assert shown.columns == ("team", "Revenue")


def test_reps_and_teams_are_ranked_and_named() -> None:
    records = [record()] + [
        record(dimension="rep", member=f"r-{n}", value=n * 100) for n in range(1, 9)
    ]
    (ranking,) = seen(records, Choice(top=3)).rankings
    assert ranking.title == "Reps by revenue, month"
    assert [leader.name for leader in ranking.leaders] == ["rep:r-8", "rep:r-7", "rep:r-6"]
    assert ranking.leaders[0].share == 1.0
    assert ranking.leaders[1].value == "€700"


def test_a_ranking_of_nothing_sold_is_left_out() -> None:
    assert seen([record(), record(dimension="team", member="a", value=0)]).rankings == ()


def test_the_footer_says_how_old_everything_is() -> None:
    assert seen([record()]).footer == "newest event 2 s ago · last change now · 1 values"
    old = [record(event_time="2026-03-17T12:00:00Z", published_at="2026-03-20T10:00:00Z")]
    assert seen(old).footer == "newest event 3 days ago · last change 2 h ago · 1 values"


def test_nothing_at_all_is_explained() -> None:
    assert "is a worker running" in seen([]).note
    assert seen([]).footer == "nothing was published yet"
    missing = Choice(windows=("month",), dimension="rep", member="r-9")
    assert seen([record()], missing).note == "No values of rep 'r-9' in month."


def test_the_rest_of_the_catalogue_is_shown_when_asked_for() -> None:
    records = [record("revenue"), record("margin_coverage", unit="ratio")]
    assert [row.title for row in seen(records).rows] == ["Revenue"]
    everything = seen(records, Choice(every=True))
    assert [row.title for row in everything.rows] == ["Revenue", "Margin coverage"]


def test_the_kpis_of_a_stage_are_shown_though_they_are_no_headlines() -> None:
    records = [record("stage_dwell", "month", "stage", "proposal", unit="seconds")]
    shown = seen(records, Choice(windows=("month",), dimension="stage", member="proposal"))
    assert [row.title for row in shown.rows] == ["Time in stage"]


def a_full_board() -> View:
    records = [
        record(kpi.name, window, value=1234, previous=1000, unit=kpi.definition.unit)
        for kpi in KPIS
        for window in ("day", "week", "month", "30d")
    ]
    records += [
        record(dimension=dimension, member=f"m-{n}", value=n * 1_000_000)
        for dimension in ("rep", "team")
        for n in range(9)
    ]
    return seen(records)


def test_the_headlines_fit_into_100_by_30() -> None:
    lines = text_of(a_full_board(), height=30)
    assert len(lines) <= 30
    assert max(map(len, lines)) <= 100
    text = "\n".join(lines)
    assert all(kpi.definition.title in text for kpi in KPIS if kpi.definition.headline)
    assert "Teams by revenue" in text
    assert "…" not in text


def test_a_small_terminal_keeps_the_first_kpis_and_the_footer() -> None:
    lines = text_of(a_full_board(), height=12)
    assert len(lines) <= 12
    assert any("Revenue" in line for line in lines)
    assert "newest event" in lines[-1]


def test_a_member_may_be_called_like_markup() -> None:
    named = [record(dimension=which, member="[/red] :x:", value=9) for which in ("rep", "team")]
    ranked = text_of(seen([record(), *named]))
    assert sum("[/red] :x:" in line for line in ranked) == 1, ranked  # side by side
    compared = text_of(seen(named, Choice(windows=("month",), dimension="team", member=None)))
    assert any(line.startswith("[/red] :x:") for line in compared), compared
