"""Alerts in stage two: what is told of targets that are missed and reached."""

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from stream_app.state.client import Client
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
from tests.stages.outside import ALERTS
from tests.stages.rig import Rig
from tests.stages.told import NOON, logged, told, us


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
