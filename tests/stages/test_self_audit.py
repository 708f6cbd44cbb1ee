"""The worker's own comparison of its two stages: sees what is planted, and nothing in flight."""

from random import Random

import pytest

from stream_app.agents.self_audit import Places, SelfAudit
from stream_app.company import Company
from stream_app.stages.cells import CELLS
from stream_app.stages.scopes import SCOPE_CELLS
from stream_app.state.client import Client
from stream_app.wire.partial import Cell, decode_cell, encode_value
from tests.stages.company import SOURCES
from tests.stages.outside import EVENTS, PARTIALS, PARTIALS_PARTITIONS
from tests.stages.rig import NAMESPACE, Rig
from tests.stages.test_evaluating import log

PLACES = Places(
    namespace=NAMESPACE,
    events=EVENTS,
    partials=PARTIALS,
    sources=SOURCES,
    partitions=PARTIALS_PARTITIONS,
)
COMPANY = b"company|all"


class Audited:
    """A rig and who audits it; everything is looked at in one look."""

    def __init__(self, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("stream_app.agents.self_audit.CELLS_PER_LOOK", 100_000)
        monkeypatch.setattr("stream_app.agents.self_audit.SCOPES_PER_LOOK", 100_000)
        self.shown: list[int] = []

        async def log_ends(partitions):
            return {p: len(rig.topics.of(PARTIALS, p)) for p in partitions}

        self.compared: list[int] = []
        self.audit = SelfAudit(
            rig.redis,
            PLACES,
            owned=lambda topic: range(SOURCES if topic == EVENTS else PARTIALS_PARTITIONS),
            log_ends=log_ends,
            show=self.shown.append,
            compared=self.compared.append,
            catch_up_seconds=-1,
        )

    async def look(self) -> int:
        await self.audit.look()
        return self.shown[-1]


@pytest.fixture
async def settled(redis: Client, dated: Company) -> Rig:
    rig = Rig(redis, dated, log())
    await rig.own_all()
    await rig.settle()
    return rig


def company_cells() -> bytes:
    return PLACES.two(PLACES.partition_of(COMPANY + b"|x")).of((SCOPE_CELLS, COMPANY))


async def test_stages_that_agree_are_told_to(settled: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    audited = Audited(settled, monkeypatch)

    assert await audited.look() == 0
    assert sum(audited.compared) > 0


async def test_a_cell_that_was_changed_in_stage_two_is_seen_until_it_is_mended(
    settled: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    audited = Audited(settled, monkeypatch)
    field, row = min((await settled.redis.hgetall(company_cells())).items())
    cell = decode_cell(row)
    planted = Cell(cell.version, cell.event_us, cell.record_ms, {**cell.measures, "leads": 77})

    await settled.redis.hset(company_cells(), field, encode_value(planted))
    assert await audited.look() == 1
    await settled.redis.hset(company_cells(), field, row)
    assert await audited.look() == 0


async def test_a_partial_that_never_arrived_is_seen(
    settled: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = await settled.redis.hgetall(company_cells())
    field = min(field for field, row in rows.items() if any(decode_cell(row).measures.values()))

    await settled.redis.hdel(company_cells(), field)

    assert await Audited(settled, monkeypatch).look() == 1


async def test_a_cell_that_stage_one_lost_is_seen(
    settled: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = PLACES.one(0).of(CELLS)
    rows = await settled.redis.hgetall(cells)
    # What was counted and taken back says nothing, and is not missed.
    days = {name: row for name, row in rows.items() if not name.endswith(b"Z")}
    name = min(name for name, row in days.items() if any(decode_cell(row).measures.values()))

    await settled.redis.hdel(cells, name)

    assert await Audited(settled, monkeypatch).look() == 1


async def test_what_is_in_flight_is_no_divergence(
    redis: Client, dated: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(redis, dated, log())
    audited = Audited(rig, monkeypatch)
    await rig.own_all()
    random = Random(3)  # noqa: S311

    for _ in range(25):
        source, partition = random.randrange(SOURCES), random.randrange(PARTIALS_PARTITIONS)
        await rig.take(source, random.randint(1, 4))
        if random.random() < 0.6:
            await rig.publish(source)
        if random.random() < 0.6:
            await rig.evaluate(partition)
        assert await audited.look() == 0

    await rig.settle()
    assert await audited.look() == 0
