"""Where others had a word in `kpi.alerts`, it comes to say what is remembered."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from stream_app.domain.placement import partition_of_scope
from stream_app.stages.ports import OutRecord
from stream_app.stages.standing import Standing
from stream_app.state.client import Client
from stream_app.state.errors import Fenced
from tests.stages.alerts import (
    KEY,
    MINUTE,
    RATE,
    changes,
    company_with,
    fall_below,
    ids,
    recover,
)
from tests.stages.held import Held
from tests.stages.outside import ALERTS, PARTIALS_PARTITIONS
from tests.stages.rig import Rig
from tests.stages.told import NOON, us


def others_say(rig: Rig, key: str, state: str, previous: str) -> OutRecord:
    """What another state version tells of an alert of ours, as it would look."""
    of_key = (r.value for r in rig.topics.all(ALERTS) if r.key == key.encode() and r.value)
    body = msgspec.json.decode(next(of_key))
    body |= {"id": f"theirs-{state}", "state": state, "previous": previous}
    return OutRecord(ALERTS, key.encode(), msgspec.json.encode(body))


async def get_the_word(rig: Rig, reign: int) -> None:
    rig.reign = reign
    await rig.settle()


@pytest.mark.parametrize(
    ("theirs", "mended"),
    [
        (("resolved", "firing"), [("firing", "resolved")]),
        (("achieved", "firing"), [("firing", "achieved")]),
        (("firing", "firing"), []),
    ],
)
async def test_what_another_version_told_last_is_mended_when_it_loses_the_word(
    redis: Client, tmp_path: Path, theirs: tuple[str, str], mended: list[tuple[str, str]]
) -> None:
    rig = Rig(redis, company_with(tmp_path, RATE), [])
    await rig.own_all()
    await rig.tick(us(NOON))
    await fall_below(rig)
    await rig.topics.publish([others_say(rig, KEY, *theirs)])
    told_before = changes(rig)

    await get_the_word(rig, 2)

    news = changes(rig, "state", "previous", "value", "start")[len(told_before) :]
    assert news == [(KEY, *change, 0.2, "2026-03-01T00:00:00+01:00") for change in mended]
    assert len(set(ids(rig))) == len(ids(rig))
    await get_the_word(rig, 3)
    assert len(changes(rig)) == len(told_before) + len(mended)


async def test_what_fires_only_for_another_version_is_ended_and_taken_back(
    redis: Client, tmp_path: Path
) -> None:
    rig = Rig(redis, company_with(tmp_path, RATE), [])
    await rig.own_all()
    await rig.tick(us(NOON))
    await fall_below(rig)
    told_before = changes(rig)
    of_nobody = KEY.replace("emea", "sold")
    theirs = others_say(rig, KEY, "firing", "ok")._replace(key=of_nobody.encode())
    await rig.topics.publish([theirs])

    await get_the_word(rig, 2)

    assert changes(rig, "state", "previous")[len(told_before) + 1 :] == [
        (of_nobody, "resolved", "firing"),
        (of_nobody, None),
    ]


async def test_changes_made_in_silence_are_told_as_one_where_they_continue_nothing(
    redis: Client, tmp_path: Path
) -> None:
    rig = Rig(redis, company_with(tmp_path, RATE), [])
    await rig.own_all()
    await rig.tick(us(NOON))
    await rig.settle()
    rig.reign = None  # type: ignore[assignment] # another version speaks
    await fall_below(rig)
    await recover(rig, NOON + 20 * MINUTE)
    assert changes(rig) == []
    fired = {"id": "theirs", "state": "firing", "previous": "ok"}
    fired |= {"start": "2026-03-01T00:00:00+01:00", "since": "2026-03-04T11:00:00Z"}
    await rig.topics.publish([OutRecord(ALERTS, KEY.encode(), msgspec.json.encode(fired))])

    await get_the_word(rig, 2)

    assert changes(rig, "state", "previous")[1:] == [(KEY, "resolved", "firing")]
    assert not any(stage._state.outbox for stage in rig.evaluators.values())


async def test_a_zombie_mends_nothing(redis: Client, tmp_path: Path) -> None:
    rig = Rig(redis, company_with(tmp_path, RATE), [])
    await rig.own_all()
    await rig.tick(us(NOON))
    await fall_below(rig)
    zombies = dict(rig.evaluators)
    for partition in range(PARTIALS_PARTITIONS):
        await rig.own_scopes(partition)
    await recover(rig, NOON + 20 * MINUTE)
    said = changes(rig)

    rig.reign = 2
    for stage in zombies.values():
        await stage.speaker.look(Standing(PARTIALS_PARTITIONS), 2)
        with pytest.raises(Fenced):
            await stage.speaker.flush()

    assert changes(rig) == said


async def test_what_a_zombie_mends_too_late_does_not_stay_the_last_word(
    redis: Client, tmp_path: Path
) -> None:
    rig = Rig(redis, company_with(tmp_path, RATE), [])
    await rig.own_all()
    await rig.tick(us(NOON))
    await fall_below(rig)
    await rig.topics.publish([others_say(rig, KEY, "resolved", "firing")])
    partition = partition_of_scope("team|emea", PARTIALS_PARTITIONS)
    zombie = rig.evaluators[partition]
    await rig.look(partition)
    held = Held(rig, zombie)
    mending = asyncio.create_task(zombie.speaker.flush())
    await held.waits.wait()
    for each in range(PARTIALS_PARTITIONS):
        await rig.own_scopes(each)
    await recover(rig, NOON + 20 * MINUTE)
    assert changes(rig, "state")[-1] == (KEY, "resolved")

    held.goes_on.set()
    with pytest.raises(Fenced):
        await mending
    assert changes(rig, "state")[-1] == (KEY, "firing"), "it came last"
    await rig.topics.publish(zombie.farewell())
    await rig.settle()

    assert changes(rig, "state", "previous")[-1] == (KEY, "resolved", "firing")
