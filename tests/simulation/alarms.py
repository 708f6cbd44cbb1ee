"""`kpi.alerts` as a subscriber hears it, and as it would have been without any fault.

An alert is moved by the records of its partition of `kpi.partials` alone, in their order. So what
was told through kills, zombies and rebalances must be what one worker makes of the same records in
peace: each transition once, in the same order, with the same ids. Where Redis forgot what was told,
or compaction took a tick before it was read, only the end is certain.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import faust
import msgspec

from stream_app.agents.table_state import TableState
from stream_app.domain.placement import partition_of_scope
from stream_app.stages.alert_outbox import OUTBOX
from stream_app.stages.evaluating import EvaluatingStage
from stream_app.state.claims import Claims
from stream_app.state.partition import PartitionState
from stream_app.state.tables import StateTable
from stream_app.topology import EVALUATE_TABLES
from stream_app.transport.log_facts import LogFacts
from stream_app.wire.alert import AlertKey
from tests.simulation.company import (
    NAMESPACE,
    PARTIALS,
    PARTIALS_PARTITIONS,
    SimulatedCompany,
    no_alerts,
)
from tests.simulation.kafka import Stored
from tests.simulation.redis_server import DirectClient, RedisServer

_app: Final = faust.App("in-peace", broker="kafka://127.0.0.1:1", autodiscover=False)


class Told(msgspec.Struct, frozen=True):
    """What a record of `kpi.alerts` says."""

    id: str
    state: str
    previous: str


_LOOK_S: Final = 0.1
"""How long it takes at most from a look at the topic to the send."""

_decode: Final = msgspec.json.Decoder(Told).decode


class Listener:
    """Reads `kpi.alerts`: every change has an id of its own, and begins where the last one ended.

    Who does not hear whether a send arrived asks the topic and repeats what is not there; that send
    may still arrive after the question. So a change may be told once more with the same id by who
    sent before the first one arrived. Where time stands still the same change can come about
    again, and begins where the last one ended like any other.

    Attributes:
        ids: key → ids in the order in which they were told, and when each first arrived.
        last: key → what was told last, repeats included; None: it was taken back.
    """

    def __init__(self) -> None:
        self.ids: dict[bytes, dict[str, float]] = {}
        self.last: dict[bytes, Told | None] = {}

    def read(self, record: Stored, *, sent_s: float, arrived_s: float) -> str | None:
        """Take in the next record; what is wrong with it."""
        key = record.key or b""
        if record.value is None:
            self.last[key] = None
            return None
        told = _decode(record.value)
        known = self.ids.setdefault(key, {})
        before = self.last.get(key)
        self.last[key] = told
        stood = "ok" if before is None else before.state
        if told.id in known and told.previous != stood:
            could_be_seen = known[told.id] + _LOOK_S < sent_s
            again = f"{key.decode()}: its change to {told.state} is told again"
            return again if could_be_seen else None
        known.setdefault(told.id, arrived_s)
        if told.previous != stood:
            return f"{key.decode()} goes from {told.previous} to {told.state}, and was {stood}"
        return None


async def in_peace(
    company: SimulatedCompany, partition: int, records: Sequence[Stored], rebuild_until: int
) -> Mapping[bytes, list[str]]:
    """Key → ids of the transitions that the records of a partition make, in their order."""
    tp = (PARTIALS, partition)
    claims = Claims(DirectClient(RedisServer()), {PARTIALS: NAMESPACE})
    tables = {
        name: StateTable(_app, name=name, claims=claims, topic=PARTIALS) for name in EVALUATE_TABLES
    }
    facts = LogFacts(0, rebuild_until, PARTIALS_PARTITIONS, "1")
    state = await claims.claim(tp, defaults=facts.pins)
    stage = EvaluatingStage(
        TableState(state, tables),
        replace(company.plan, alerts=replace(company.plan.alerts, log=no_alerts)),
        publish=_publish,
        patiently=_at_once,
        wall_clock_us=lambda: 0,
    )
    await stage.begin()
    await stage.take(records, records[-1].offset + 1)
    return _made(state)


def partition_of_alert(key: bytes) -> int | None:
    """The partition of `kpi.partials` that moves an alert."""
    alert = AlertKey.parse(key)
    return None if alert is None else partition_of_scope(alert.scope, PARTIALS_PARTITIONS)


def _made(state: PartitionState) -> dict[bytes, list[str]]:
    made: dict[bytes, list[str]] = {}
    for name in sorted(name for name in state.outbox if name.startswith(OUTBOX)):
        key, value = msgspec.msgpack.decode(state.outbox[name].partition(b":")[2])
        if value is not None:
            made.setdefault(key, []).append(_decode(value).id)
    return made


async def _publish(_records: object) -> None:
    """Nobody listens in peace: what is made stays in the outbox."""


async def _at_once(do: Callable[[], Awaitable[None]]) -> None:
    await do()
