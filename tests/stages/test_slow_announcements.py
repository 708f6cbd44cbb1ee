"""What may change while a stage waits for Kafka, between having something to say and saying it."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from stream_app.stages.ports import OutRecord
from stream_app.state.client import Client
from stream_app.wire.partial import REVISION, decode_control, parse_key
from stream_app.wire.published import decode_published
from tests.stages.company import log
from tests.stages.outside import PARTIALS, PARTIALS_PARTITIONS, VALUES
from tests.stages.rig import Rig
from tests.stages.test_standing import EVENT_CLOCK, changed

HOURS_US = 7 * 3_600_000_000


def announcements(records: Sequence[OutRecord]) -> list[int]:
    """The limits among records of `kpi.partials`."""
    return [
        decode_control(record.value).version
        for record in records
        if record.key is not None and record.value is not None
        if record.topic == PARTIALS and parse_key(record.key).scope == REVISION
    ]


@pytest.fixture
def rig(redis: Client, tmp_path: Path) -> Rig:
    return Rig(redis, changed(tmp_path, **EVENT_CLOCK), log())


def listen(rig: Rig, announced: Callable[[int], None]) -> list[OutRecord]:
    """All that is said from now on; `announced` is called while a limit is on its way."""
    publish, said = rig.topics.publish, []

    async def heard(records: Sequence[OutRecord]) -> None:
        for limit in announcements(records):
            announced(limit)
        await publish(records)
        said.extend(records)

    rig.topics.publish = heard  # type: ignore[method-assign]
    return said


async def test_no_revision_is_used_that_was_not_announced_however_long_that_took(rig: Rig) -> None:
    limits: list[int] = []

    def announced(limit: int) -> None:
        if len(limits) < PARTIALS_PARTITIONS:
            rig.wall_us += HOURS_US
        limits.append(limit)

    said = listen(rig, announced)

    await rig.own_all()
    await rig.settle()

    values = [r for r in said if r.topic == VALUES and r.value is not None]
    used = [decode_published(record.value or b"").revision for record in values]
    assert used
    assert max(used) < max(limits)


async def test_who_lost_the_word_while_it_announced_revisions_says_nothing(rig: Rig) -> None:
    def announced(_limit: int) -> None:
        rig.reign = None  # type: ignore[assignment]

    said = listen(rig, announced)

    await rig.own_all()
    for partition in range(len(rig.log)):
        await rig.take(partition)
        while await rig.publish(partition):
            pass
    for partition in range(PARTIALS_PARTITIONS):
        while await rig.evaluate(partition):
            pass
        await rig.flush(partition)

    assert announcements(said)
    assert [record for record in said if record.topic == VALUES] == []
