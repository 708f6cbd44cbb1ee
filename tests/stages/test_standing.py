"""What others left in `kpi.values`: said again, or taken back, whoever they were."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from stream_app.company import Company, load_company
from stream_app.domain.placement import partition_of_scope
from stream_app.simulate import matching_configuration
from stream_app.stages.ports import OutRecord
from stream_app.stages.standing import Standing
from stream_app.state.client import Client
from stream_app.transport.errors import BrokerUnavailable
from tests.stages.company import HISTORY, OPTIONS, log
from tests.stages.outside import PARTIALS_PARTITIONS, VALUES
from tests.stages.rig import Rig
from tests.stages.told import NOON, lead, logged, us

DAY_US = 86_400_000_000


def changed(directory: Path, **sections: Any) -> Company:
    """The company of these tests with other sections; `business` is added to."""
    content = matching_configuration(OPTIONS)
    content["business"] |= sections.pop("business", {})
    content["dimensions"] = ["team", "rep"]
    content["windows"] = ["day", "week", "month", "quarter", "year", "7d"]
    content["history"] = HISTORY
    content["kpis"] = {"wins_per_lead": {"formula": "deals_won / leads", "unit": "ratio"}}
    path = directory / "changed.yaml"
    path.write_text(yaml.safe_dump(content | sections))
    return load_company(path)


async def restarted(rig: Rig, company: Company) -> None:
    """The same rig, whose worker was started again with another configuration."""
    assert company.state_version == rig.company.state_version
    rig.company, rig.config = company, company.config
    await rig.own_all()


EVENT_CLOCK = {"business": {"clock": "event"}}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (EVENT_CLOCK, EVENT_CLOCK | {"windows": ["day", "month"]}),
        (EVENT_CLOCK, EVENT_CLOCK | {"history": {"day": 1, "week": 0, "month": 1, "quarter": 0}}),
        (EVENT_CLOCK, EVENT_CLOCK | {"kpis": {}}),
        (EVENT_CLOCK, {"business": {"clock": "event", "fiscal_year_starts": "february"}}),
        (EVENT_CLOCK, {"business": {"clock": "event", "week_starts": "sunday"}}),
        (EVENT_CLOCK, {"business": {"as_of": "2026-02-10"}}),
        ({"business": {"as_of": "2026-02-10"}}, {"business": {"as_of": "2026-02-24"}}),
        ({"business": {"as_of": "2027-12-31"}}, EVENT_CLOCK),
    ],
    ids=[
        *("windows removed", "a shorter history", "a KPI removed", "another fiscal year"),
        *("another first day of the week", "an earlier day fixed", "another day fixed"),
        "a far day fixed no more",
    ],
)
async def test_a_changed_configuration_leaves_nothing_behind_without_a_new_record(
    redis: Client, tmp_path: Path, before: dict[str, Any], after: dict[str, Any]
) -> None:
    rig = Rig(redis, changed(tmp_path, **before), log())
    await rig.own_all()
    await rig.settle()
    assert rig.differences() == []

    await restarted(rig, changed(tmp_path, **after))
    await rig.settle()
    assert rig.differences() == []


async def test_a_clock_that_was_far_ahead_does_not_hold_the_wall_clock_up(
    redis: Client, tmp_path: Path
) -> None:
    rig = Rig(redis, changed(tmp_path, business={"as_of": "2027-12-31"}), log())
    await rig.own_all()
    await rig.settle()

    await restarted(rig, changed(tmp_path))
    now_us = us(NOON)
    await rig.tick(now_us)
    await rig.settle()

    assert rig.differences(now_us) == []


async def test_what_a_zombie_said_late_does_not_stay_the_last_word(
    redis: Client, ticking: Company
) -> None:
    rig = Rig(redis, ticking, log())
    await rig.own_all()
    now_us = us(NOON)
    await rig.tick(now_us)
    await rig.settle()
    zombies_words = [
        OutRecord(VALUES, record.key, record.value) for record in rig.topics.all(VALUES)
    ]
    for days in (1, 40):
        now_us += days * DAY_US
        await rig.tick(now_us)
        await rig.settle()
    for partition in range(PARTIALS_PARTITIONS):
        await rig.own_scopes(partition)
        while await rig.flush(partition):
            pass

    # Values that were changed, records that are gone, and the end of some that are there.
    await rig.topics.publish(zombies_words)
    standing = list(rig.topics.standing())
    await rig.topics.publish([OutRecord(VALUES, key, None) for key in standing[::7]])
    assert rig.compared(now_us).by_key
    await rig.settle()

    assert rig.compared(now_us).by_key == {}


async def test_a_member_that_no_state_knows_is_taken_back_and_foreign_keys_are_left_alone(
    redis: Client, dated: Company
) -> None:
    rig = Rig(redis, dated, log())
    strange = [b"revenue|month|now|segment|large", b"revenue|month|now|rep|nobody"]
    foreign = [b"no key of ours", b"\xff|month|now|rep|x", b"a|b|c|d|e|f"]
    stands = msgspec.json.encode({"revision": 5})
    await rig.topics.publish([OutRecord(VALUES, key, stands) for key in (*strange, *foreign)])

    await rig.own_all()
    await rig.settle()

    assert rig.topics.standing().keys().isdisjoint(strange)
    assert rig.topics.standing().keys() >= set(foreign)


async def test_a_lost_tombstone_is_sent_again(redis: Client, dated: Company) -> None:
    rig = Rig(redis, dated, log())
    await rig.own_all()
    await rig.settle()
    strange = b"revenue|month|now|segment|large"
    await rig.topics.publish([OutRecord(VALUES, strange, msgspec.json.encode({"revision": 5}))])
    partition = partition_of_scope("segment|large", PARTIALS_PARTITIONS)
    await rig.look(partition)
    rig.topics.faults.append("lost")
    with pytest.raises(BrokerUnavailable):
        await rig.flush(partition)

    await rig.settle()

    assert strange not in rig.topics.standing()


async def test_in_a_new_reign_nothing_is_said_before_a_look_and_then_above_all_that_stands(
    redis: Client, ticking: Company
) -> None:
    rig = Rig(redis, ticking, logged([lead("a", NOON)]))
    await rig.own_all()
    await rig.tick(us(NOON))
    await rig.settle()
    far_ahead = us(NOON) // 1_000 + 5_000_000
    key = b"leads|month|2026-03-01T00:00:00%2B01:00|company|all"
    assert key in rig.topics.standing()
    theirs = msgspec.json.encode({"revision": far_ahead})
    await rig.topics.publish([OutRecord(VALUES, key, theirs)])

    rig.reign = 7
    said = len(list(rig.topics.all(VALUES)))
    for partition in range(PARTIALS_PARTITIONS):
        assert rig.evaluators[partition].speaker.must_look
        assert await rig.flush(partition) is None
    await rig.settle()

    news = list(rig.topics.all(VALUES))[said:]
    assert news
    assert key in {record.key for record in news}
    revisions = [msgspec.json.decode(r.value)["revision"] for r in news if r.value]
    assert min(revisions) > us(NOON) // 1_000
    assert max(revisions) > far_ahead
    assert rig.compared(us(NOON)).by_key == {}


def test_every_standing_record_belongs_to_one_partition() -> None:
    standing = Standing(3)
    for scope in ("team|emea", "rep|r-1", "source+technique|web+free%2Btrial"):
        key = f"leads|day|now|{scope}".encode()
        standing.add_value(key, b'{"revision":3}')
        standing.add_value(key, b'{"revision":4}')
        assert [standing.of(p).get(scope) for p in range(3)].count({key: 4}) == 1
        standing.add_value(key, None)
        assert all(not standing.of(p)[scope] for p in range(3) if scope in standing.of(p))
    standing.add_value(None, b"{}")
    standing.add_value(b"leads|day|now|team|amer", b"not JSON")
    assert {0} == {r for p in range(3) for r in standing.of(p).get("team|amer", {}).values()}
