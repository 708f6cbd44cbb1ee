"""What is restated on either side of a border: of days, weeks, fiscal years, changed clocks."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from stream_app.company import Company, load_company
from stream_app.state.client import Client
from tests.stages.rig import Rig
from tests.stages.told import Told, logged, told, us, won

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
BUSINESS: dict[str, Any] = {
    "timezone": "America/New_York",
    "currency": "EUR",
    "week_starts": "sunday",
    "fiscal_year_starts": "april",
}
WINDOWS = ("day", "week", "month", "quarter", "year")


def company(directory: Path, **sections: Any) -> Company:
    content = {
        "business": BUSINESS,
        "dimensions": ["rep"],
        "windows": [*WINDOWS],
        "history": {"day": 300, "week": 45, "month": 12, "quarter": 5, "year": 2},
    }
    path = directory / "company.yaml"
    path.write_text(yaml.safe_dump(content | sections), encoding="utf-8")
    return load_company(path)


async def begun(redis: Client, company: Company, *records: Told) -> Rig:
    rig = Rig(redis, company, logged(records))
    await rig.own_all()
    await rig.tick(us(NOW))
    await rig.settle()
    rig.wall_follows_records = False  # what comes now comes late
    return rig


def spoken(rig: Rig, kpi: str) -> dict[tuple[str, str, str, str], Any]:
    """(window, first day, dimension, member) → record of a KPI."""
    found = {}
    for key, value in rig.topics.standing().items():
        name, window, start, dimension, member = key.decode().split("|")
        if name == kpi:
            found[window, start[:10], dimension, member] = msgspec.json.decode(value)
    return found


async def restated(rig: Rig, *news: Told, dimension: str = "company") -> set[tuple[str, str]]:
    """The windows (kind, first day) in which revenue says something else than before."""
    before = spoken(rig, "revenue")
    rig.extend(logged(news, after=[record for log in rig.log for record in log]))
    await rig.settle()
    after = spoken(rig, "revenue")
    places = set()
    for place in before.keys() | after.keys():
        old, new = before.get(place), after.get(place)
        if (old or {"value": 0})["value"] == (new or {"value": 0})["value"]:
            continue
        assert old is None or new is None or new["revision"] > old["revision"]
        if place[2] == dimension:
            places.add(place[:2])
    assert rig.compared(us(NOW)).by_key == {}
    return places


BORDERS = {
    "the last second of the fiscal year": (
        "2026-04-01T03:59:59Z",
        ("2026-03-31", "2026-03-29", "2026-03-01", "2026-01-01", "2025-04-01"),
    ),
    "the first second of the fiscal year": (
        "2026-04-01T04:00:00Z",
        ("2026-04-01", "2026-03-29", "2026-04-01", "2026-04-01", "2026-04-01"),
    ),
    "the second before the day of 23 hours": (
        "2026-03-08T04:59:59Z",
        ("2026-03-07", "2026-03-01", "2026-03-01", "2026-01-01", "2025-04-01"),
    ),
    "the first second of the day of 23 hours": (
        "2026-03-08T05:00:00Z",
        ("2026-03-08", "2026-03-08", "2026-03-01", "2026-01-01", "2025-04-01"),
    ),
    "the last second of the day of 23 hours": (
        "2026-03-09T03:59:59Z",
        ("2026-03-08", "2026-03-08", "2026-03-01", "2026-01-01", "2025-04-01"),
    ),
    "the second after the day of 23 hours": (
        "2026-03-09T04:00:00Z",
        ("2026-03-09", "2026-03-08", "2026-03-01", "2026-01-01", "2025-04-01"),
    ),
    "the second before the month that begins with 25 hours": (
        "2026-11-01T03:59:59Z",
        ("2026-10-31", "2026-10-25", "2026-10-01", "2026-10-01", "2026-04-01"),
    ),
    "the last second of the day of 25 hours": (
        "2026-11-02T04:59:59Z",
        ("2026-11-01", "2026-11-01", "2026-11-01", "2026-10-01", "2026-04-01"),
    ),
    "the second after the day of 25 hours": (
        "2026-11-02T05:00:00Z",
        ("2026-11-02", "2026-11-01", "2026-11-01", "2026-10-01", "2026-04-01"),
    ),
}


@pytest.mark.parametrize(("instant", "days"), BORDERS.values(), ids=BORDERS)
async def test_a_late_win_is_in_the_windows_of_its_business_day_until_it_is_taken_back(
    redis: Client, tmp_path: Path, instant: str, days: tuple[str, ...]
) -> None:
    at = datetime.fromisoformat(instant)
    there = won("there", NOW - timedelta(days=2), "100", rep="r-01")
    rig = await begun(redis, company(tmp_path), *there)
    places = set(zip(WINDOWS, days, strict=True))
    late = [
        told("deal.created", "late", at - timedelta(days=30), deal_id="late", amount="50"),
        told("deal.won", "late", at, deal_id="late"),
    ]

    assert await restated(rig, *late) == places
    assert await restated(rig, told("deal.updated", "late", NOW, deal_id="late", amount="7")) == (
        places
    )
    assert await restated(rig, told("deal.reopened", "late", NOW + SECOND, deal_id="late")) == (
        places
    )


async def test_a_win_that_moves_over_a_border_leaves_the_one_side_for_the_other(
    redis: Client, tmp_path: Path
) -> None:
    border = datetime(2026, 4, 1, 4, 0, tzinfo=UTC)
    rig = await begun(redis, company(tmp_path), *won("d", border - timedelta(hours=2), "80"))

    # Lost a second before the border after all, and won again a second after it.
    moved = await restated(
        rig,
        told("deal.lost", "d", border - SECOND, deal_id="d"),
        told("deal.won", "d", border + SECOND, deal_id="d"),
    )

    assert moved == {
        ("day", "2026-03-31"),
        ("day", "2026-04-01"),
        ("month", "2026-03-01"),
        ("month", "2026-04-01"),
        ("quarter", "2026-01-01"),
        ("quarter", "2026-04-01"),
        ("year", "2025-04-01"),
        ("year", "2026-04-01"),
    }  # not the week, which holds both


async def test_a_member_s_window_that_becomes_empty_gets_a_tombstone_and_its_others_stay(
    redis: Client, tmp_path: Path
) -> None:
    march = won("m", datetime(2026, 3, 31, 12, tzinfo=UTC), "80", rep="r-01")
    april = won("a", datetime(2026, 4, 1, 12, tzinfo=UTC), "90", rep="r-01")
    rig = await begun(redis, company(tmp_path), *march, *april)

    deleted = told("deal.deleted", "m", NOW, deal_id="m")

    assert await restated(rig, deleted, dimension="rep") == {
        ("week", "2026-03-29"),
        ("month", "2026-03-01"),
        ("quarter", "2026-01-01"),
        ("year", "2025-04-01"),
    }
    of_rep = {
        place[:2]: record for place, record in spoken(rig, "revenue").items() if "r-01" in place
    }
    assert of_rep.keys() >= {("week", "2026-03-29"), ("month", "2026-04-01")}
    assert not of_rep.keys() & {("month", "2026-03-01"), ("quarter", "2026-01-01")}
    assert of_rep["week", "2026-03-29"]["value"] == 90


async def test_another_time_zone_is_another_count(redis: Client, tmp_path: Path) -> None:
    (tmp_path / "berlin").mkdir()
    berlin = company(tmp_path / "berlin", business=BUSINESS | {"timezone": "Europe/Berlin"})
    newyork = company(tmp_path)
    border = [*won("d", datetime(2026, 4, 1, 2, 0, tzinfo=UTC), "80")]

    there = spoken(await begun(redis, newyork, *border), "revenue")
    await redis.flushall()
    here = spoken(await begun(redis, berlin, *border), "revenue")

    assert berlin.state_version != newyork.state_version
    assert there["month", "2026-03-01", "company", "all"]["value"] == 80
    assert here["month", "2026-04-01", "company", "all"]["value"] == 80
    assert ("month", "2026-03-01", "company", "all") not in here


async def test_an_event_without_a_rate_is_refused_and_counted_when_its_currency_is_known(
    redis: Client, tmp_path: Path
) -> None:
    (tmp_path / "extended").mkdir()
    (tmp_path / "dated").mkdir()
    poor = company(tmp_path, currencies={"USD": "0.9"})
    known = company(tmp_path / "extended", currencies={"USD": "0.9", "CHF": "1.1"})
    rates = {"USD": "0.8", "CHF": {"2026-01-01": "1.1", "2026-05-01": "1.2"}}
    dated = company(tmp_path / "dated", currencies=rates)
    may = datetime(2026, 5, 5, 12, 0, tzinfo=UTC)
    log = [*won("d", may, "100", currency="CHF"), *won("u", may, "10", currency="USD")]
    month = ("month", "2026-05-01", "company", "all")

    rig = await begun(redis, poor, *log)

    # The first event alone is refused: what it would have said is not known, the win counts.
    (letter,) = rig.topics.all("crm.dead-letters")
    assert dict(letter.headers)["reason"] == b"unknown_currency"
    assert spoken(rig, "revenue")[month]["value"] == 9
    assert spoken(rig, "deals_won")[month]["value"] == 2

    # A currency more is counted otherwise: the state is built anew from the log, which has it.
    assert known.state_version != poor.state_version
    await redis.flushall()
    rig = await begun(redis, known, *log)
    assert list(rig.topics.all("crm.dead-letters")) == []
    assert spoken(rig, "revenue")[month]["value"] == 119

    # Other rates of known currencies are not: no replay, only values.
    assert dated.state_version == known.state_version
    rig.company, rig.config = dated, dated.config
    taken = {partition: rig.read_of("crm.events", partition) for partition in rig.measurers}
    await rig.own_all()
    await rig.settle()
    assert {partition: rig.read_of("crm.events", partition) for partition in rig.measurers} == taken
    assert spoken(rig, "revenue")[month]["value"] == 128
