"""What a publication shows of targets on the metrics page, beside the values and without any."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from stream_app.domain.placement import partition_of_scope
from stream_app.stages.alert_words import TargetShown
from stream_app.state.client import Client
from tests.stages.alerts import (
    DAY,
    MINUTE,
    RATE,
    REVENUE,
    closed,
    company_with,
    fall_below,
)
from tests.stages.outside import PARTIALS_PARTITIONS
from tests.stages.rig import Rig
from tests.stages.told import NOON, logged, us

WEEK = timedelta(weeks=1)


async def shown(rig: Rig, scope: str) -> list[TargetShown]:
    """What is on the page about a scope's targets when a new owner has said everything."""
    await rig.own_all()
    found: list[TargetShown] = []
    partition = partition_of_scope(scope, PARTIALS_PARTITIONS)
    for each in range(PARTIALS_PARTITIONS):
        if rig.evaluators[each].speaker.must_look:
            await rig.look(each)
    while flushed := await rig.flush(partition):
        found += flushed.targets.get(scope, ())
    return found


async def week(rig: Rig, number: int, deals: int) -> None:
    """So many deals of 100 are won in a week; the clock goes on by a minute."""
    monday = NOON + number * WEEK
    before = [record for log in rig.log for record in log]
    won = [r for n in range(deals) for r in closed(number * 100 + n, monday, "won")]
    rig.extend(logged(won, before))
    await rig.settle()
    for at in (monday, monday + MINUTE):
        await rig.tick(us(at))
        await rig.settle()


async def test_who_is_to_be_coached_is_shown_as_long_as_it_stands_also_by_a_successor(
    redis: Client, tmp_path: Path
) -> None:
    rig = Rig(redis, company_with(tmp_path, REVENUE), [])
    await rig.own_all()

    coaching = []
    for number, deals in enumerate((1, 1, 0, 11, 0)):
        await week(rig, number, deals)
        coaching += [target.coaching for target in await shown(rig, "rep|r-01")]

    assert coaching == ["ok", "ok", "firing", "firing", "resolved"]


async def test_a_target_without_repeat_misses_has_nothing_to_say_about_coaching(
    redis: Client, tmp_path: Path
) -> None:
    rig = Rig(redis, company_with(tmp_path, RATE), [])
    await rig.own_all()
    await fall_below(rig)

    (target,) = await shown(rig, "team|emea")

    assert target == TargetShown(
        target="win-rate-team",
        kpi="win_rate",
        window="month",
        value=Decimal("0.25"),
        attainment=0.8,
        state="firing",
        reason="below_target",
        of_closed=False,
        coaching=None,
    )


async def test_a_target_that_is_not_judged_says_why(redis: Client, tmp_path: Path) -> None:
    rig = Rig(redis, company_with(tmp_path, RATE | {"min_sample": 40}, REVENUE), [])
    await rig.own_all()
    await fall_below(rig)

    (rate,) = await shown(rig, "team|emea")
    (revenue,) = await shown(rig, "rep|r-01")

    assert (rate.state, rate.reason) == ("ok", "small_sample")
    assert (revenue.state, revenue.reason) == ("ok", "window_runs")


async def test_who_is_silent_for_too_long_is_shown_as_without_data(
    redis: Client, tmp_path: Path
) -> None:
    rig = Rig(redis, company_with(tmp_path, RATE | {"no_data": "2d", "for": "0s"}), [])
    await rig.own_all()
    rig.extend(logged([r for n in range(4) for r in closed(n, NOON, "won")]))
    await rig.settle()
    for days in (0, 4):
        await rig.tick(us(NOON + days * DAY))
        await rig.settle()

    (target,) = await shown(rig, "team|emea")

    assert (target.state, target.reason, target.of_closed) == ("firing", "no_data", False)


async def test_a_window_that_was_missed_is_shown_as_the_one_that_has_ended(
    redis: Client, tmp_path: Path
) -> None:
    rig = Rig(redis, company_with(tmp_path, REVENUE), [])
    await rig.own_all()
    await week(rig, 0, 1)
    await week(rig, 1, 0)

    (target,) = await shown(rig, "rep|r-01")

    assert (target.state, target.reason, target.of_closed) == ("firing", "below_target", True)


async def test_somebody_with_a_target_who_counted_nothing_is_shown_without_a_record(
    redis: Client, tmp_path: Path
) -> None:
    pace = {"member": "r-01", "window": "month", "pace": "calendar_days", "repeat_misses": 2}
    rig = Rig(redis, company_with(tmp_path, REVENUE | pace), [])
    await rig.own_all()
    rig.extend(logged(closed(1, NOON, "won")))
    await rig.settle()
    for days in (0, 90):  # nothing this month, nothing in the one before
        await rig.tick(us(NOON + days * DAY))
        await rig.settle()

    (target,) = await shown(rig, "rep|r-01")

    assert (target.state, target.reason) == ("firing", "behind_pace")
    assert (target.value, target.attainment) == (1000, 0.0)
    assert not any(
        b"revenue|month|2026-05-01" in key for key in rig.topics.standing() if b"r-01" in key
    )
    truth = rig.recomputed()
    list(truth.values(us(NOON + 90 * DAY)))
    ((scope, goal, said),) = truth.unrecorded_targets(us(NOON + 90 * DAY))
    assert (scope, goal.name, said.value, said.attainment) == ("rep|r-01", "revenue-rep", 1000, 0.0)
