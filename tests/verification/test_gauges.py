from collections.abc import Iterable
from pathlib import Path

import pytest

from stream_app.company import Company, load_company
from stream_app.domain.placement import partition_of_scope
from stream_app.metrics.scrape import KpiPlace, target_place
from stream_app.verification.compare import STATES_BETWEEN
from stream_app.verification.gauges import ExpectedGauges, Page
from stream_app.wire.value import Said, TargetSaid
from tests.verification.small_log import NOW_US, recomputed

PARTITIONS = 3


@pytest.fixture(scope="module")
def values(company: Company) -> list[tuple[bytes, Said]]:
    return list(recomputed(company).values(NOW_US))


@pytest.fixture(scope="module")
def expected(values: list[tuple[bytes, Said]]) -> ExpectedGauges:
    gauges = ExpectedGauges(PARTITIONS)
    for key, said in values:
        gauges.note(key, said)
    return gauges


def shown(values: Iterable[tuple[bytes, Said]], *partitions: int) -> dict[KpiPlace, float]:
    """What a worker that owns these partitions exposes."""
    return {
        (said.kpi, said.window, said.dimension, said.member): float(said.value)
        for key, said in values
        if not said.complete
        and said.value is not None
        and partition_of_scope("|".join(key.decode().split("|")[3:]), PARTITIONS) in partitions
    }


def told(expected: ExpectedGauges, *pages: Page, all_workers: bool = True) -> list[str]:
    return [str(d) for d in expected.differences(pages, all_workers=all_workers)]


def test_workers_that_show_together_what_the_log_says_are_right(
    values: list[tuple[bytes, Said]], expected: ExpectedGauges
) -> None:
    one, two = Page("h:1", shown(values, 0), 0), Page("h:2", shown(values, 1, 2), 0)
    assert len(one.gauges) + len(two.gauges) == len(expected) > 500
    assert told(expected, one, two) == []


def test_a_target_without_a_value_may_be_shown_as_it_stands_and_need_not(
    tmp_path: Path,
) -> None:
    path = tmp_path / "company.yaml"
    target = "{name: quota, kpi: leads, window: month, dimension: rep, at_least: 5}"
    path.write_text(f"targets: [{target}]\n", encoding="utf-8")
    (goal,) = load_company(path).goals
    gauges = ExpectedGauges(PARTITIONS)
    gauges.allow("rep|r-99", goal, TargetSaid("quota", 5, 0.0, "ok" + STATES_BETWEEN + "firing"))
    place = ("month", "rep", "r-99")
    state = target_place("kpi_target_state", "quota", "leads")

    assert told(gauges, Page("h:1", {}, 0)) == []
    assert told(gauges, Page("h:1", {(state, *place): 2.0}, 0)) == []
    (wrong,) = told(gauges, Page("h:1", {(state, *place): 3.0}, 0))
    assert "kpi_target_state" in wrong


def test_a_wrong_a_missing_and_a_strange_series_are_differences(
    values: list[tuple[bytes, Said]], expected: ExpectedGauges
) -> None:
    gauges = shown(values, 0, 1, 2)
    gauges["leads", "365d", "company", "all"] += 1
    del gauges["revenue", "365d", "company", "all"]
    gauges["leads", "365d", "rep", "nobody"] = 1.0
    differences = told(expected, Page("h:1", gauges, 0))
    assert len(differences) == 3
    assert any("revenue 365d company=all: series is missing" in text for text in differences)
    assert any("leads 365d rep=nobody: series should not exist" in text for text in differences)


def test_a_series_that_two_workers_show_is_a_difference(
    values: list[tuple[bytes, Said]], expected: ExpectedGauges
) -> None:
    zombie = Page("h:2", shown(values, 0), 0)
    differences = told(expected, Page("h:1", shown(values, 0, 1, 2), 0), zombie)
    assert len(differences) == len(zombie.gauges) > 0
    assert "owner is h:2, the log says h:1" in differences[0]


def test_what_a_worker_that_was_not_asked_owns_is_not_missed(
    values: list[tuple[bytes, Said]], expected: ExpectedGauges
) -> None:
    one = Page("h:1", shown(values, 0, 1), 0)
    assert told(expected, one, all_workers=False) == []
    assert len(told(expected, one)) == len(shown(values, 2)) > 0


def test_series_dropped_for_their_number_are_not_missed(
    values: list[tuple[bytes, Said]], expected: ExpectedGauges
) -> None:
    gauges = dict(list(shown(values, 0, 1, 2).items())[:-10])
    assert told(expected, Page("h:1", gauges, 10)) == []
    assert len(told(expected, Page("h:1", gauges, 9))) == 10
