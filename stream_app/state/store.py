"""Faust's store driver for `redis://`: a table's rows are those of the claimed partitions.

The driver holds no connection and no rows of its own. Reads see what the batch prefetched, writes
join the batch, and the batch's commit makes them durable together with the source offset. So there
is no changelog, nothing to recover, and a table can only be used for claimed partitions.

Keys are `(partition, key)` for a flat table, `(partition, group, field)` for a grouped one; keys,
groups, fields and values are bytes.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NoReturn

from faust.stores import base
from faust.types import TP, AppT, CollectionT, EventT
from yarl import URL

from stream_app.state.claims import Claims

Key = tuple[int, bytes] | tuple[int, bytes, bytes]

_NOT_LISTED = (
    "the rows of a Redis table cannot be listed, counted or cleared synchronously; "
    "use PartitionState.scan"
)


class Store(base.Store[Key, bytes]):
    """The rows of one table on one source topic.

    Its `options` say where: `claims` (`Claims`), `topic`, and `stored_as` (the name in Redis).
    """

    def __init__(
        self,
        url: str | URL,
        app: AppT,
        table: CollectionT,
        *,
        options: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(url, app, table, options=options, **kwargs)
        try:
            self._claims: Claims = (options or {})["claims"]
            self._topic: str = (options or {})["topic"]
            self._name: str = (options or {})["stored_as"]
        except KeyError as missing:
            raise ValueError(
                f"table {self.table_name!r} on a redis:// store lacks its option {missing}; "
                "declare it as a stream_app.state.tables.StateTable"
            ) from None

    def lookup(self, key: Key) -> bytes | None:
        """The row as of now in its partition's batch; None: there is none.

        Raises:
            NotClaimed: the partition is not this worker's.
            NotPrefetched: the batch had not announced the key.
        """
        state = self._claims[self._topic, key[0]]
        if len(key) == 2:  # noqa: PLR2004
            return state.get(self._name, key[1])
        return state.get_field(self._name, key[1], key[2])

    def assign(self, key: Key, value: bytes | None) -> None:
        """Sets (None: deletes) the row with its partition's next commit."""
        state = self._claims[self._topic, key[0]]
        if len(key) == 2:  # noqa: PLR2004
            state.put(self._name, key[1], value)
        else:
            state.put_group(self._name, key[1], key[2], value)

    def assign_all(self, partition: int, rows: Mapping[bytes, bytes | None]) -> None:
        """`assign` for many rows of one partition of a flat table."""
        self._claims[self._topic, partition].put_all(self._name, rows)

    def __getitem__(self, key: Key) -> bytes:
        value = self.lookup(key)
        if value is None:
            raise KeyError(key)
        return value

    def __setitem__(self, key: Key, value: bytes) -> None:
        self.assign(key, value)

    def __delitem__(self, key: Key) -> None:
        if self.lookup(key) is None:
            raise KeyError(key)
        self.assign(key, None)

    def __contains__(self, key: object) -> bool:
        return self.lookup(key) is not None  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[Key]:
        raise TypeError(_NOT_LISTED)

    def __len__(self) -> int:
        raise TypeError(_NOT_LISTED)

    def __bool__(self) -> bool:
        return True  # without it Python would ask __len__

    def clear(self) -> NoReturn:
        """Not offered: it would have to write without a commit."""
        raise TypeError(_NOT_LISTED)

    def persisted_offset(self, tp: TP) -> int | None:  # noqa: ARG002
        """None: there is no changelog whose offset could be meant."""
        return None

    async def need_active_standby_for(self, tp: TP) -> bool:  # noqa: ARG002
        """False: every worker reaches the same Redis."""
        return False

    def apply_changelog_batch(
        self,
        batch: Iterable[EventT[Any]],  # noqa: ARG002
        to_key: Callable[[Any], Any],  # noqa: ARG002
        to_value: Callable[[Any], Any],  # noqa: ARG002
    ) -> None:
        """Never called: there is no changelog.

        Raises:
            RuntimeError: always; somebody registered the table with Faust's recovery.
        """
        raise RuntimeError(f"table {self.table_name!r} has no changelog; take it out of app.tables")

    def reset_state(self) -> None:
        """Nothing to do: no state on this machine."""

    async def backup_partition(
        self,
        tp: TP | int,
        flush: bool = True,  # noqa: FBT001, FBT002
        purge: bool = False,  # noqa: FBT001, FBT002
        keep: int = 1,
    ) -> None:
        """Nothing to do: back up Redis."""

    def restore_backup(
        self,
        tp: TP | int,
        latest: bool = True,  # noqa: FBT001, FBT002
        backup_id: int = 0,
    ) -> None:
        """Nothing to do: restore Redis."""
