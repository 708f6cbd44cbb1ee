"""A partition's state as the stages use it: rows through Faust tables, the commit through Redis."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

from stream_app.state.partition import PartitionState
from stream_app.state.tables import StateTable


class TableState:
    """Implements `stages.ports.State` over a `PartitionState` and the Faust tables of its topic.

    A table shows the rows of whichever claim this worker holds now. So every access asks first
    whether that is still ours: a stage that a rebalance overtook in the middle of a batch must be
    fenced, and never read or write in its successor's batch.
    """

    def __init__(self, state: PartitionState, tables: Mapping[str, StateTable]) -> None:
        self._state = state
        self._tables = tables
        self.topic = state.topic
        self.partition = state.partition

    @property
    def meta(self) -> Mapping[str, str]:
        """The committed meta fields."""
        return self._state.meta

    @property
    def outbox(self) -> Mapping[bytes, bytes]:
        """What was committed and not yet acknowledged."""
        return self._state.outbox

    @property
    def offset(self) -> int | None:
        """The committed offset, None when nothing was ever committed."""
        return self._state.offset

    @property
    def log_end(self) -> int:
        """Where the log ended when the partition was claimed."""
        return self._state.log_end

    async def prefetch(self, table: str, keys: Iterable[bytes]) -> None:
        """Read rows so that `get` knows them."""
        await self._state.prefetch(table, keys)

    async def prefetch_groups(
        self, table: str, groups: Sequence[bytes]
    ) -> dict[bytes, dict[bytes, bytes]]:
        """Read all rows of groups."""
        return await self._state.prefetch_groups(table, groups)

    def scan(self, table: str) -> AsyncIterator[tuple[bytes, bytes]]:
        """Every committed row of a table."""
        return self._state.scan(table)

    def get(self, table: str, key: bytes) -> bytes | None:
        """A row read before, or written and not yet committed."""
        self._state.require_held()
        return self._tables[table].get((self.partition, key))

    def put(self, table: str, key: bytes, value: bytes | None) -> None:
        """Write a row with the next commit; None deletes it."""
        self._state.require_held()
        if value is not None:
            self._tables[table][self.partition, key] = value
        else:  # a table's `del` wants to know the row first
            self._state.put(table, key, None)

    def put_all(self, table: str, rows: Mapping[bytes, bytes | None]) -> None:
        """Write many rows with the next commit; None deletes one."""
        self._state.require_held()
        self._tables[table].assign_all(self.partition, rows)

    def put_group(self, table: str, group: bytes, field: bytes, value: bytes | None) -> None:
        """Write a row of a group with the next commit; None deletes it."""
        self._state.require_held()
        if value is not None:
            self._tables[table][self.partition, group, field] = value
        else:
            self._state.put_group(table, group, field, None)

    def discard(self) -> None:
        """Forget what was written and not committed, and what was read."""
        self._state.discard()

    async def commit(
        self,
        expected_offset: int | None,
        next_offset: int,
        meta: Mapping[str, str | int] | None = None,
        outbox: Mapping[bytes, bytes] | None = None,
    ) -> None:
        """Change everything at once, or nothing."""
        await self._state.commit(expected_offset, next_offset, meta, outbox)

    async def acknowledge(self, sent: Mapping[bytes, int]) -> int:
        """Clear outbox entries whose version is still the one that was sent."""
        return await self._state.acknowledge(sent)
