"""Five-minute cells live as long as some window may ask for them, and no longer."""

from datetime import datetime, timedelta

import pytest

from stream_app.company import Company
from stream_app.domain.cells import FIVE_MINUTE_BASE
from stream_app.state.client import Client
from stream_app.wire.partial import parse_key
from tests.stages.company import SOURCES
from tests.stages.outside import EVENTS, PARTIALS, PARTIALS_PARTITIONS
from tests.stages.rig import Rig
from tests.stages.told import NOON, Told, lead, logged, told, us, won


def busy(day: datetime, name: str) -> list[Told]:
    """Something in every source partition."""
    return [
        each
        for n in range(9)
        for each in (
            lead(f"{name}-{n}", day + timedelta(minutes=7 * n), rep="r-01"),
            *won(f"{name}-d{n}", day + timedelta(minutes=7 * n), "100", rep="r-01"),
        )
    ]


def standing_cells(rig: Rig) -> set[int]:
    """Five-minute buckets that `kpi.partials` still has."""
    return {
        parse_key(key).bucket
        for key, value in rig.cells().items()
        if value is not None and parse_key(key).bucket >= FIVE_MINUTE_BASE
    }


async def rows(rig: Rig) -> dict[str, set[bytes]]:
    """Names of the rows by five minutes in the state of both stages, and of what expires them."""
    found: dict[str, set[bytes]] = {
        "cells": set(),
        "hours": set(),
        "expiry": set(),
        "scopes": set(),
    }
    for source in range(SOURCES):
        keys = rig.keys(EVENTS, source)
        names = await rig.redis.hkeys(keys.of("cells"))
        found["cells"] |= {name for name in names if name.endswith(b"Z")}
        found["hours"] |= set(await rig.redis.hkeys(keys.of("hours")))
        found["expiry"] |= set(await rig.redis.keys(keys.groups("expiry") + b"*"))
    for partition in range(PARTIALS_PARTITIONS):
        groups = await rig.redis.keys(rig.keys(PARTIALS, partition).groups("scope_cells") + b"*")
        for group in groups:
            names = await rig.redis.hkeys(group)
            found["scopes"] |= {name for name in names if b"Z|" in name}
    return found


@pytest.mark.parametrize("later", [timedelta(days=5), timedelta(days=3_000)])
async def test_what_no_window_asks_for_is_deleted_everywhere(
    redis: Client, replayed: Company, later: timedelta
) -> None:
    first = logged(busy(NOON, "old"))
    rig = Rig(redis, replayed, first)
    await rig.own_all()
    await rig.settle()
    before = await rows(rig)
    old = standing_cells(rig)
    assert old
    assert all(before.values())
    rig.extend(logged(busy(NOON + later, "new"), after=first))
    await rig.settle()
    after = await rows(rig)
    assert standing_cells(rig).isdisjoint(old)
    for kind, names in after.items():
        assert names.isdisjoint(before[kind]), kind
        assert names
    assert rig.differences() == []


async def test_a_restart_does_not_forget_what_expires(redis: Client, replayed: Company) -> None:
    first = logged(busy(NOON, "old"))
    rig = Rig(redis, replayed, first)
    await rig.own_all()
    await rig.settle()
    old = standing_cells(rig)
    await rig.own_all()
    rig.extend(logged(busy(NOON + timedelta(days=6), "new"), after=first))
    await rig.settle()
    assert standing_cells(rig).isdisjoint(old)
    assert rig.differences() == []


async def test_what_is_late_is_counted_by_day_only(redis: Client, replayed: Company) -> None:
    first = logged(busy(NOON, "new"))
    rig = Rig(redis, replayed, first)
    await rig.own_all()
    await rig.settle()
    cells = standing_cells(rig)
    rig.extend(logged(busy(NOON - timedelta(days=7), "late"), after=first))
    await rig.settle()
    assert standing_cells(rig) == cells
    assert rig.differences() == []


async def test_a_producer_ahead_of_its_time_does_not_end_the_hours_of_others(
    redis: Client, ticking: Company
) -> None:
    today = logged(busy(NOON, "today"))
    rig = Rig(redis, ticking, today)
    await rig.own_all()
    now_us = us(NOON + timedelta(minutes=63))
    await rig.tick(now_us)
    await rig.settle()
    assert rig.differences(now_us) == []
    rig.wall_follows_records = False
    rig.extend(logged(busy(NOON + timedelta(days=900), "mad"), after=today))
    await rig.settle()
    assert rig.differences(now_us) == []
    rest = logged(busy(NOON + timedelta(minutes=70), "rest"), after=[r for p in rig.log for r in p])
    rig.extend(rest)
    now_us = us(NOON + timedelta(minutes=140))
    await rig.tick(now_us)
    await rig.settle()
    assert rig.differences(now_us) == []


async def test_the_hour_goes_on_without_any_event(redis: Client, ticking: Company) -> None:
    nine_days_later = NOON + timedelta(days=9)
    # It counts nothing by itself, and makes all that is older expire.
    quiet = [
        told("deal.updated", f"a-d{n}", nine_days_later, deal_id=f"a-d{n}", region="east")
        for n in range(9)
    ]
    old = logged([*busy(NOON, "a"), *quiet])
    rig = Rig(redis, ticking, old)
    await rig.own_all()
    now_us = us(nine_days_later)
    await rig.tick(now_us)
    await rig.settle()
    assert standing_cells(rig) == set()
    for _ in range(4):
        assert rig.differences(now_us) == []
        now_us += 300_000_000
        await rig.tick(now_us)
        await rig.settle()
