import pytest

from stream_app.state.claims import Claims, NotClaimed
from stream_app.state.client import Client
from stream_app.state.errors import Fenced
from stream_app.state.partition import PartitionState

TP = ("crm.events", 0)


@pytest.fixture
def claims(redis: Client) -> Claims:
    return Claims(redis, {"crm.events": "stream-app:v1", "crm.raw": "stream-app"})


async def test_each_topic_lives_in_its_own_namespace(claims: Claims) -> None:
    assert claims.topics == {"crm.events", "crm.raw"}
    assert (await claims.claim(TP)).prefix == "stream-app:v1:{crm.events:0}:"
    assert (await claims.claim(("crm.raw", 1))).prefix == "stream-app:{crm.raw:1}:"


async def test_a_stateless_topic_cannot_be_claimed(claims: Claims) -> None:
    with pytest.raises(KeyError):
        await claims.claim(("kpi.values", 0))


async def test_a_claim_can_be_looked_up_until_it_is_released(claims: Claims) -> None:
    state = await claims.claim(TP)
    assert claims.get(TP) is claims[TP] is state
    assert list(claims) == [state]
    claims.release([TP])
    assert claims.get(TP) is None
    assert list(claims) == []
    with pytest.raises(
        NotClaimed, match=r"crm\.events/0 is not claimed by this worker; it owns not"
    ):
        _ = claims[TP]
    with pytest.raises(Fenced, match="gave the partition back"):
        await state.commit(None, 1)


async def test_listeners_hear_of_every_claim_and_release_once(claims: Claims) -> None:
    heard: list[object] = []
    claims.listen(on_claimed=heard.append, on_released=heard.append)
    state = await claims.claim(TP)
    claims.release([TP])
    claims.release([TP])
    assert heard == [state, TP]


async def test_what_comes_back_untouched_is_unchanged(claims: Claims) -> None:
    first = await claims.claim(TP)
    assert not first.unchanged
    await first.commit(None, 5)
    claims.release([TP])
    assert (await claims.claim(TP)).unchanged


async def test_claiming_again_without_release_is_a_release_too(claims: Claims) -> None:
    first = await claims.claim(TP)
    assert (await claims.claim(TP)).unchanged
    assert not first.held


async def test_what_somebody_else_claimed_meanwhile_is_changed(
    claims: Claims, redis: Client
) -> None:
    await claims.claim(TP)
    claims.release([TP])
    await PartitionState.claim(redis, "stream-app:v1", *TP)
    assert not (await claims.claim(TP)).unchanged


async def test_what_was_given_back_in_the_middle_of_a_batch_is_changed(claims: Claims) -> None:
    state = await claims.claim(TP)
    state.put("threads", b"a", b"1")
    claims.release([TP])
    assert not (await claims.claim(TP)).unchanged


async def test_a_redis_rolled_back_meanwhile_is_changed(claims: Claims, redis: Client) -> None:
    state = await claims.claim(TP)
    await state.commit(None, 5)
    claims.release([TP])
    await redis.hset(f"{state.prefix}meta", "offset", "3")
    assert not (await claims.claim(TP)).unchanged


async def test_a_fenced_claim_is_changed(claims: Claims, redis: Client) -> None:
    state = await claims.claim(TP)
    await redis.hset(f"{state.prefix}meta", "offset", "3")
    with pytest.raises(Fenced):
        await state.commit(None, 5)
    await redis.hdel(f"{state.prefix}meta", "offset")
    assert not (await claims.claim(TP)).unchanged


async def test_a_claim_is_lost_when_somebody_else_claims_or_redis_is_emptied(
    claims: Claims, redis: Client
) -> None:
    assert await claims.lost() == []
    await claims.claim(TP)
    raw = await claims.claim(("crm.raw", 0))
    assert await claims.lost() == []
    await PartitionState.claim(redis, "stream-app:v1", *TP)
    assert await claims.lost() == [TP]
    await redis.delete(f"{raw.prefix}meta")
    assert sorted(await claims.lost()) == [TP, ("crm.raw", 0)]


async def test_a_claim_is_lost_when_redis_is_rolled_back(claims: Claims, redis: Client) -> None:
    state = await claims.claim(TP)
    await state.commit(None, 5)
    await state.commit(5, 9)
    assert await claims.lost() == []
    await redis.hset(f"{state.prefix}meta", "offset", 5)
    assert await claims.lost() == [TP]


async def test_a_claim_that_does_not_fit_its_log_is_nobodys(claims: Claims) -> None:
    heard: list[object] = []
    claims.listen(on_claimed=heard.append)

    async def refuse(state: PartitionState) -> None:
        raise RuntimeError(state.meta["partition_count"])

    with pytest.raises(RuntimeError, match="4"):
        await claims.claim(TP, defaults={"partition_count": 4}, verify=refuse)
    assert claims.get(TP) is None
    assert heard == []
