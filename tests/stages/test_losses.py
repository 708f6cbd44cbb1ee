"""What Redis forgets and what a zombie still says: neither may stay in `kpi.values`."""

import asyncio
from datetime import timedelta

import pytest

from stream_app.company import Company
from stream_app.domain.placement import partition_of_scope
from stream_app.stages.ports import OutRecord
from stream_app.state.client import Client
from stream_app.state.errors import Fenced
from stream_app.transport.publisher import partition_of
from stream_app.wire.partial import Cell, decode_cell, encode_value, parse_key
from stream_app.wire.published import decode_published
from tests.stages.company import log
from tests.stages.held import Held
from tests.stages.outside import PARTIALS, PARTIALS_PARTITIONS, VALUES
from tests.stages.rig import SOURCES, Rig
from tests.stages.told import NOON, Told, lead, logged, told

LATER = NOON + timedelta(minutes=1)


def gone(name: str) -> Told:
    return told("lead.deleted", name, LATER, lead_id=name)


def revisions(rig: Rig) -> dict[bytes, list[int]]:
    found: dict[bytes, list[int]] = {}
    for record in rig.topics.all(VALUES):
        if record.value is not None:
            revision = decode_published(record.value).revision
            found.setdefault(record.key or b"", []).append(revision)
    return found


async def test_revisions_grow_over_owners_and_over_a_loss_of_redis(
    redis: Client, replayed: Company
) -> None:
    rig = Rig(redis, replayed, log())
    await rig.own_all()
    await rig.settle()
    for _ in range(3):  # every owner begins above what its predecessor may have used
        for partition in range(PARTIALS_PARTITIONS):
            await rig.own_scopes(partition)
        await rig.settle()
    before = revisions(rig)
    await redis.flushall()
    await rig.own_all()
    await rig.settle()
    for key, all_of_it in revisions(rig).items():
        after = all_of_it[len(before[key]) :]
        assert after, key
        assert min(after) > max(before[key]), key
    assert rig.differences() == []


async def test_nothing_is_said_before_all_was_read_that_was_there_at_the_claim(
    redis: Client, replayed: Company
) -> None:
    rig = Rig(redis, replayed, log())
    await rig.own_all()
    await rig.settle()
    said = revisions(rig)
    await redis.flushall()
    await rig.own_all()
    for partition in range(PARTIALS_PARTITIONS):
        while rig.read_of("kpi.partials", partition) < rig.evaluators[partition]._state.log_end:
            assert await rig.flush(partition) is None
            await rig.evaluate(partition, 40)
    assert revisions(rig) == said


ONE, OTHER = [name for name in map(str, range(20)) if partition_of(name.encode(), SOURCES) == 0][:2]


@pytest.mark.parametrize(
    ("records", "first", "others"),
    [
        ([lead(ONE, NOON), gone(ONE)], 1, [2]),
        ([lead(ONE, NOON), lead(OTHER, NOON), gone(ONE)], 2, [1, 2]),
    ],
    ids=["within one thread", "between threads"],
)
async def test_what_other_batches_published_before_a_loss_is_outdone(
    redis: Client, replayed: Company, records: list[Told], first: int, others: list[int]
) -> None:
    rig = Rig(redis, replayed, logged(records))
    await rig.own_all()
    await rig.take(0, first)
    while await rig.publish(0):
        pass
    await redis.flushall()
    await rig.own_all()
    for size in others:
        await rig.take(0, size)
    await rig.settle()
    assert rig.compared().by_key == {}


async def test_what_stood_before_a_loss_and_is_no_more_is_taken_back(
    redis: Client, replayed: Company
) -> None:
    first = logged([lead("a", NOON, rep="r-01"), lead("b", NOON)])
    rig = Rig(redis, replayed, first)
    await rig.own_all()
    await rig.settle()
    assert any(b"|rep|r-01" in key for key in rig.topics.standing())
    await redis.flushall()
    moved = told("lead.updated", "a", NOON - timedelta(hours=1), lead_id="a", rep="r-02")
    rig.extend(logged([moved, gone("a")], after=first))
    await rig.own_all()
    await rig.settle()
    assert rig.compared().by_key == {}


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


async def test_who_reads_a_redis_that_was_emptied_does_not_say_that_cells_ended(
    redis: Client, replayed: Company
) -> None:
    rig = Rig(redis, replayed, logged([lead(ONE, NOON)]))
    await rig.own_all()
    await rig.take(0)
    await rig.own_source(0)  # remembers no cell
    late = rig.measurers[0]
    await redis.flushall()
    with pytest.raises(Fenced):
        await late.publish_outbox()
    assert {parse_key(key).scope: value for key, value in rig.cells().items() if not value} == {}


async def test_an_old_partial_of_a_newer_event_does_not_take_the_newest_ones_place_in_redis(
    redis: Client, replayed: Company
) -> None:
    rig = Rig(redis, replayed, log())
    await rig.own_all()
    await rig.settle()
    late = [
        OutRecord(PARTIALS, record.key, encode_value(old), partition=partition)
        for partition in range(PARTIALS_PARTITIONS)
        for record in rig.topics.of(PARTIALS, partition)
        if record.value and "|" in parse_key(record.key or b"").scope  # of cells only
        for cell in [decode_cell(record.value)]
        for old in [Cell(0, cell.event_us + 10**12, cell.record_ms, {"leads": 77})]
    ]
    assert late

    await rig.topics.publish(late)  # a zombie; or what is read again after Redis was emptied
    await rig.settle()
    for partition in range(PARTIALS_PARTITIONS):
        await rig.own_scopes(partition)
    await rig.settle()

    assert rig.differences() == []
