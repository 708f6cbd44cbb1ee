"""Whatever order the steps come in, and whoever dies between them: the values are the log's."""

import random

import pytest

from stream_app.company import Company
from stream_app.state.client import Client
from stream_app.state.errors import StoreUnavailable
from stream_app.transport.errors import BrokerUnavailable
from tests.stages.company import SOURCES, log
from tests.stages.outside import EVENTS, PARTIALS_PARTITIONS
from tests.stages.rig import Rig

HOUR_US = 3_600_000_000


async def step(rig: Rig, chance: random.Random) -> None:
    source, partition = chance.randrange(SOURCES), chance.randrange(PARTIALS_PARTITIONS)
    if chance.random() < 0.1:
        rig.topics.faults.append(chance.choice(["lost", "unacknowledged"]))
    if chance.random() < 0.1:
        rig.store_faults.append(chance.choice(["read", "commit", "acknowledge"]))
    drawn = chance.random()
    try:
        if drawn < 0.04:
            await rig.own_source(source)
        elif drawn < 0.06:
            await rig.own_scopes(partition)
        elif drawn < 0.4:
            await rig.take(source, chance.choice([1, 2, 7, 40]))
        elif drawn < 0.6:
            await rig.publish(source)
        elif drawn < 0.9:
            await rig.evaluate(partition, chance.choice([1, 5, 80, 1_000]))
        else:
            await rig.flush(partition)
    except (BrokerUnavailable, StoreUnavailable):
        pass  # a later step tries again


def unread(rig: Rig) -> int:
    return sum(len(rig.log[p]) - rig.read_of(EVENTS, p) for p in range(SOURCES))


@pytest.mark.parametrize("seed", range(3))
async def test_the_newest_event_is_now(redis: Client, replayed: Company, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    rig = Rig(redis, replayed, log())
    await rig.own_all()
    while unread(rig):
        await step(rig, chance)
    await rig.settle()
    assert rig.differences() == []


@pytest.mark.parametrize("seed", range(2))
async def test_a_fixed_day_is_now(redis: Client, dated: Company, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    rig = Rig(redis, dated, log())
    await rig.own_all()
    while unread(rig):
        await step(rig, chance)
    await rig.settle()
    assert rig.differences() == []


@pytest.mark.parametrize("seed", range(3))
async def test_the_clock_is_now_and_days_pass(redis: Client, ticking: Company, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    rig = Rig(redis, ticking, log())
    await rig.own_all()
    now_us = 1_000 * log()[0].timestamp
    while unread(rig):
        await step(rig, chance)
        now_us = max(now_us, 1_000 * rig.topics.now_ms) + chance.randrange(60_000_000)
        if chance.random() < 0.2:
            await rig.tick(now_us)
    for hours in (0, 0, 1, 7, 24, 70, 24 * 9, 24 * 40):
        now_us += int(hours * HOUR_US)
        await rig.tick(now_us)
        if chance.random() < 0.5:
            await rig.own_scopes(chance.randrange(PARTIALS_PARTITIONS))
        await rig.settle()
        assert rig.differences(now_us) == [], f"{hours} hours later"
