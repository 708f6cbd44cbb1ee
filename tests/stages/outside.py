"""What the stages meet: topics in memory that lose sends, and a Redis that fails when told to."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from stream_app.agents.table_state import TableState
from stream_app.stages.ports import OutRecord
from stream_app.state.errors import Kind, StoreUnavailable
from stream_app.state.partition import PartitionState
from stream_app.state.tables import StateTable
from stream_app.transport.errors import BrokerUnavailable
from stream_app.transport.publisher import partition_of

EVENTS, PARTIALS, VALUES, DEAD = "crm.events", "kpi.partials", "kpi.values", "crm.dead-letters"
EXPERIMENTS = "kpi.experiments"
ALERTS = "kpi.alerts"
PARTIALS_PARTITIONS = 2


class Sent(NamedTuple):
    """A record as a partition of a topic in memory holds it."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


@dataclass
class Topics:
    """Topics that can lose an acknowledgement, or a whole send."""

    logs: dict[tuple[str, int], list[Sent]] = field(default_factory=dict)
    now_ms: int = 0
    faults: list[str] = field(default_factory=list)

    async def publish(self, records: Sequence[OutRecord]) -> None:
        """Append them. The next fault: `lost` appends nothing, `unacknowledged` some of it."""
        fault = self.faults.pop() if self.faults and records else None
        if fault == "unacknowledged":
            records = records[: (len(records) + 1) // 2]
        if fault != "lost":
            for record in records:
                partition = record.partition
                if partition is None:
                    partition = partition_of(record.key, PARTIALS_PARTITIONS)
                log = self.logs.setdefault((record.topic, partition), [])
                log.append(
                    Sent(len(log), self.now_ms, record.key, record.value, tuple(record.headers))
                )
        if fault is not None:
            raise BrokerUnavailable(["in-memory:0"], "sending", fault)

    def of(self, topic: str, partition: int) -> list[Sent]:
        """One partition's log."""
        return self.logs.get((topic, partition), [])

    def all(self, topic: str) -> Iterator[Sent]:
        """All records of a topic."""
        for (name, _), log in self.logs.items():
            if name == topic:
                yield from log

    def standing(self, topic: str = VALUES) -> dict[bytes, bytes]:
        """What a topic says last, by key."""
        latest = {record.key: record.value for record in self.all(topic) if record.key is not None}
        return {key: value for key, value in latest.items() if value is not None}

    def ends(self) -> dict[tuple[str, int], int]:
        """How long every log is."""
        return {tp: len(log) for tp, log in self.logs.items()}


class Shaky(TableState):
    """A state whose next operation of a kind fails, as if Redis were away."""

    def __init__(
        self, state: PartitionState, tables: dict[str, StateTable], faults: list[str]
    ) -> None:
        super().__init__(state, tables)
        self._faults = faults

    def _may_fail(self, kind: str) -> None:
        if self._faults and self._faults[-1] == kind:
            self._faults.pop()
            raise StoreUnavailable(Kind.CONNECTION, "in-test:0")

    async def prefetch(self, table: str, keys: Iterable[bytes]) -> None:
        self._may_fail("read")
        await super().prefetch(table, keys)

    async def prefetch_groups(
        self, table: str, groups: Sequence[bytes]
    ) -> dict[bytes, dict[bytes, bytes]]:
        if groups:
            self._may_fail("read")
        return await super().prefetch_groups(table, groups)

    async def commit(
        self,
        expected_offset: int | None,
        next_offset: int,
        meta: Mapping[str, str | int] | None = None,
        outbox: Mapping[bytes, bytes] | None = None,
    ) -> None:
        self._may_fail("commit")
        await super().commit(expected_offset, next_offset, meta, outbox)

    async def acknowledge(self, sent: Mapping[bytes, int]) -> int:
        self._may_fail("acknowledge")
        return await super().acknowledge(sent)
