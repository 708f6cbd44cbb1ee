"""The `redis://` driver and the tables on it behave like Faust's, as far as a batch can see."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import faust
import pytest
from faust import stores
from faust.stores import STORES
from faust.types import TP
from mode.utils.imports import symbol_by_name

from stream_app.state.claims import Claims, NotClaimed
from stream_app.state.client import Client
from stream_app.state.errors import NotPrefetched
from stream_app.state.partition import PartitionState
from stream_app.state.store import Store
from stream_app.state.tables import STORE_URL, DriverMissing, StateTable, driver

ENTRY_POINT = "stream_app.state.store:Store"


@pytest.fixture
def claims(redis: Client) -> Claims:
    return Claims(redis, {"crm.events": "stream-app:v1"})


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Iterator[faust.App]:
    STORES._maybe_finalize()
    monkeypatch.setitem(STORES.aliases, "redis", ENTRY_POINT)
    return faust.App("store-test", broker="kafka://127.0.0.1:1", autodiscover=False)


@pytest.fixture
async def state(claims: Claims) -> PartitionState:
    return await claims.claim(("crm.events", 0))


@pytest.fixture
def threads(app: faust.App, claims: Claims) -> StateTable:
    return StateTable(app, name="threads", claims=claims, topic="crm.events")


def test_the_project_declares_the_driver_that_exists() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    declared = project["project"]["entry-points"]["faust.stores"]
    assert declared == {"redis": ENTRY_POINT}
    assert symbol_by_name(declared["redis"]) is Store


@pytest.mark.usefixtures("app")
def test_without_the_entry_point_the_error_says_how_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(STORES.aliases, "redis")
    with pytest.raises(
        DriverMissing, match=r"resolves redis:// to <module 'redis'.*pip install -e"
    ):
        driver()


def test_the_table_is_a_faust_table_on_our_driver(threads: StateTable) -> None:
    assert isinstance(threads, faust.Table)
    assert stores.by_url(STORE_URL) is driver() is Store
    assert isinstance(threads.data, Store)


async def test_a_row_can_be_set_read_and_deleted(
    threads: StateTable, state: PartitionState
) -> None:
    await state.prefetch("threads", [b"a", b"b"])
    assert (0, b"a") not in threads
    threads[0, b"a"] = b"1"
    assert (0, b"a") in threads
    assert (threads[0, b"a"], threads.get((0, b"a")), threads.get((0, b"b"), b"-")) == (
        b"1",
        b"1",
        b"-",
    )
    del threads[0, b"a"]
    assert threads.get((0, b"a")) is None
    assert threads.setdefault((0, b"a"), b"2") == b"2"
    assert threads.pop((0, b"a")) == b"2"
    assert (0, b"a") not in threads


async def test_what_is_missing_is_a_key_error_as_in_every_mapping(
    threads: StateTable, state: PartitionState
) -> None:
    await state.prefetch("threads", [b"a"])
    with pytest.raises(KeyError):
        _ = threads[0, b"a"]
    with pytest.raises(KeyError):
        del threads[0, b"a"]
    with pytest.raises(KeyError):
        del threads.data[0, b"a"]
    with pytest.raises(KeyError):
        _ = threads.data[0, b"a"]


async def test_a_default_stands_in_for_what_is_missing(
    app: faust.App, claims: Claims, state: PartitionState
) -> None:
    table = StateTable(app, name="t", claims=claims, topic="crm.events", default=lambda: b"0")
    await state.prefetch("t", [b"a"])
    assert table[0, b"a"] == b"0"


async def test_rows_become_durable_with_the_partitions_commit(
    threads: StateTable, state: PartitionState, redis: Client
) -> None:
    threads[0, b"a"] = b"1"
    threads.data[0, b"group", b"f"] = b"2"
    assert await redis.keys("*threads*") == []
    await state.commit(None, 1)
    assert await redis.hgetall("stream-app:v1:{crm.events:0}:t:threads") == {b"a": b"1"}
    assert await redis.hgetall("stream-app:v1:{crm.events:0}:g:threads:group") == {b"f": b"2"}
    await state.prefetch_group("threads", b"group")
    assert threads[0, b"group", b"f"] == b"2"


async def test_rows_of_other_workers_partitions_are_out_of_reach(
    threads: StateTable, state: PartitionState
) -> None:
    with pytest.raises(NotClaimed, match=r"crm\.events/7 is not claimed by this worker"):
        threads[7, b"a"] = b"1"
    with pytest.raises(NotClaimed):
        threads.get((7, b"a"))
    assert state.settled


async def test_an_unannounced_key_is_a_bug(threads: StateTable, state: PartitionState) -> None:
    assert state.held
    with pytest.raises(NotPrefetched):
        _ = threads[0, b"a"]


async def test_rows_cannot_be_listed_without_asking_redis(threads: StateTable) -> None:
    assert threads
    assert threads.data
    for attempt in (lambda: list(threads), lambda: len(threads), threads.clear):
        with pytest.raises(TypeError, match=r"use PartitionState\.scan"):
            attempt()


async def test_faust_finds_nothing_to_recover(threads: StateTable, app: faust.App) -> None:
    tp = TP("crm.events", 0)
    assert threads.persisted_offset(tp) is None
    assert not await threads.need_active_standby_for(tp)
    threads.reset_state()
    assert not app.tables
    with pytest.raises(RuntimeError, match=r"Do not add it to app\.tables"):
        app.tables.add(threads)
    with pytest.raises(RuntimeError, match=r"take it out of app\.tables"):
        threads.apply_changelog_batch([])


async def test_the_table_starts_and_stops_without_a_broker(threads: StateTable) -> None:
    await threads.start()
    await threads.stop()


def test_the_driver_alone_asks_for_a_state_table(app: faust.App) -> None:
    with pytest.raises(ValueError, match="lacks its option 'claims'; declare it as a"):
        _ = app.Table("plain", store="redis://127.0.0.1").data
