"""Words that arrive when others have spoken since: they may not stay the last ones."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from stream_app.company import Company
from stream_app.domain.placement import partition_of_scope
from stream_app.stages.evaluating import EvaluatingStage
from stream_app.stages.ports import OutRecord
from stream_app.state.client import Client
from stream_app.state.errors import Fenced
from stream_app.transport.errors import BrokerUnavailable
from tests.stages.alerts import KEY, MINUTE, RATE, changes, closed, company_with
from tests.stages.company import SOURCES, Logged
from tests.stages.held import Held
from tests.stages.outside import PARTIALS, PARTIALS_PARTITIONS, VALUES
from tests.stages.rig import Rig
from tests.stages.test_losses import gone
from tests.stages.told import NOON, lead, logged, told, us

OF_R01 = partition_of_scope("rep|r-01", PARTIALS_PARTITIONS)


class AfterAnnouncing(Held):
    """Held when it sends what it has to say."""

    async def __call__(self, records: Sequence[OutRecord]) -> None:
        if records[0].topic == PARTIALS:
            await self.publish(records)
        else:
            await super().__call__(records)


class Silent(AfterAnnouncing):
    """The first sending is not acknowledged, and stays in the producer before the next one's."""

    def __init__(self, rig: Rig, stage: EvaluatingStage) -> None:
        super().__init__(rig, stage)
        self.first: list[OutRecord] = []

    async def __call__(self, records: Sequence[OutRecord]) -> None:
        if records[0].topic != PARTIALS and not self.first:
            self.first.extend(records)
            raise BrokerUnavailable(["in-memory:0"], "sending", "not done in time")
        await super().__call__(records)


async def counted(rig: Rig, partition: int, log: list[Logged]) -> EvaluatingStage:
    """More of the log, up to stage two of one partition, which has not said it yet."""
    rig.extend(log)
    for source in range(SOURCES):
        await rig.take(source)
        await rig.publish(source)
    await rig.evaluate(partition)
    return rig.evaluators[partition]


async def sending(rig: Rig, stage: EvaluatingStage) -> tuple[Held, asyncio.Task[object]]:
    """A stage in the middle of a publication."""
    held = Held(rig, stage)
    task: asyncio.Task[object] = asyncio.create_task(stage.speaker.flush())
    await held.waits.wait()
    return held, task


async def test_a_zombies_late_words_do_not_stay_the_last_ones(
    redis: Client, replayed: Company
) -> None:
    first = logged([lead("a", NOON, rep="r-01"), lead("b", NOON)])
    rig = Rig(redis, replayed, first)
    await rig.own_all()
    await rig.settle()
    second = logged([lead("c", NOON, rep="r-01")], after=first)
    rig.extend(second)
    for partition in range(SOURCES):
        await rig.take(partition)
        await rig.publish(partition)
    zombies = []
    for partition, stage in rig.evaluators.items():
        await rig.evaluate(partition)
        if stage.speaker.is_dirty:
            held = Held(rig, stage)
            zombies.append((held, asyncio.create_task(stage.speaker.flush())))
            await held.waits.wait()
    assert zombies
    for partition in range(PARTIALS_PARTITIONS):
        await rig.own_scopes(partition)
    rig.extend(logged([gone("a"), gone("c")], after=[*first, *second]))
    await rig.settle()
    for held, flush in zombies:
        held.goes_on.set()
        with pytest.raises(Fenced):
            await flush
    assert rig.compared().by_key, "they came last"
    for held, _ in zombies:
        await rig.topics.publish(held.stage.farewell())
    await rig.settle()
    assert rig.compared().by_key == {}


async def test_what_a_zombie_takes_back_too_late_does_not_stay_away(
    redis: Client, replayed: Company
) -> None:
    first = logged([lead("a", NOON)])
    rig = Rig(redis, replayed, first)
    await rig.own_all()
    await rig.settle()
    standing = rig.topics.standing()
    of_company = next(k for k in standing if k.startswith(b"leads|month|") and b"|company|" in k)
    of_nobody = of_company.replace(b"company|all", b"rep|r-01")
    await rig.topics.publish([OutRecord(VALUES, of_nobody, b"{}")])
    partition = partition_of_scope("rep|r-01", PARTIALS_PARTITIONS)
    zombie = rig.evaluators[partition]
    await rig.look(partition)
    held = Held(rig, zombie)
    taking_back = asyncio.create_task(zombie.speaker.flush())
    await held.waits.wait()
    for each in range(PARTIALS_PARTITIONS):
        await rig.own_scopes(each)
    rig.extend(logged([lead("b", NOON, rep="r-01")], after=first))
    await rig.settle()
    assert rig.topics.standing()[of_nobody] != b"{}"

    held.goes_on.set()
    with pytest.raises(Fenced):
        await taking_back
    assert of_nobody not in rig.topics.standing(), "it came last"
    await rig.topics.publish(zombie.farewell())
    await rig.settle()

    assert rig.compared().by_key == {}


async def test_what_is_heard_of_a_scope_while_it_is_sent_is_answered_afterwards(
    redis: Client, replayed: Company
) -> None:
    first = logged([lead("a", NOON, rep="r-01"), lead("b", NOON)])
    rig = Rig(redis, replayed, first)
    await rig.own_all()
    await rig.settle()
    second = logged([lead("c", NOON, rep="r-01")], after=first)
    zombie = await counted(rig, OF_R01, second)
    held, late = await sending(rig, zombie)
    for partition in range(PARTIALS_PARTITIONS):
        await rig.own_scopes(partition)
    third = logged([gone("a"), gone("c")], after=[*first, *second])
    rig.extend(third)
    await rig.settle()
    deal = told("deal.created", "d", NOON, deal_id="d", amount="10", rep="r-01")
    owner = await counted(rig, OF_R01, logged([deal], after=[*first, *second, *third]))
    slow, publishing = await sending(rig, owner)

    held.goes_on.set()
    with pytest.raises(Fenced):
        await late
    await rig.topics.publish(zombie.farewell())
    await rig.evaluate(OF_R01)
    slow.goes_on.set()
    await publishing
    await rig.settle()

    assert rig.compared().by_key == {}


async def test_a_farewell_tells_of_each_day_on_which_a_scope_was_sent(
    redis: Client, replayed: Company
) -> None:
    first = logged([lead("a", NOON, rep="r-01")])
    rig = Rig(redis, replayed, first)
    await rig.own_all()
    await rig.settle()
    second = logged([lead("c", NOON + MINUTE, rep="r-01")], after=first)
    zombie = await counted(rig, OF_R01, second)
    silent = Silent(rig, zombie)
    with pytest.raises(BrokerUnavailable):
        await zombie.speaker.flush()
    third = logged([lead("x", NOON + timedelta(days=6), rep="r-01")], after=[*first, *second])
    await counted(rig, OF_R01, third)
    late = asyncio.create_task(zombie.speaker.flush())
    await silent.waits.wait()
    for partition in range(PARTIALS_PARTITIONS):
        await rig.own_scopes(partition)
    rig.extend(logged([gone("a"), gone("c")], after=[*first, *second, *third]))
    await rig.settle()
    assert rig.compared().by_key == {}

    late.cancel()  # the partition was given back; the broker got the first sending only
    with pytest.raises(asyncio.CancelledError):
        await late
    await rig.topics.publish(silent.first)
    await rig.topics.publish(zombie.farewell())
    await rig.settle()

    assert rig.compared().by_key == {}


async def test_a_version_that_lost_the_word_while_it_sent_knows_that_it_was_too_late(
    redis: Client, tmp_path: Path
) -> None:
    company = company_with(tmp_path, RATE)
    lost = [r for n in range(3) for r in closed(n, NOON, "lost")]
    story = logged([*lost, *closed(3, NOON, "won"), *closed(4, NOON, "lost")])
    older = Rig(redis, company, story)
    await older.own_all()
    for minutes in (0, 1, 2):
        await older.tick(us(NOON + minutes * MINUTE))
        await older.settle()
    await older.tick(us(NOON + 13 * MINUTE))
    partition = partition_of_scope("team|emea", PARTIALS_PARTITIONS)
    zombie = await counted(older, partition, [])
    silent = AfterAnnouncing(older, zombie)
    late = asyncio.create_task(zombie.speaker.flush())
    await silent.waits.wait()

    older.reign = None  # type: ignore[assignment]
    newer = Rig(redis, company, story, version=".next")
    newer.topics, newer.reign = older.topics, 1
    won = [r for n in range(10, 14) for r in closed(n, NOON + 12 * MINUTE, "won")]
    newer.extend(logged(won, story))
    await newer.own_all()
    await newer.settle()
    await newer.tick(us(NOON + 30 * MINUTE))
    await newer.settle()
    assert changes(newer)[-1] == (KEY, "ok", "recovered")
    silent.goes_on.set()
    await late
    assert changes(newer)[-1] == (KEY, "firing", "below_target"), "nobody fenced it"
    assert zombie.speaker.was_too_late

    newer.reign = 2  # as it is told then
    await newer.settle()

    mended = [(KEY, "resolved", "firing"), (KEY, "ok", "resolved")]
    assert changes(newer, "state", "previous")[-2:] == mended
    assert newer.compared(us(NOON + 30 * MINUTE)).by_key == {}


async def test_who_has_not_lost_the_word_was_not_too_late(redis: Client, replayed: Company) -> None:
    rig = Rig(redis, replayed, logged([lead("a", NOON, rep="r-01")]))
    await rig.own_all()
    await rig.settle()

    assert not any(stage.speaker.was_too_late for stage in rig.evaluators.values())


async def test_of_an_attempt_that_failed_before_the_word_was_lost_others_are_told_once(
    redis: Client, replayed: Company
) -> None:
    first = logged([lead("a", NOON, rep="r-01")])
    rig = Rig(redis, replayed, first)
    await rig.own_all()
    await rig.settle()
    stage = await counted(rig, OF_R01, logged([lead("b", NOON, rep="r-01")], after=first))
    speaker = stage.speaker
    rig.topics.faults.append("lost")
    with pytest.raises(BrokerUnavailable):
        await speaker.flush()
    rig.reign = None  # type: ignore[assignment]
    assert await speaker.flush() is None
    assert speaker.was_too_late

    speaker.was_too_late = False
    speaker.doubt_is_over()
    assert await speaker.flush() is None

    assert not speaker.was_too_late
    assert stage.farewell() == []
