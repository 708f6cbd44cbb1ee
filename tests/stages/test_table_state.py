"""Tables show the rows of the claim of the day; a stage must only ever see its own."""

import faust
import pytest

from stream_app.agents.table_state import TableState
from stream_app.state.claims import Claims
from stream_app.state.client import Client
from stream_app.state.errors import Fenced
from stream_app.state.tables import StateTable

TOPIC = "crm.events"


@pytest.fixture
def claims(redis: Client) -> Claims:
    return Claims(redis, {TOPIC: "stream-app:v1"})


@pytest.fixture
def tables(claims: Claims) -> dict[str, StateTable]:
    app = faust.App("table-state", broker="kafka://127.0.0.1:1", autodiscover=False)
    return {name: StateTable(app, name=name, claims=claims, topic=TOPIC) for name in ("a", "b")}


async def test_who_was_overtaken_by_a_rebalance_is_fenced_and_does_not_fail(
    claims: Claims, tables: dict[str, StateTable]
) -> None:
    overtaken = TableState(await claims.claim((TOPIC, 0)), tables)
    await overtaken.prefetch("a", [b"k"])
    claims.release([(TOPIC, 0)])
    with pytest.raises(Fenced, match="gave the partition back"):
        overtaken.get("a", b"k")


async def test_who_was_overtaken_writes_nothing_into_the_batch_of_the_next_claim(
    claims: Claims, tables: dict[str, StateTable], redis: Client
) -> None:
    overtaken = TableState(await claims.claim((TOPIC, 0)), tables)
    state = await claims.claim((TOPIC, 0))
    successor = TableState(state, tables)
    with pytest.raises(Fenced):
        overtaken.put("a", b"k", b"of the past")
    with pytest.raises(Fenced):
        overtaken.put_group("b", b"g", b"f", b"of the past")
    await successor.commit(None, 1)
    assert not await redis.exists(f"{state.prefix}t:a", f"{state.prefix}g:b:g")
