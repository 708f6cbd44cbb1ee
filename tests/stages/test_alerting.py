"""Alerts in stage two: each transition once, whoever dies, however the log is cut."""

import random
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from stream_app.company import Company, load_company
from stream_app.simulate import matching_configuration
from stream_app.state.client import Client
from stream_app.state.errors import StoreUnavailable
from stream_app.transport.errors import BrokerUnavailable
from tests.stages.company import HISTORY, OPTIONS, SOURCES
from tests.stages.rig import ALERTS, PARTIALS_PARTITIONS, Rig
from tests.stages.told import NOON, Told, logged, told, us

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
RATE: dict[str, Any] = {
    "name": "win-rate-team",
    "kpi": "win_rate",
    "window": "month",
    "dimension": "team",
    "at_least": 0.25,
    "for": "10m",
    "min_sample": 4,
}
REVENUE: dict[str, Any] = {
    "name": "revenue-rep",
    "kpi": "revenue",
    "window": "week",
    "dimension": "rep",
    "at_least": 1000,
    "repeat_misses": 2,
}
FAULTS = 0.15
KEY = "win-rate-team|level|team|emea"


def company_with(directory: Path, *targets: dict[str, Any], **business: Any) -> Company:
    content = matching_configuration(OPTIONS)
    content["business"] |= business  # type: ignore[operator]
    content["dimensions"] = ["team", "rep", ["source", "technique"]]
    content["windows"] = ["hour", "day", "week", "month", "30d"]
    content["history"] = HISTORY
    content["targets"] = [dict(target) for target in targets]
    path = directory / "company.yaml"
    path.write_text(yaml.safe_dump(content))
    return load_company(path)


def closed(number: int, at: datetime, result: str, **data: Any) -> list[Told]:
    """A deal of emea's that is won or lost."""
    name = f"deal-{number}"
    return [
        told("deal.created", name, at, deal_id=name, amount="100", rep="r-01", team="emea", **data),
        told(f"deal.{result}", name, at, deal_id=name),
    ]


def changes(rig: Rig, *fields: str) -> list[Any]:
    """Every record of kpi.alerts, in the order of each partition."""
    found = []
    for record in rig.topics.all(ALERTS):
        key = (record.key or b"").decode()
        if record.value is None:
            found.append((key, None))
            continue
        body = msgspec.json.decode(record.value)
        found.append((key, *(body[field] for field in fields or ("state", "reason"))))
    return found


def ids(rig: Rig) -> list[str]:
    return [
        msgspec.json.decode(r.value)["id"] for r in rig.topics.all(ALERTS) if r.value is not None
    ]


def state_beside(rig: Rig) -> Any:
    key = b"win_rate|month|2026-03-01T00:00:00%2B01:00|team|emea"
    return msgspec.json.decode(rig.topics.standing()[key])["targets"]


async def caught_up(rig: Rig) -> None:
    """Everything is counted and published; the clock stands where it is."""
    await rig.settle()


async def fall_below(rig: Rig, at: datetime = NOON) -> None:
    """Emea loses three deals of four, and ten minutes pass."""
    records = [r for n in range(3) for r in closed(n, at, "lost")]
    rig.extend(logged([*records, *closed(3, at, "won"), *closed(4, at, "lost")]))
    await caught_up(rig)
    for minutes in (1, 2, 11, 12):
        await rig.tick(us(at + minutes * MINUTE))
        await caught_up(rig)


async def recover(rig: Rig, at: datetime) -> None:
    before = [record for log in rig.log for record in log]
    won = [r for n in range(10, 14) for r in closed(n, at, "won")]
    rig.extend(logged(won, before))
    await caught_up(rig)
    await rig.tick(us(at + MINUTE))
    await caught_up(rig)


async def test_a_team_falls_below_its_target_and_comes_back(redis: Client, tmp_path: Path) -> None:
    rig = Rig(redis, company_with(tmp_path, RATE), [])
    await rig.own_all()
    await rig.tick(us(NOON))
    await fall_below(rig)

    assert changes(rig) == [(KEY, "pending", "below_target"), (KEY, "firing", "below_target")]
    assert state_beside(rig) == [
        {"name": "win-rate-team", "value": 0.25, "attainment": 0.8, "state": "firing"}
    ]

    await recover(rig, NOON + 20 * MINUTE)

    assert changes(rig)[2:] == [(KEY, "resolved", "recovered")]
    assert state_beside(rig)[0]["state"] == "resolved"
    assert rig.differences(us(NOON + 21 * MINUTE)) == []


async def test_the_record_is_the_contracts(redis: Client, tmp_path: Path) -> None:
    rig = Rig(redis, company_with(tmp_path, RATE), [])
    await rig.own_all()
    await rig.tick(us(NOON))
    await fall_below(rig)

    (_, firing) = [msgspec.json.decode(r.value or b"") for r in rig.topics.all(ALERTS)]

    assert {k: v for k, v in firing.items() if k not in ("id", "explain")} == {
        "v": 1,
        "target": "win-rate-team",
        "kind": "level",
        "kpi": "win_rate",
        "window": "month",
        "start": "2026-03-01T00:00:00+01:00",
        "dimension": "team",
        "member": "emea",
        "state": "firing",
        "previous": "pending",
        "reason": "below_target",
        "value": 0.2,
        "threshold": 0.25,
        "expected_by_now": None,
        "since": "2026-03-02T12:11:00Z",
        "severity": "warning",
        "sample": 5,
    }
    assert firing["explain"] == "stream-app explain --alert win-rate-team --member emea"


async def test_too_small_a_sample_alarms_nobody(redis: Client, tmp_path: Path) -> None:
    rig = Rig(redis, company_with(tmp_path, RATE | {"min_sample": 6}), [])
    await rig.own_all()
    await rig.tick(us(NOON))
    await fall_below(rig)

    assert changes(rig) == []


async def test_while_the_state_is_rebuilt_nothing_is_told(redis: Client, tmp_path: Path) -> None:
    rig = Rig(redis, company_with(tmp_path, RATE | {"for": "0s"}), [])
    rig.rebuild_until = 1_000
    await rig.own_all()
    await rig.tick(us(NOON))
    await fall_below(rig)

    assert changes(rig) == []


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


@pytest.mark.parametrize("loses_redis", [False, True], ids=["restart", "empty Redis"])
async def test_a_target_that_is_gone_leaves_no_alert_behind(
    redis: Client, tmp_path: Path, *, loses_redis: bool
) -> None:
    rig = Rig(redis, company_with(tmp_path, RATE), [])
    await rig.own_all()
    await rig.tick(us(NOON))
    await fall_below(rig)

    rig.company = company_with(tmp_path, REVENUE)
    if loses_redis:
        await redis.flushdb()
    await rig.own_all()
    await rig.settle()
    await rig.tick(us(NOON + 13 * MINUTE))
    await rig.settle()

    assert changes(rig)[2:] == [(KEY, "resolved", "recovered"), (KEY, None)]
    assert len(set(ids(rig))) == len(ids(rig)) == 3
    assert state_beside(rig) == []
    assert rig.differences(us(NOON + 13 * MINUTE)) == []


async def test_a_member_that_is_not_counted_any_more_leaves_no_alert_behind(
    redis: Client, tmp_path: Path
) -> None:
    rig = Rig(redis, company_with(tmp_path, RATE | {"window": "30d", "for": "0s"}), [])
    await rig.own_all()
    await rig.tick(us(NOON))
    await fall_below(rig)
    for days in (29, 30, 31, 62):
        await rig.tick(us(NOON + days * DAY))
        await rig.settle()

    assert changes(rig) == [
        (KEY, "firing", "below_target"),
        (KEY, "resolved", "recovered"),
        (KEY, None),
    ]


async def test_a_changed_target_takes_effect_with_the_next_start(
    redis: Client, tmp_path: Path
) -> None:
    rig = Rig(redis, company_with(tmp_path, RATE), [])
    await rig.own_all()
    await rig.tick(us(NOON))
    await fall_below(rig)

    rig.company = company_with(tmp_path, RATE | {"at_least": 0.15})
    await rig.own_all()
    await rig.tick(us(NOON + 13 * MINUTE))
    await rig.settle()

    assert changes(rig)[2:] == [(KEY, "resolved", "recovered")]
    assert state_beside(rig)[0]["value"] == 0.15
    assert rig.company.state_version == company_with(tmp_path, RATE).state_version


async def test_missed_weeks_are_told_to_the_coach(redis: Client, tmp_path: Path) -> None:
    rig = Rig(redis, company_with(tmp_path, REVENUE), [])
    await rig.own_all()
    script = [(0, 1), (1, 1), (2, 11), (3, 0)]  # week after week, how many deals of 100
    for week, deals in script:
        monday = NOON + timedelta(weeks=week)
        before = [record for log in rig.log for record in log]
        told_now = [r for n in range(deals) for r in closed(week * 100 + n, monday, "won")]
        rig.extend(logged(told_now, before))
        await rig.tick(us(monday))
        await rig.settle()
        await rig.tick(us(monday + MINUTE))
        await rig.settle()

    coaching = "revenue-rep|coaching|rep|r-01"
    level = "revenue-rep|level|rep|r-01"
    told_by_key = [(key, *rest) for key, *rest in changes(rig)]
    assert [each for each in told_by_key if each[0] == coaching] == [
        (coaching, "firing", "missed_repeatedly"),
        (coaching, "resolved", "recovered"),
    ]
    assert (level, "firing", "below_target") in told_by_key
    commands = {key: command for key, command in changes(rig, "explain") if key == coaching}
    assert commands == {
        coaching: "stream-app report --window week --dimension rep --member r-01 --coaching"
    }


async def test_a_fixed_now_needs_no_ticks_and_waits_for_nothing(
    redis: Client, tmp_path: Path
) -> None:
    rig = Rig(redis, company_with(tmp_path, RATE, as_of="2026-03-02"), [])
    await rig.own_all()
    rig.extend(logged([r for n in range(5) for r in closed(n, NOON, "lost")]))
    await rig.settle()
    await recover(rig, NOON)

    assert [state for _, state, _ in changes(rig)] == ["firing", "resolved"]
    assert len(set(ids(rig))) == 2


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


async def test_coverage_follows_the_target_and_is_proven(redis: Client, tmp_path: Path) -> None:
    target = {"name": "r", "kpi": "revenue", "window": "month", "dimension": "team"}
    rig = Rig(redis, company_with(tmp_path, target | {"at_least": 400}), [])
    await rig.own_all()
    open_deal = told(
        "deal.created",
        "open",
        NOON,
        deal_id="open",
        amount="600",
        team="emea",
        expected_close_on="2026-03-20",
    )
    rig.extend(logged([*closed(1, NOON, "won"), open_deal]))
    await rig.settle()
    await rig.tick(us(NOON + MINUTE))
    await rig.settle()

    key = b"pipeline_coverage|month|2026-03-01T00:00:00%2B01:00|team|emea"
    assert msgspec.json.decode(rig.topics.standing()[key])["value"] == 2.0
    assert rig.differences(us(NOON + MINUTE)) == []

    rig.company = company_with(tmp_path, RATE)
    await rig.own_all()
    await rig.tick(us(NOON + 2 * MINUTE))
    await rig.settle()

    assert key not in rig.topics.standing()
    assert rig.differences(us(NOON + 2 * MINUTE)) == []
