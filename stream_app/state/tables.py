"""Faust tables whose rows live in Redis and change with the batch's commit."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

import faust
from faust import stores
from faust.types import AppT
from faust.types.stores import StoreT
from faust.types.topics import TopicT
from yarl import URL

from stream_app.state.claims import Claims
from stream_app.state.store import Key, Store

STORE_URL = URL("redis://state")
"""Names the driver only. The connection is the Claims', so no address or password gets logged."""


class DriverMissing(RuntimeError):
    """The package is not installed, so Faust does not know our `redis://` driver."""


def driver() -> type[Store]:
    """Our driver, as Faust finds it.

    Raises:
        DriverMissing: without the entry point Faust takes `redis` for a module to import, gets the
            client library and fails much later with "'module' object is not callable".
    """
    found: object = stores.by_url(STORE_URL)
    if not (isinstance(found, type) and issubclass(found, Store)):
        raise DriverMissing(
            f"Faust resolves redis:// to {found!r}, not to {Store.__module__}.Store, because "
            "stream-app's entry points are not installed; run: pip install -e ."
        )
    return found


class StateTable(faust.Table[Key, bytes]):
    """A Faust table on the `redis://` store, without changelog and recovery.

    Use: `table[partition, key]`, or `table[partition, group, field]`, with bytes; `table.get(…)`
    for what may be missing. Only keys of claimed partitions that were prefetched in this batch.

    Faust's sensors are not called and no event needs to be current: a lookup costs about a
    microsecond instead of Faust's 400 per write. It must not be added to `app.tables`: recovery
    would look for a changelog.

    Args:
        name: the table's name in Redis.
        claims: where the claimed partitions are.
        topic: the source topic whose partitions the table follows.
    """

    def __init__(self, app: AppT, *, name: str, claims: Claims, topic: str, **kwargs: Any) -> None:
        driver()
        options = {"claims": claims, "topic": topic, "stored_as": name}
        super().__init__(
            app, name=name, store=kwargs.pop("store", STORE_URL), options=options, **kwargs
        )
        self._rows = cast("Store", self.data)

    def __getitem__(self, key: Key) -> bytes:
        value = self._rows.lookup(key)
        return self.__missing__(key) if value is None else value

    def __setitem__(self, key: Key, value: bytes) -> None:
        self._rows.assign(key, value)

    def assign_all(self, partition: int, rows: Mapping[bytes, bytes | None]) -> None:
        """Sets (None: deletes) many rows of a flat table at once."""
        self._rows.assign_all(partition, rows)

    def __delitem__(self, key: Key) -> None:
        del self._rows[key]

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def __iter__(self) -> Iterator[Key]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __bool__(self) -> bool:
        return True

    def get(self, key: Key, default: bytes | None = None) -> bytes | None:  # type: ignore[override]
        """The row, or `default` where there is none."""
        value = self._rows.lookup(key)
        return default if value is None else value

    async def on_start(self) -> None:
        """Starts the store only: there is no changelog topic to declare."""
        await self.add_runtime_dependency(self.data)

    def _new_changelog_topic(self, **_: Any) -> TopicT:
        raise RuntimeError(
            f"table {self.name!r} has no changelog topic: Redis holds its rows. Do not add it to "
            "app.tables"
        )

    def _new_store(self) -> StoreT[Any, Any]:
        return self._new_store_by_url(STORE_URL)
