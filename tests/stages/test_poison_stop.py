"""`poison: stop`: a bad record stops its partition before it, and nothing else."""

from dataclasses import replace

import pytest

from stream_app.company import Company
from stream_app.state.client import Client
from stream_app.verification.recompute import Recomputation
from tests.stages.company import SOURCES, Logged, log
from tests.stages.outside import EVENTS
from tests.stages.rig import Rig

BAD = b"{ this is no JSON"


def stopping(company: Company) -> Company:
    return replace(company, config=replace(company.config, poison_stop=True))


def only_good(company: Company, at: int) -> list[Logged]:
    """The simulated log without its own bad records, and with one in the first partition."""
    truth = Recomputation(company.config, company.catalogue, company.goals, company.working_days)
    kept: dict[int, list[Logged]] = {}
    for partition in range(SOURCES):
        truth.begin(partition, 0)
        kept[partition] = []
    for record in log():
        truth.add(record.partition, record)
        if (record.partition, record.offset) not in truth.dead_letters:
            kept[record.partition].append(record)
    kept[0].insert(at, replace(kept[0][0], value=BAD))
    return [
        replace(record, offset=offset)
        for records in kept.values()
        for offset, record in enumerate(records)
    ]


@pytest.mark.parametrize(("at", "size"), [(0, 10_000), (1, 1), (25, 10), (25, 10_000)])
async def test_a_partition_stops_before_its_bad_record_and_goes_on_when_it_may(
    redis: Client, replayed: Company, at: int, size: int
) -> None:
    rig = Rig(redis, replayed, only_good(replayed, at))
    rig.company = stopping(replayed)
    rig.config = rig.company.config
    await rig.own_all()
    for partition in range(SOURCES):
        while (summary := await rig.take(partition, size)) is not None and summary.dead:
            pass

    stop = rig.measurers[0].stopped
    assert stop is not None
    assert (stop.offset, stop.reason) == (at, "not_json")
    assert rig.read_of(EVENTS, 0) == at
    assert sum(rig.measurers[0].counts.values()) == at
    for partition in range(1, SOURCES):
        assert rig.measurers[partition].stopped is None
        assert rig.read_of(EVENTS, partition) == len(rig.log[partition])
    assert rig.dead_letters() == []

    rig.company, rig.config = replayed, replayed.config
    await rig.own_all()
    await rig.settle()
    assert rig.dead_letters() == [b"crm.events/0/%d" % at]
    assert rig.differences() == []
