"""What a page about one rep may say."""

from stream_app.reports.coaching import Coach, Page
from tests.reports.stories import COMPANY, RULES, archive, choice, published, record, rep, stage


def pages(*more: tuple[bytes, bytes], **changes: object) -> dict[str, Page]:
    found = Coach(COMPANY, RULES, archive([*published(), *more]), choice(**changes)).pages()
    return {page.name: page for page in found}


def told(page: Page, kpi: str) -> tuple[str, str, str, str]:
    (measure,) = [each for each in page.measures if each.figure.kpi.name == kpi]
    return measure.figure.shown, measure.median, measure.against, measure.caution


def test_a_rep_is_beside_the_median_of_the_team() -> None:
    assert told(pages()["Ada Example"], "revenue") == ("€600", "€250", "▲ 140 %", "")


def test_few_cases_are_compared_with_care_and_very_few_not_at_all() -> None:
    found = pages()
    assert told(found["Bo <b>Example</b>"], "win_rate")[2:] == (
        "▼ 5.0 pp",
        "few cases, read with care",
    )
    assert told(found["Cy Example"], "win_rate")[2:] == ("", "too few to compare")


def test_a_rep_alone_in_the_team_has_no_median() -> None:
    (page,) = [each for each in pages(rep("revenue", "r-9", 10)).values() if each.name == "r-9"]
    assert (page.team, page.peers) == ("", 1)
    assert told(page, "revenue") == ("€10", "", "", "")


def test_the_weakest_stage_is_the_one_furthest_below_the_team() -> None:
    assert pages()["Ada Example"].weakest == (
        "Furthest below the team: contract, where 70.0 % of 10 deals went on; of the team's 30 it "
        "was 80.0 %. Few cases: look at them one by one."
    )


def test_a_stage_with_very_few_visits_is_not_called_weak() -> None:
    assert pages()["Bo <b>Example</b>"].weakest == ""
    enough = stage("rep+stage", "r-2+contract", 0.2, 25)
    weakest = pages(enough)["Bo <b>Example</b>"].weakest
    assert weakest.startswith("Furthest below the team: contract, where 20.0 % of 25 deals")
    assert "Few cases" not in weakest


def test_only_the_rep_or_team_asked_for_has_pages() -> None:
    assert list(pages(dimension="rep", member="r-3")) == ["Cy Example"]
    assert len(pages(dimension="team", member="t-1")) == 3


def test_how_the_last_windows_went_is_told_in_words() -> None:
    past = [
        record("revenue", month, value, dimension="rep", member="r-1")
        for month, value in (("2025-12", 100), ("2026-01", 300), ("2026-02", 400))
    ]
    (measure, *_) = pages(*past)["Ada Example"].measures
    assert measure.direction == "up 2 in a row"


def test_nobody_is_the_name_of_no_rep() -> None:
    assert "unassigned" not in pages(rep("revenue", "unassigned", 5))
