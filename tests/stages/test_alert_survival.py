"""Alerts in stage two: each transition once, whoever dies, however the log is cut."""

import random
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from stream_app.state.client import Client
from stream_app.state.errors import StoreUnavailable
from stream_app.transport.errors import BrokerUnavailable
from tests.stages.alerts import (
    DAY,
    KEY,
    MINUTE,
    RATE,
    REVENUE,
    changes,
    closed,
    company_with,
    fall_below,
    ids,
    recover,
    state_beside,
)
from tests.stages.company import SOURCES
from tests.stages.outside import PARTIALS_PARTITIONS
from tests.stages.rig import Rig
from tests.stages.told import NOON, Told, logged, us

FAULTS = 0.15


async def test_a_successor_sends_what_was_committed_and_not_sent(
    redis: Client, tmp_path: Path
) -> None:
    rig = Rig(redis, company_with(tmp_path, RATE | {"for": "0s"}), [])
    await rig.own_all()
    await rig.tick(us(NOON))
    lost = [r for n in range(5) for r in closed(n, NOON, "lost")]
    rig.extend(logged(lost))
    await rig.settle()
    await rig.tick(us(NOON + MINUTE))
    for partition in range(PARTIALS_PARTITIONS):
        await rig.evaluate(partition)  # committed, and then the worker dies
    assert changes(rig) == []

    await rig.own_all()
    await rig.settle()

    assert changes(rig) == [(KEY, "firing", "below_target")]


async def test_a_successor_does_not_repeat_what_was_sent_and_not_acknowledged(
    redis: Client, tmp_path: Path
) -> None:
    rig = Rig(redis, company_with(tmp_path, RATE | {"for": "0s"}), [])
    await rig.own_all()
    await rig.tick(us(NOON))
    lost = [r for n in range(5) for r in closed(n, NOON, "lost")]
    rig.extend(logged(lost))
    await rig.settle()
    await rig.tick(us(NOON + MINUTE))
    for partition in range(PARTIALS_PARTITIONS):
        await rig.evaluate(partition)
        rig.store_faults.append("acknowledge")
        with suppress(StoreUnavailable):
            await rig.flush(partition)
    rig.store_faults.clear()
    assert len(changes(rig)) == 1

    await rig.own_all()
    await rig.settle()

    assert changes(rig) == [(KEY, "firing", "below_target")]


async def test_after_a_loss_of_redis_alerts_go_on_from_their_last_records(
    redis: Client, tmp_path: Path
) -> None:
    rig = Rig(redis, company_with(tmp_path, RATE), [])
    await rig.own_all()
    await rig.tick(us(NOON))
    await fall_below(rig)
    before = changes(rig)

    await redis.flushdb()
    await rig.own_all()
    await rig.settle()
    await rig.tick(us(NOON + 13 * MINUTE))
    await rig.settle()

    assert changes(rig) == before
    assert state_beside(rig)[0]["state"] == "firing"

    await recover(rig, NOON + 20 * MINUTE)

    assert changes(rig)[2:] == [(KEY, "resolved", "recovered")]


async def test_the_minutes_of_pending_survive_a_loss_of_redis(
    redis: Client, tmp_path: Path
) -> None:
    rig = Rig(redis, company_with(tmp_path, RATE), [])
    await rig.own_all()
    await rig.tick(us(NOON))
    rig.extend(logged([r for n in range(5) for r in closed(n, NOON, "lost")]))
    await rig.settle()
    await rig.tick(us(NOON + MINUTE))
    await rig.settle()

    await redis.flushdb()
    await rig.own_all()
    await rig.settle()
    for minute in (10, 11):
        await rig.tick(us(NOON + minute * MINUTE))
        await rig.settle()

    assert changes(rig, "state", "since") == [
        (KEY, "pending", "2026-03-02T12:01:00Z"),
        (KEY, "firing", "2026-03-02T12:11:00Z"),
    ]


async def run_cut(
    rig: Rig, chance: random.Random, script: Sequence[tuple[int, list[Told]]]
) -> None:
    """Tell the script; batches, crashes and lost sends fall as chance has it."""
    await rig.own_all()
    for now_us, records in script:
        before = [record for log in rig.log for record in log]
        rig.extend(logged(records, before))
        for source in range(SOURCES):
            while await rig.take(source, 500) is not None:
                pass
            while await rig.publish(source):
                pass
        await rig.tick(now_us)
        for partition in range(PARTIALS_PARTITIONS):
            if chance.random() < 0.5:
                continue  # its records pile up for a later batch
            await shaken(rig, chance, partition)
    await rig.settle()


async def shaken(rig: Rig, chance: random.Random, partition: int) -> None:
    more = True
    while more:
        if chance.random() < FAULTS:
            rig.store_faults.clear()
            await rig.own_scopes(partition)
        if chance.random() < FAULTS:
            rig.topics.faults.append(chance.choice(["lost", "unacknowledged"]))
        if chance.random() < FAULTS:
            rig.store_faults.append(chance.choice(["read", "commit", "acknowledge"]))
        try:
            more = await rig.evaluate(partition, chance.choice([1, 3, 40]))
            if chance.random() < 0.5:
                await rig.flush(partition)
        except (BrokerUnavailable, StoreUnavailable):
            more = True
    rig.topics.faults.clear()
    rig.store_faults.clear()


def script_of(chance: random.Random) -> list[tuple[int, list[Told]]]:
    script = []
    now = NOON
    for number in range(24):
        now += chance.choice([MINUTE, 6 * MINUTE, 11 * MINUTE, 5 * timedelta(hours=1), 3 * DAY])
        results = [chance.choice(["won", "lost", "lost"]) for _ in range(chance.randrange(4))]
        records = [
            record
            for index, result in enumerate(results)
            for record in closed(number * 10 + index, now - MINUTE, result)
        ]
        script.append((us(now), records))
    return script


@pytest.mark.parametrize("seed", range(2))
async def test_neither_crashes_nor_batches_change_what_is_told(
    redis: Client, tmp_path: Path, seed: int
) -> None:
    company = company_with(tmp_path, RATE | {"resolve_at": 0.4}, REVENUE)
    script = script_of(random.Random(seed))  # noqa: S311
    calm = Rig(redis, company, [])
    await calm.own_all()
    for now_us, records in script:
        calm.extend(logged(records, [r for log in calm.log for r in log]))
        await calm.settle()
        await calm.tick(now_us)
        await calm.settle()
    await redis.flushdb()
    shaky = Rig(redis, company, [])
    await run_cut(shaky, random.Random(seed), script)  # noqa: S311

    whole = ("id", "state", "previous", "reason", "value", "since")
    assert len(changes(calm)) > 5
    assert set(changes(shaky, *whole)) == set(changes(calm, *whole))
    assert len(set(ids(shaky))) == len(ids(shaky))
    assert shaky.differences(script[-1][0]) == []
