"""Late, amended, reopened and deleted deals: the right past windows change, and only those."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from stream_app.company import Company
from stream_app.state.client import Client
from tests.stages.outside import VALUES
from tests.stages.rig import Rig
from tests.stages.told import Told, logged, told, us, won

NOW = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
JANUARY = datetime(2026, 1, 14, 9, 0, tzinfo=UTC)
FEBRUARY = datetime(2026, 2, 10, 9, 0, tzinfo=UTC)
MARCH = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)

Places = set[tuple[str, str]]
"""(window, first day); `now` for what moves."""


async def settled(redis: Client, company: Company, *stories: Sequence[Told]) -> Rig:
    """A rig that has said everything about the deals of three months."""
    rig = Rig(redis, company, logged([each for story in stories for each in story]))
    await rig.own_all()
    await rig.tick(us(NOW))
    await rig.settle()
    return rig


async def restated(rig: Rig, *news: Told) -> Places:
    """Where the company's revenue and number of wins changed, came, or went.

    What changed has a higher revision.
    """
    before = rig.topics.standing()
    rig.wall_follows_records = False  # they are late: the clock stands where it stood
    rig.extend(logged(news, after=[record for log in rig.log for record in log]))
    await rig.settle()
    after = rig.topics.standing()
    places = set()
    for key in before.keys() | after.keys():
        if before.get(key) == after.get(key):
            continue
        kpi, window, start, dimension, _ = key.decode().split("|")
        if dimension == "company" and kpi in ("revenue", "deals_won"):
            old, new = (msgspec.json.decode(topic.get(key, b"{}")) for topic in (before, after))
            if old and new:
                assert new["revision"] > old["revision"]
            if old.get("value") != new.get("value"):
                places.add((window, start[:10]))
    assert rig.compared(us(NOW)).by_key == {}
    return places


RUNNING = {("year", "2026-01-01"), ("quarter", "2026-01-01")}
IN_JANUARY = RUNNING | {("month", "2026-01-01")}
IN_FEBRUARY = RUNNING | {("month", "2026-02-01")}


def three_months() -> tuple[Sequence[Told], ...]:
    return (
        won("j", JANUARY, "100", rep="r-01"),
        won("f", FEBRUARY, "200", rep="r-01"),
        won("m", MARCH, "400", rep="r-02"),
    )


async def test_a_late_win_enters_the_windows_of_its_own_day(
    redis: Client, ticking: Company
) -> None:
    rig = await settled(redis, ticking, *three_months())

    assert await restated(rig, *won("late", JANUARY, "50")) == IN_JANUARY


async def test_an_amount_amended_after_winning_restates_the_day_of_winning(
    redis: Client, ticking: Company
) -> None:
    rig = await settled(redis, ticking, *three_months())

    amended = told("deal.updated", "f", NOW - HOUR, deal_id="f", amount="250")

    assert await restated(rig, amended) == IN_FEBRUARY


async def test_a_credit_note_takes_revenue_from_the_day_of_its_own_win(
    redis: Client, ticking: Company
) -> None:
    rig = await settled(redis, ticking, *three_months())

    assert await restated(rig, *won("note", FEBRUARY, "-30")) == IN_FEBRUARY


@pytest.mark.parametrize("kind", ["deal.reopened", "deal.deleted"])
async def test_a_win_that_is_taken_back_leaves_its_windows_and_no_other(
    redis: Client, ticking: Company, kind: str
) -> None:
    rig = await settled(redis, ticking, *three_months())

    assert await restated(rig, told(kind, "j", NOW - HOUR, deal_id="j")) == IN_JANUARY


async def test_a_win_that_is_lost_after_all_moves_from_won_to_lost(
    redis: Client, ticking: Company
) -> None:
    rig = await settled(redis, ticking, *three_months())

    lost = told("deal.lost", "j", FEBRUARY, deal_id="j", loss_reason="price")

    assert await restated(rig, lost) == IN_JANUARY
    standing = rig.topics.standing()
    february = b"deals_lost|month|2026-02-01T00:00:00%2B01:00|loss_reason|price"
    assert msgspec.json.decode(standing[february])["value"] == 1


async def test_records_of_a_member_that_has_nothing_left_get_tombstones(
    redis: Client, ticking: Company
) -> None:
    rig = await settled(redis, ticking, *three_months())
    of_rep = [key for key in rig.topics.standing() if key.endswith(b"|rep|r-02")]

    await restated(rig, told("deal.deleted", "m", NOW - HOUR, deal_id="m"))

    assert len(of_rep) > 50
    assert not rig.topics.standing().keys() & set(of_rep)
    latest = {sent.key: sent.value for sent in rig.topics.all(VALUES)}
    assert all(latest[key] is None for key in of_rep)


async def test_what_says_the_same_as_before_changes_nothing(
    redis: Client, ticking: Company
) -> None:
    rig = await settled(redis, ticking, *three_months())
    said = len(list(rig.topics.all(VALUES)))

    again = told("deal.updated", "f", NOW - HOUR, deal_id="f", amount="200.00")

    assert await restated(rig, again) == set()
    assert len(list(rig.topics.all(VALUES))) == said
