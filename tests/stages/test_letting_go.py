"""What a stage kept in memory is gone when its claim is over: the stage itself has cycles."""

import gc
from collections import Counter

from stream_app.company import Company
from stream_app.domain.ledger import ThreadLedger
from stream_app.stages.scopes import LoadedScope
from stream_app.state.client import Client
from stream_app.wire.partial import Cell
from tests.stages.company import SOURCES, log
from tests.stages.outside import PARTIALS_PARTITIONS
from tests.stages.rig import Rig


def kept() -> Counter[type]:
    """How many of the objects that fill the caches are alive."""
    return Counter(
        type(each) for each in gc.get_objects() if type(each) in (ThreadLedger, Cell, LoadedScope)
    )


async def test_a_stage_whose_claim_is_over_keeps_nothing(redis: Client, replayed: Company) -> None:
    gc.collect()
    before = kept()
    rig = Rig(redis, replayed, log())
    await rig.own_all()
    for partition in range(SOURCES):
        while await rig.take(partition, 50):
            await rig.publish(partition)
    for partition in range(PARTIALS_PARTITIONS):
        while await rig.evaluate(partition):
            pass
    gc.disable()
    try:
        filled = kept()
        for stage in (*rig.measurers.values(), *rig.evaluators.values()):
            await stage.let_go()
        assert filled - before
        assert kept() - before == Counter()
    finally:
        gc.enable()
