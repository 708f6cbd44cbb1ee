"""Stage two: what it says, when it is silent, and what it takes back."""

from datetime import timedelta

import msgspec
import pytest

from stream_app.company import Company
from stream_app.state.client import Client
from stream_app.state.errors import StoreUnavailable
from stream_app.transport.errors import BrokerUnavailable
from tests.stages.company import SOURCES, log
from tests.stages.outside import PARTIALS, PARTIALS_PARTITIONS, VALUES
from tests.stages.rig import Rig
from tests.stages.told import NOON, lead, logged, told, us, won

DAY = timedelta(days=1)


def said(rig: Rig) -> list[tuple[bytes, int | None]]:
    """Keys and revisions of everything ever said; None: taken back."""
    return [
        (
            sent.key or b"",
            None if sent.value is None else msgspec.json.decode(sent.value)["revision"],
        )
        for sent in rig.topics.all(VALUES)
    ]


async def test_nothing_is_said_until_all_sources_have_caught_up(
    redis: Client, replayed: Company
) -> None:
    rig = Rig(redis, replayed, log())
    rig.rebuild_until = 30
    await rig.own_all()
    for source in range(SOURCES):
        assert said(rig) == []
        await rig.take(source, 29)
        while await rig.publish(source):
            pass
        for partition in range(PARTIALS_PARTITIONS):
            await rig.evaluate(partition)
            assert not rig.evaluators[partition].is_ready
            assert await rig.flush(partition) is None
        await rig.take(source, 1)
        while await rig.publish(source):
            pass
    for partition in range(PARTIALS_PARTITIONS):
        await rig.evaluate(partition)
        assert rig.evaluators[partition].is_ready
    await rig.settle()
    assert rig.differences() == []


async def test_it_stays_silent_for_a_new_owner_too(redis: Client, replayed: Company) -> None:
    rig = Rig(redis, replayed, log())
    rig.rebuild_until = 30
    await rig.own_all()
    for source in range(SOURCES - 1):
        await rig.take(source)
        while await rig.publish(source):
            pass
    for partition in range(PARTIALS_PARTITIONS):
        await rig.evaluate(partition)
        await rig.own_scopes(partition)
        assert await rig.flush(partition) is None
    assert said(rig) == []
    await rig.settle()
    assert rig.differences() == []


async def test_after_a_loss_of_redis_no_value_of_the_past_is_said_again(
    redis: Client, replayed: Company
) -> None:
    rig = Rig(redis, replayed, log())
    await rig.own_all()
    await rig.settle()
    before = len(said(rig))
    await redis.flushall()
    await rig.own_all()

    for partition in range(PARTIALS_PARTITIONS):
        for _ in range(len(rig.topics.of(PARTIALS, partition)) - 1):
            await rig.evaluate(partition, 1)
            assert await rig.flush(partition) is None
    assert len(said(rig)) == before

    await rig.settle()
    assert rig.differences() == []


async def test_what_changes_between_two_publications_is_published_once(
    redis: Client, dated: Company
) -> None:
    rig = Rig(redis, dated, log())
    await rig.own_all()
    for source in range(SOURCES):
        while await rig.take(source, 5):
            while await rig.publish(source):
                pass
            for partition in range(PARTIALS_PARTITIONS):
                await rig.evaluate(partition)
    for partition in range(PARTIALS_PARTITIONS):
        while await rig.flush(partition):
            pass
    keys = [key for key, _ in said(rig)]
    assert len(keys) == len(set(keys)) > 1_000
    assert rig.differences() == []


async def test_a_retracted_record_gets_a_tombstone(redis: Client, ticking: Company) -> None:
    first = logged([lead("a", NOON, rep="r-01"), *won("d", NOON, "100", rep="r-02")])
    rig = Rig(redis, ticking, first)
    await rig.own_all()
    now_us = us(NOON + timedelta(hours=2))
    await rig.tick(now_us)
    await rig.settle()
    key = b"leads|day|2026-03-02T00:00:00%2B01:00|rep|r-01"
    assert key in rig.topics.standing()
    rig.extend(logged([told("lead.deleted", "a", NOON + DAY / 24, lead_id="a")], after=first))
    await rig.settle()
    assert key not in rig.topics.standing()
    assert (key, None) in said(rig)
    assert rig.compared(now_us).by_key == {}


async def test_a_running_day_of_a_rep_is_taken_back_when_it_is_over(
    redis: Client, ticking: Company
) -> None:
    rig = Rig(redis, ticking, logged(won("d", NOON, "100", rep="r-01", team="emea")))
    await rig.own_all()
    now_us = us(NOON + timedelta(hours=3))
    await rig.tick(now_us)
    await rig.settle()
    of_rep = b"revenue|day|2026-03-02T00:00:00%2B01:00|rep|r-01"
    of_team = b"revenue|day|2026-03-02T00:00:00%2B01:00|team|emea"
    assert {of_rep, of_team} <= rig.topics.standing().keys()
    await rig.tick(us(NOON + DAY))
    await rig.settle()
    assert of_rep not in rig.topics.standing()
    assert msgspec.json.decode(rig.topics.standing()[of_team])["complete"]
    assert rig.compared(us(NOON + DAY)).by_key == {}


@pytest.mark.parametrize("restart", ["before the tick", "after the tick", "never"])
async def test_every_day_is_right_whoever_sees_midnight(
    redis: Client, ticking: Company, restart: str
) -> None:
    rig = Rig(redis, ticking, log())
    await rig.own_all()
    now_us = us(NOON)
    await rig.tick(now_us)
    await rig.settle()
    for days in (1, 1, 1, 1, 3, 28, 400):
        if restart == "before the tick":
            for partition in range(PARTIALS_PARTITIONS):
                await rig.own_scopes(partition)
        now_us += days * 86_400_000_000
        await rig.tick(now_us)
        if restart == "after the tick":
            for partition in range(PARTIALS_PARTITIONS):
                await rig.evaluate(partition)
                await rig.own_scopes(partition)
        await rig.settle()
        assert rig.compared(now_us).by_key == {}


async def test_an_hour_is_taken_back_by_whoever_comes_after_it(
    redis: Client, ticking: Company
) -> None:
    rig = Rig(redis, ticking, logged(won("d", NOON, "100", rep="r-01", team="emea")))
    await rig.own_all()
    now_us = us(NOON + timedelta(hours=1, minutes=10))
    await rig.tick(now_us)
    await rig.settle()
    assert b"revenue|hour|now|team|emea" in rig.topics.standing()
    now_us += 3 * 3_600_000_000
    await rig.tick(now_us)
    for partition in range(PARTIALS_PARTITIONS):
        await rig.evaluate(partition)
        await rig.own_scopes(partition)
    await rig.settle()
    assert b"revenue|hour|now|team|emea" not in rig.topics.standing()
    assert rig.compared(now_us).by_key == {}


async def test_a_new_owner_says_everything_again_with_higher_revisions(
    redis: Client, dated: Company
) -> None:
    rig = Rig(redis, dated, log())
    await rig.own_all()
    await rig.settle()
    before = dict(said(rig))
    standing = set(rig.topics.standing())
    rig.topics.logs = {tp: log for tp, log in rig.topics.logs.items() if tp[0] != VALUES}
    rig.wall_us -= 30_000_000  # of another machine
    for partition in range(PARTIALS_PARTITIONS):
        await rig.own_scopes(partition)
    await rig.settle()
    again = dict(said(rig))
    assert set(again) == standing
    for key, revision in again.items():
        assert revision is not None
        assert revision > (before[key] or 0)
    assert rig.differences() == []


async def test_a_partial_that_comes_again_changes_nothing(redis: Client, dated: Company) -> None:
    rig = Rig(redis, dated, log())
    await rig.own_all()
    await rig.settle()
    ends = rig.topics.ends()
    for partition in range(PARTIALS_PARTITIONS):
        sents = rig.topics.of(PARTIALS, partition)
        for sent in sents[: len(sents) // 2]:  # newer versions of many came since
            sents.append(sent._replace(offset=len(sents)))
    await rig.settle()
    assert len(said(rig)) == sum(ends[tp] for tp in ends if tp[0] == VALUES)
    assert rig.differences() == []


async def test_a_publication_that_may_have_failed_is_repeated_with_what_it_took_back(
    redis: Client, ticking: Company
) -> None:
    rig = Rig(redis, ticking, log())
    await rig.own_all()
    now_us = us(NOON)
    await rig.tick(now_us)
    await rig.settle()
    for fault in ("lost", "unacknowledged", "lost", "unacknowledged"):
        now_us += 86_400_000_000
        await rig.tick(now_us)
        for partition in range(PARTIALS_PARTITIONS):
            await rig.evaluate(partition)
            rig.topics.faults.append(fault)
            with pytest.raises(BrokerUnavailable):
                await rig.flush(partition)
        await rig.settle()
        assert rig.compared(now_us).by_key == {}


async def test_scopes_of_a_commit_that_was_refused_are_not_taken_for_stored(
    redis: Client, dated: Company
) -> None:
    rig = Rig(redis, dated, log())
    await rig.own_all()
    for source in range(SOURCES):
        await rig.take(source)
        while await rig.publish(source):
            pass
    for partition in range(PARTIALS_PARTITIONS):
        rig.store_faults.append("commit")
        with pytest.raises(StoreUnavailable):
            await rig.evaluate(partition)
        await rig.evaluate(partition)
        await rig.own_scopes(partition)
    await rig.settle()
    assert rig.differences() == []


async def test_how_old_the_news_are_is_told_once(redis: Client, dated: Company) -> None:
    rig = Rig(redis, dated, logged([lead("a", NOON - 9 * DAY), lead("b", NOON - 8 * DAY)]))
    await rig.own_all()
    for source in range(SOURCES):
        await rig.take(source)
        await rig.publish(source)
    news: list[int] = []
    for partition in range(PARTIALS_PARTITIONS):
        await rig.evaluate(partition)
        flushed = await rig.flush(partition)
        assert flushed is not None
        news.extend(flushed.news_ms)
    assert {us(NOON - 8 * DAY) // 1_000} <= set(news)
    for partition in range(PARTIALS_PARTITIONS):
        rig.evaluators[partition].speaker._soil_all()
        flushed = await rig.flush(partition)
        assert flushed is not None
        assert flushed.records == 0
        assert not any(flushed.news_ms)


async def test_a_deal_that_is_heard_of_when_it_is_long_stuck_counts_as_stuck(
    redis: Client, ticking: Company
) -> None:
    stage = next(iter(ticking.config.pipelines.values())).stages[0].name
    fresh = told("deal.created", "c", NOON - 2 * DAY, deal_id="c", stage=stage, rep="r-01")
    first = logged([fresh])
    rig = Rig(redis, ticking, first)
    await rig.own_all()
    now_us = us(NOON)
    await rig.tick(now_us)
    await rig.settle()
    late = told("deal.created", "d", NOON - 50 * DAY, deal_id="d", stage=stage, rep="r-01")
    rig.extend(logged([late], after=first))
    await rig.settle()
    of_rep = b"stuck_deals|day|2026-03-02T00:00:00%2B01:00|rep+stage|r-01+"
    stuck = {k: v for k, v in rig.topics.standing().items() if k.startswith(of_rep)}
    assert [msgspec.json.decode(value)["value"] for value in stuck.values()] == [1]
    assert rig.compared(now_us).by_key == {}
