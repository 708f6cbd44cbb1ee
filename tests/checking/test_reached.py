"""Targets that nobody ever met, and experiments whose deals have no leads."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from stream_app.checking.reached import Reached
from stream_app.company import Company
from stream_app.config.load import parse_config
from stream_app.goals import goals_of
from stream_app.kpis import catalogue

CONFIGURATION = """
dimensions: [team, technique]
targets:
  - {{name: t, {target}}}
experiments:
  - {{name: x, dimension: technique, control: cold-call, variants: [free-trial], horizon: 30d}}
"""
RATE = "kpi: win_rate, window: month, dimension: team, at_least: 0.25, min_sample: 10"


def reached(target: str = RATE) -> Reached:
    config = parse_config(CONFIGURATION.format(target=target), "test", Path())
    kpis = catalogue(config)
    company = Company(config, kpis, "v", goals_of(config, kpis))
    return Reached(company.goals, config.experiments)


def value(
    found: Reached, kpi: str, month: int, number: float | None, member: str = "emea", **more: Any
) -> None:
    """A closed month's value; month 0: the running 365 days."""
    start, window = (f"2026-{month:02}-01T00:00:00Z", "month") if month else ("now", "365d")
    start = more.pop("start", start)
    dimension = more.pop("dimension", "team")
    said = {
        "kpi": kpi,
        "window": window,
        "start": start,
        "end": start,
        "complete": bool(month),
        "dimension": dimension,
        "member": member,
        "value": number,
        "unit": "ratio",
        "numerator": None,
        "denominator": 50,
        "previous": None,
        "event_time": "",
        "published_at": "",
        "revision": 1,
    }
    key = f"{kpi}|{window}|{start}|{dimension}|{member}".encode()
    found.take(key, msgspec.json.encode(said | more))


def texts(found: Reached) -> list[str]:
    return [finding.text for finding in found.findings()]


def test_what_nobody_ever_reached_is_not_realistic() -> None:
    found = reached()
    for month in range(1, 4):
        value(found, "win_rate", month, 0.1 + month / 100)
        value(found, "win_rate", month, 0.05, "apac")

    (text,) = texts(found)
    assert text == (
        "targets.t: not SMART (R): it was not reached by any team in any of the last 3 closed "
        "windows (month); nearest: 0.13 where 0.25 was asked, by emea, from 2026-03-01 on"
    )


@pytest.mark.parametrize(
    "best",
    [
        {"number": 0.25},
        {"number": 0.9, "member": "apac"},
    ],
    ids=["exactly what is asked", "by one of many"],
)
def test_what_was_reached_once_is_realistic(best: dict[str, Any]) -> None:
    found = reached()
    for month in range(1, 6):
        value(found, "win_rate", month, 0.1)
    value(found, "win_rate", 3, **best)

    assert texts(found) == []


def test_too_few_windows_samples_and_old_successes_say_nothing() -> None:
    few = reached()
    for month in (1, 2):
        value(few, "win_rate", month, 0.1)
    value(few, "win_rate", 3, None)
    value(few, "win_rate", 4, 0.1, denominator=9)
    assert texts(few) == []

    old = reached()
    value(old, "win_rate", 1, 0.9, start="2025-01-01T00:00:00Z")
    for month in range(1, 13):
        value(old, "win_rate", month, 0.1)
    assert len(texts(old)) == 1


def test_what_may_not_be_exceeded_is_unrealistic_if_it_always_was() -> None:
    found = reached("kpi: sales_cycle, window: month, dimension: team, at_most: 100")
    for month in range(1, 4):
        value(found, "sales_cycle", month, 100 + month)

    (text,) = texts(found)
    assert "nearest: 101 where 100 was asked" in text


def test_growth_is_compared_with_the_window_before() -> None:
    found = reached("kpi: revenue, window: month, growth: +10 %, over: previous")
    for month in range(1, 4):
        value(found, "revenue", month, 105, "all", dimension="company", previous=100)
    (text,) = texts(found)
    assert "nearest: 105 where 110.0 was asked, from 2026-03-01 on" in text

    value(found, "revenue", 3, 111, "all", dimension="company", previous=100)
    assert texts(found) == []


def test_a_tombstone_takes_its_window_back() -> None:
    found = reached()
    for month in range(1, 4):
        value(found, "win_rate", month, 0.1)
    found.take(b"win_rate|month|2026-03-01T00:00:00Z|team|emea", None)

    assert texts(found) == []


@pytest.mark.parametrize(("leads", "is_told"), [(9, 1), (10, 0)])
def test_an_experiment_whose_won_deals_have_no_leads_is_told(leads: int, is_told: int) -> None:
    found = reached()
    for arm, deals, converted in (("cold-call", 12, leads - 4), ("free-trial", 8, 4)):
        value(found, "deals_won", 0, deals, arm, dimension="technique")
        value(
            found,
            "cohort_conversion_rate",
            0,
            0.1,
            arm,
            dimension="technique",
            numerator=converted,
        )
    value(found, "deals_won", 0, 500, "script-a", dimension="technique")

    assert len(texts(found)) == is_told
    if is_told:
        assert texts(found)[0].startswith(
            "experiments.x: 20 deals were won in its arms (365d), and only 9 leads: most deals"
        )
