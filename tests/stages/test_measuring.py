"""Stage one: what it counts, what it keeps, what it says and when it may forget that it said it."""

import random
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import msgspec
import pytest

from stream_app.company import Company
from stream_app.stages.ports import OutRecord
from stream_app.state.client import Client
from stream_app.state.errors import CommitTooLarge
from stream_app.transport.errors import BrokerUnavailable
from stream_app.wire.dead_letter import DeadLetter
from stream_app.wire.partial import parse_key
from tests.stages.company import SOURCES, log
from tests.stages.outside import DEAD, EVENTS, PARTIALS
from tests.stages.rig import Rig
from tests.stages.told import NOON, lead, logged, told


async def counted(rig: Rig) -> None:
    for partition in range(SOURCES):
        while await rig.take(partition, 50):
            await rig.publish(partition)


@pytest.mark.parametrize("seed", range(2))
async def test_every_record_is_accounted_for_once(
    redis: Client, replayed: Company, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311
    rig = Rig(redis, replayed, log(), cached_threads=1)
    await rig.own_all()
    for _ in range(120):
        source = chance.randrange(SOURCES)
        await rig.take(source, chance.choice([1, 3, 20]))
        if chance.random() < 0.2:
            await rig.own_source(source)
        stage = rig.measurers[source]
        assert sum(stage.counts.values()) == stage.offset
    await counted(rig)
    truth = rig.recomputed()
    for source in range(SOURCES):
        end = len(rig.log[source])
        assert rig.measurers[source].counts == truth.outcomes[source].counts(end)


async def test_a_batch_that_is_too_large_for_a_commit_can_be_taken_in_halves(
    redis: Client, replayed: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stream_app.state.writes.COMMIT_ARGS_MAX", 2_000)
    rig = Rig(redis, replayed, log())
    await rig.own_all()
    refusals = 0

    async def take(partition: int, size: int) -> bool:
        nonlocal refusals
        try:
            return await rig.take(partition, size) is not None
        except CommitTooLarge:
            refusals += 1
            return await take(partition, size // 2)

    for partition in range(SOURCES):
        while await take(partition, 100):
            pass

    truth = rig.recomputed()
    assert refusals > 0
    for source in range(SOURCES):
        end = len(rig.log[source])
        assert rig.measurers[source].counts == truth.outcomes[source].counts(end)


async def test_every_refused_record_becomes_one_dead_letter(
    redis: Client, replayed: Company
) -> None:
    rig = Rig(redis, replayed, log())
    await rig.own_all()
    await counted(rig)
    refused = rig.recomputed().dead_letters
    letters = [DeadLetter.read(sent.headers, sent.value) for sent in rig.topics.all(DEAD)]
    assert len(letters) == len(refused) > 5
    for letter in letters:
        record = rig.log[letter.partition][letter.offset]
        assert letter.reason == refused[letter.partition, letter.offset].reason
        assert letter.topic == EVENTS
        assert letter.value == (None if record.value is None else record.value[: 64 << 10])


async def test_dead_letters_survive_a_crash_between_commit_and_publication(
    redis: Client, replayed: Company
) -> None:
    rig = Rig(redis, replayed, log())
    await rig.own_all()
    for partition in range(SOURCES):
        await rig.take(partition)
    assert rig.dead_letters() == []
    for partition in range(SOURCES):
        await rig.own_source(partition)
    rig.topics.faults.append("unacknowledged")
    with pytest.raises(BrokerUnavailable):
        await rig.publish(0)
    for partition in range(SOURCES):
        await rig.own_source(partition)
        while await rig.publish(partition):
            pass
    coordinates = {f"{EVENTS}/{p}/{o}".encode() for p, o in rig.recomputed().dead_letters}
    assert set(rig.dead_letters()) == coordinates
    for partition in range(SOURCES):
        assert not await rig.publish(partition)
    assert max(Counter(rig.dead_letters()).values()) <= 2


async def test_what_changed_while_it_was_sent_is_sent_again(
    redis: Client, replayed: Company
) -> None:
    records = logged([lead("a", NOON), lead("a", NOON)])
    earlier = told("lead.updated", "a", NOON - timedelta(hours=1), lead_id="a", rep="r-01")
    second = logged([earlier], after=records)
    rig = Rig(redis, replayed, records)
    await rig.own_all()
    source = records[0].partition
    await rig.take(source)
    rig.extend(second)
    publish = rig.topics.publish

    async def and_meanwhile(batch: Sequence[OutRecord]) -> None:
        await publish(batch)
        await rig.take(source)

    stage = rig.measurers[source]
    stage._publish = and_meanwhile
    await stage.publish_outbox()
    stage._publish = publish
    left = dict(stage._state.outbox)
    assert b"rep|r-01|2026-03-02" in left
    assert b"rep|unassigned|2026-03-02" in left, "it was sent, but not in this version"
    assert b"company|all|2026-03-02" not in left, "it was sent, and did not change since"
    await stage.publish_outbox()
    assert not stage._state.outbox
    await rig.settle()
    assert rig.topics.standing()[b"leads|year|2026-01-01T00:00:00%2B01:00|rep|r-01"]


async def test_the_same_events_again_change_and_publish_nothing(
    redis: Client, replayed: Company
) -> None:
    good = [
        r
        for r in log()
        if (r.partition, r.offset) not in Rig(redis, replayed, log()).recomputed().dead_letters
    ]
    first = logged([(r.timestamp, r.key, r.value) for r in good])
    rig = Rig(redis, replayed, first)
    await rig.own_all()
    await rig.settle()
    ends, standing = rig.topics.ends(), rig.topics.standing()
    applied = sum(stage.counts["applied"] for stage in rig.measurers.values())
    rig.extend(logged([(r.timestamp, r.key, r.value) for r in good], after=first))
    await rig.settle()
    assert rig.topics.ends() == ends
    assert rig.topics.standing() == standing
    counts = [stage.counts for stage in rig.measurers.values()]
    assert sum(c["applied"] for c in counts) == applied
    assert sum(sum(c.values()) for c in counts) == 2 * len(good)
    assert rig.differences() == []


async def test_a_long_thread_writes_only_its_last_segment(redis: Client, replayed: Company) -> None:
    records = logged(
        told("deal.updated", "long", NOON + timedelta(minutes=n), deal_id="d", amount=str(n + 1))
        for n in range(200)
    )
    rig = Rig(redis, replayed, records)
    await rig.own_all()
    source = records[0].partition
    await rig.take(source, 150)
    segments = rig.keys(EVENTS, source).of("segments")
    assert await redis.hlen(segments) == 150 // 64
    names = list(await redis.hkeys(segments))
    await redis.hset(segments, mapping=dict.fromkeys(names, b"not touched"))
    await rig.take(source, 10)
    assert await redis.hmget(segments, names) == [b"not touched"] * 2
    await rig.take(source)
    assert await redis.hmget(segments, names) == [b"not touched"] * 2
    assert await redis.hlen(segments) == 200 // 64
    thread = msgspec.json.decode(await redis.hget(rig.keys(EVENTS, source).of("threads"), b"long"))
    assert (thread[0], len(thread[1])) == (3, 200 - 3 * 64)


async def test_a_long_thread_is_read_back_whole(redis: Client, replayed: Company) -> None:
    records = logged(
        told(
            "deal.updated",
            "long",
            NOON - timedelta(hours=n % 7, minutes=n),
            deal_id="d",
            amount="1",
        )
        for n in range(150)
    )
    rig = Rig(redis, replayed, records)
    await rig.own_all()
    for _ in range(10):
        await rig.take(records[0].partition, 15)
        await rig.own_source(records[0].partition)
    assert rig.measurers[records[0].partition].counts["applied"] == 150
    await rig.settle()
    found = rig.compared()
    assert found.by_key == {}


async def test_a_source_says_that_it_is_ready_only_after_all_that_it_counted(
    redis: Client, replayed: Company
) -> None:
    rig = Rig(redis, replayed, log())
    rig.rebuild_until = len(rig.log[0])
    await rig.own_source(0)
    await rig.take(0)
    await rig.own_source(0)  # Redis returns the outbox in any order
    while await rig.publish(0):
        pass
    for partition in range(2):
        scopes = [parse_key(s.key or b"").scope for s in rig.topics.of(PARTIALS, partition)]
        assert "ready" in scopes
        first = scopes.index("ready")
        assert not [s for s in scopes[first:] if s not in {"ready", "clock"}]
