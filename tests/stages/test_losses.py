"""What Redis forgets may not stay in `kpi.values`, nor be missed there."""

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


async def test_a_member_that_comes_to_be_known_without_counting_takes_back_what_stands_of_it(
    redis: Client, replayed: Company
) -> None:
    first = logged([lead("a", NOON)])
    rig = Rig(redis, replayed, first)
    await rig.own_all()
    await rig.settle()
    standing = rig.topics.standing()
    of_company = next(k for k in standing if k.startswith(b"leads|month|") and b"|company|" in k)
    of_nobody = of_company.replace(b"company|all", b"rep|r-09")
    partition = partition_of_scope("rep|r-09", PARTIALS_PARTITIONS)
    await rig.topics.publish([OutRecord(VALUES, of_nobody, b"{}")])
    await rig.look(partition)
    rig.extend(logged([lead("b", NOON + timedelta(seconds=1), rep="r-09"), gone("b")], first))
    for source in range(SOURCES):
        await rig.own_source(source)  # whose first batch says also what came and went
        await rig.take(source)
        await rig.publish(source)
    await rig.evaluate(partition)
    flushes = 0
    while await rig.flush(partition) is not None:
        flushes += 1
        assert flushes < 50, "it is never clean"

    assert of_nobody not in rig.topics.standing()


async def test_after_a_loss_a_member_that_never_counted_is_not_waited_for(
    redis: Client, replayed: Company
) -> None:
    rig = Rig(redis, replayed, logged([lead("a", NOON), lead("b", NOON, rep="r-09"), gone("b")]))
    await rig.own_all()
    await rig.settle()
    await redis.flushall()
    await rig.own_all()
    await rig.settle()

    assert not any(stage.speaker.takes_over for stage in rig.evaluators.values())
