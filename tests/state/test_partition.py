"""Claims, commits and the outbox of one partition, on a real Redis."""

import asyncio

import pytest

from stream_app.state.client import Client
from stream_app.state.errors import Fenced, NotPrefetched
from stream_app.state.partition import PartitionState
from tests.state.claimed import PREFIX, claim, dump


async def test_a_first_claim_finds_nothing(redis: Client) -> None:
    state = await claim(redis)
    assert (state.previous_owner, state.offset, state.meta, state.outbox) == (None, None, {}, {})
    assert state.position == 0


async def test_a_commit_stores_state_counts_outbox_and_offset_under_the_documented_keys(
    redis: Client,
) -> None:
    state = await claim(redis)
    state.put("threads", b"d-1", b"\x00\xff")
    state.put_group("cells", b"team|emea", b"day-7", b"5")
    await state.commit(None, 12, {"applied": 12}, {b"team|emea": b"12"})
    assert await dump(redis) == {
        PREFIX + b"meta": {b"offset": b"12", b"applied": b"12", b"torn": b""},
        PREFIX + b"outbox": {b"team|emea": b"12"},
        PREFIX + b"t:threads": {b"d-1": b"\x00\xff"},
        PREFIX + b"g:cells:team|emea": {b"day-7": b"5"},
    }


async def test_the_next_owner_finds_what_was_committed(redis: Client) -> None:
    first = await claim(redis, partition_count=4)
    first.put("threads", b"a", b"1")
    await first.commit(None, 7, {"applied": 7}, {b"x": b"7", b"y": b"7:letter"})
    second = await claim(redis, partition_count=9)
    assert second.previous_owner == first.token
    assert second.offset == second.position == 7
    assert second.meta == {"partition_count": "4", "applied": "7"}
    assert second.outbox == {b"x": b"7", b"y": b"7:letter"}
    await second.prefetch("threads", [b"a", b"b"])
    assert (second.get("threads", b"a"), second.get("threads", b"b")) == (b"1", None)


async def test_before_a_first_commit_reading_starts_where_the_log_begins(redis: Client) -> None:
    state = await claim(redis)
    state.begin = 40
    assert state.position == 40


async def test_an_earlier_owner_cannot_commit(redis: Client) -> None:
    zombie = await claim(redis)
    zombie.put("threads", b"a", b"zombie")
    owner = await claim(redis)
    before = await dump(redis)
    with pytest.raises(Fenced, match=r"crm\.events/3 is fenced by its owner") as caught:
        await zombie.commit(None, 5, {"applied": 5}, {b"x": b"5"})
    assert caught.value.which == "owner"
    assert await dump(redis) == before
    await owner.commit(None, 5)


async def test_an_earlier_owner_cannot_acknowledge(redis: Client) -> None:
    zombie = await claim(redis)
    await zombie.commit(None, 5, None, {b"x": b"5"})
    await claim(redis)
    with pytest.raises(Fenced, match="owner"):
        await zombie.acknowledge({b"x": 5})
    assert await redis.hgetall(PREFIX + b"outbox") == {b"x": b"5"}


async def test_a_fenced_claim_refuses_everything_from_then_on(redis: Client) -> None:
    zombie = await claim(redis)
    await claim(redis)
    with pytest.raises(Fenced):
        await zombie.commit(None, 5)
    assert not zombie.held
    for attempt in (lambda: zombie.put("threads", b"a", b"1"), zombie.discard):
        with pytest.raises(Fenced, match="owner"):
            attempt()
    with pytest.raises(Fenced, match="owner"):
        await zombie.prefetch("threads", [b"a"])
    with pytest.raises(Fenced, match="owner"):
        await zombie.prefetch_group("cells", b"a")


async def test_another_offset_than_the_stored_one_fences_and_writes_nothing(redis: Client) -> None:
    state = await claim(redis)
    await state.commit(None, 5)
    await redis.hset(PREFIX + b"meta", "offset", "3")  # as a rolled back Redis would
    state.put("threads", b"a", b"1")
    before = await dump(redis)
    with pytest.raises(Fenced, match="stored offset 3, expected 5") as caught:
        await state.commit(5, 9)
    assert caught.value.which == "offset"
    assert await dump(redis) == before


async def test_an_emptied_redis_fences_its_owner(redis: Client) -> None:
    state = await claim(redis)
    await state.commit(None, 5)
    await redis.flushall()
    with pytest.raises(Fenced, match="stored owner none"):
        await state.commit(5, 9)
    assert await redis.keys() == []


async def test_of_twenty_racing_claims_exactly_the_last_one_can_commit(redis: Client) -> None:
    states = await asyncio.gather(*(claim(redis) for _ in range(20)))
    outcomes = await asyncio.gather(
        *(state.commit(None, 1, {"by": state.token}) for state in states), return_exceptions=True
    )
    winners = [state.token for state, done in zip(states, outcomes, strict=True) if done is None]
    assert len(winners) == 1
    assert all(done is None or isinstance(done, Fenced) for done in outcomes)
    assert await redis.hget(PREFIX + b"meta", "by") == winners[0].encode()


async def test_a_released_claim_refuses_everything(state: PartitionState) -> None:
    state.release()
    with pytest.raises(Fenced, match="gave the partition back") as caught:
        await state.commit(None, 1)
    assert caught.value.which == "released"


async def test_none_deletes_a_row_and_an_empty_group_vanishes(redis: Client) -> None:
    state = await claim(redis)
    state.put("threads", b"a", b"1")
    state.put("threads", b"b", b"1")
    state.put_group("cells", b"g", b"f", b"1")
    await state.commit(None, 1)
    state.put("threads", b"a", None)
    state.put_group("cells", b"g", b"f", None)
    await state.commit(1, 2)
    assert await dump(redis) == {
        PREFIX + b"meta": {b"offset": b"2", b"torn": b""},
        PREFIX + b"t:threads": {b"b": b"1"},
    }


async def test_a_row_that_was_not_prefetched_is_a_bug_with_a_name(state: PartitionState) -> None:
    with pytest.raises(NotPrefetched, match=r"key b'a' of 'threads' .* prefetched"):
        state.get("threads", b"a")


async def test_a_batch_sees_its_own_writes(state: PartitionState) -> None:
    await state.prefetch("threads", [b"a"])
    state.put("threads", b"a", b"1")
    state.put("threads", b"new", b"2")
    await state.prefetch("threads", [b"a", b"new"])
    assert (state.get("threads", b"a"), state.get("threads", b"new")) == (b"1", b"2")
    state.put("threads", b"a", None)
    assert state.get("threads", b"a") is None


async def test_a_discarded_batch_leaves_no_trace(redis: Client) -> None:
    state = await claim(redis)
    state.put("threads", b"a", b"1")
    state.put_group("cells", b"g", b"f", b"1")
    state.discard()
    assert state.commit_bytes == 0
    assert state.settled
    await state.commit(None, 1)
    assert await dump(redis) == {PREFIX + b"meta": {b"offset": b"1", b"torn": b""}}


async def test_reads_are_forgotten_with_the_commit(state: PartitionState) -> None:
    await state.prefetch("threads", [b"a"])
    await state.commit(None, 1)
    with pytest.raises(NotPrefetched):
        state.get("threads", b"a")


async def test_a_whole_group_knows_its_rows_and_their_absence(state: PartitionState) -> None:
    state.put_group("cells", b"g", b"f", b"1")
    state.put_group("cells", b"g", b"h", b"2")
    await state.commit(None, 1)
    state.put_group("cells", b"g", b"f", b"9")
    assert await state.prefetch_group("cells", b"g") == {b"f": b"9", b"h": b"2"}
    assert state.get_field("cells", b"g", b"none") is None
    state.put_group("cells", b"g", b"h", None)
    assert await state.prefetch_group("cells", b"g") == {b"f": b"9"}


async def test_many_groups_are_read_at_once(state: PartitionState) -> None:
    names = [b"g%d" % n for n in range(1200)]
    for name in names:
        state.put_group("cells", name, b"f", name)
    await state.commit(None, 1)
    read = await state.prefetch_groups("cells", [*names, b"none"])
    assert read == {**{name: {b"f": name} for name in names}, b"none": {}}


async def test_some_rows_of_a_group_can_be_read_alone(state: PartitionState) -> None:
    state.put_group("cells", b"g", b"f", b"1")
    state.put_group("cells", b"g", b"h", b"2")
    await state.commit(None, 1)
    await state.prefetch_fields("cells", b"g", [b"f", b"none"])
    assert state.get_field("cells", b"g", b"f") == b"1"
    assert state.get_field("cells", b"g", b"none") is None
    with pytest.raises(NotPrefetched):
        state.get_field("cells", b"g", b"h")


@pytest.mark.parametrize(("expected", "following"), [(None, -1), (5, 5), (5, 4)])
async def test_a_commit_must_advance(
    state: PartitionState, expected: int | None, following: int
) -> None:
    with pytest.raises(ValueError, match="does not advance"):
        await state.commit(expected, following)


async def test_the_fields_of_the_fence_cannot_be_overwritten(state: PartitionState) -> None:
    with pytest.raises(ValueError, match=r"\['offset', 'owner'\] are reserved"):
        await state.commit(None, 1, {"owner": "x", "offset": 7})


@pytest.mark.parametrize("value", [b"", b"x", b"-1", b"01", b"7 ", b":letter"])
async def test_an_outbox_entry_begins_with_a_version(state: PartitionState, value: bytes) -> None:
    with pytest.raises(ValueError, match="expected b'<version>'"):
        await state.commit(None, 1, None, {b"x": value})


@pytest.mark.parametrize("name", ["", "A", "a b", "a:b", "a}b"])
async def test_a_table_name_must_be_plain(state: PartitionState, name: str) -> None:
    with pytest.raises(ValueError, match="table name"):
        await state.prefetch(name, [b"a"])


@pytest.mark.parametrize("namespace", ["", "a b", "a{b"])
async def test_a_namespace_must_not_break_the_hash_tag(redis: Client, namespace: str) -> None:
    with pytest.raises(ValueError, match="namespace"):
        await PartitionState.claim(redis, namespace, "t", 0)


async def test_only_what_was_sent_and_not_changed_since_leaves_the_outbox(redis: Client) -> None:
    state = await claim(redis)
    entries = {b"same": b"5", b"newer": b"5", b"letter": b"5:payload: with colons", b"unsent": b"5"}
    await state.commit(None, 5, None, entries)
    await state.commit(5, 8, None, {b"newer": b"8"})
    sent = {b"same": 5, b"newer": 5, b"letter": 5, b"never-there": 5}
    assert await state.acknowledge(sent) == 2
    left = {b"newer": b"8", b"unsent": b"5"}
    assert state.outbox == left
    assert await redis.hgetall(PREFIX + b"outbox") == left
    assert await state.acknowledge(sent) == 0


async def test_versions_are_compared_whole(state: PartitionState) -> None:
    await state.commit(None, 50, None, {b"x": b"50", b"y": b"5:0"})
    assert await state.acknowledge({b"x": 5, b"y": 50}) == 0
    assert await state.acknowledge({b"x": 50, b"y": 5}) == 2


async def test_a_large_outbox_is_loaded_and_acknowledged_whole(redis: Client) -> None:
    state = await claim(redis)
    names = [b"cell-%d" % n for n in range(60_000)]
    await state.commit(None, 1, None, dict.fromkeys(names, b"1"))
    heir = await claim(redis)
    assert len(heir.outbox) == 60_000
    assert await heir.acknowledge(dict.fromkeys(names, 1)) == 60_000
    assert heir.outbox == {}
    assert not await redis.exists(PREFIX + b"outbox")
