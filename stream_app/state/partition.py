"""The durable state of one source partition, changed by one fenced commit per batch.

Redis holds `{owner token, source offset, state, counts, outbox}` of every source partition; they
change together or not at all (design.md, section 3). A `PartitionState` is one worker's claim on
one partition. It is not thread-safe and serves one batch at a time:

    await state.prefetch("threads", keys)
    state.put("threads", key, state.get("threads", key) …)
    await state.commit(state.offset, batch.end, {"applied": 7}, {b"cell": b"120"})
    … publish …
    await state.acknowledge({b"cell": 120})
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Final, Self
from uuid import uuid4

from stream_app.state.client import ACKNOWLEDGE, CLAIM, Client, execute, pipelined, retries_of
from stream_app.state.commit import CommitPoint
from stream_app.state.errors import Fenced, StateTorn
from stream_app.state.keys import PartitionKeys, Place, escaped_glob
from stream_app.state.writes import BatchWrites, version_of

_READ_CHUNK: Final = 5_000
_GROUPS_CHUNK: Final = 500
_SCAN_COUNT: Final = 2_000
_ACKNOWLEDGE_CHUNK: Final = 50_000
_OWN_FIELDS: Final = (b"owner", b"offset", b"torn")


class PartitionState:
    """One worker's claim on a partition's state. Made by `claim`.

    Attributes:
        token: what the claim is known by in Redis.
        previous_owner: the token stored before, None for none.
        offset: the next offset to read; None: nothing was ever committed.
        begin: where the log begins; whoever positions the consumer sets it.
        log_end: where the log ended when this was claimed; set like `begin`.
        meta: the stored meta fields besides owner and offset.
        outbox: what was committed and not yet acknowledged, name → `<version>[:<payload>]`. Read
            it, do not change it.
        unchanged: nothing happened to the partition since this worker last gave it back, so what
            it still remembers of it is true.
    """

    __slots__ = (
        "_batch",
        "_busy",
        "_fenced",
        "_keys",
        "_point",
        "_redis",
        "begin",
        "log_end",
        "meta",
        "offset",
        "outbox",
        "partition",
        "previous_owner",
        "token",
        "topic",
        "unchanged",
    )

    def __init__(self, redis: Client, keys: PartitionKeys, topic: str, partition: int) -> None:
        self._redis = redis
        self._keys = keys
        self._batch = BatchWrites()
        self._busy = False
        self._fenced: Fenced | None = None
        self.topic: Final = topic
        self.partition: Final = partition
        self.token: Final = uuid4().hex
        self._point = CommitPoint(redis, keys, self.token, topic, partition)
        self.previous_owner: str | None = None
        self.offset: int | None = None
        self.begin = 0
        self.log_end = 0
        self.meta: dict[str, str] = {}
        self.outbox: dict[bytes, bytes] = {}
        self.unchanged = False

    @classmethod
    async def claim(
        cls,
        redis: Client,
        namespace: str,
        topic: str,
        partition: int,
        *,
        defaults: Mapping[str, str | int] | None = None,
    ) -> Self:
        """Makes this worker the owner and loads meta and outbox. Fences every earlier owner.

        To be called inside a group assignment only: whoever claims last, owns.

        Args:
            redis: made by `client.connect`.
            namespace: what all keys of this topic begin with.
            topic: the source topic.
            partition: the source partition.
            defaults: meta fields to store where they are missing (partition count, topic id).

        Raises:
            StoreUnavailable: nothing is sure; claim again.
            StateTorn: the stored state cannot be built upon.
        """
        if retries_of(redis):
            raise ValueError("this Redis client repeats commands by itself; use client.connect()")
        state = cls(redis, PartitionKeys(namespace, topic, partition), topic, partition)
        await state._take(defaults or {})
        return state

    @property
    def position(self) -> int:
        """Where reading goes on: the stored offset, or the log's beginning."""
        return self.begin if self.offset is None else self.offset

    @property
    def prefix(self) -> str:
        """What the names of all Redis keys of this partition begin with."""
        return self._keys.prefix

    @property
    def owner_field(self) -> tuple[bytes, bytes]:
        """Key and field of the owner's token in Redis."""
        return self._keys.meta, b"owner"

    @property
    def held(self) -> bool:
        """Whether, as far as is known here, the claim still stands."""
        return self._fenced is None

    @property
    def settled(self) -> bool:
        """Whether nothing is pending: no write, no commit under way, none in doubt."""
        return not (self._batch or self._busy or self._point.in_doubt)

    @property
    def commit_bytes(self) -> int:
        """Estimated size of the commit so far (tables only), to close a batch by."""
        return self._batch.bytes

    async def prefetch(self, table: str, keys: Iterable[bytes]) -> None:
        """Reads rows of a flat table: `get` then knows them, or their absence, in this batch."""
        await self._read(table, keys)

    async def prefetch_fields(self, table: str, group: bytes, fields: Iterable[bytes]) -> None:
        """Reads some rows of one group, for `get_field`."""
        await self._read((table, group), fields)

    async def prefetch_group(self, table: str, group: bytes) -> dict[bytes, bytes]:
        """Reads a whole group; returns it as of now, this batch's own writes included."""
        return (await self.prefetch_groups(table, (group,)))[group]

    async def prefetch_groups(
        self, table: str, groups: Sequence[bytes]
    ) -> dict[bytes, dict[bytes, bytes]]:
        """Reads whole groups, pipelined."""
        self.require_held()
        unread = [g for g in dict.fromkeys(groups) if not self._batch.is_complete((table, g))]
        for start in range(0, len(unread), _GROUPS_CHUNK):
            chunk = unread[start : start + _GROUPS_CHUNK]
            commands = [("HGETALL", self._keys.of((table, group))) for group in chunk]
            for group, rows in zip(chunk, await pipelined(self._redis, commands), strict=True):
                self._batch.remember((table, group), rows, whole=True)
        return {group: self._batch.rows((table, group)) for group in groups}

    def get(self, table: str, key: bytes) -> bytes | None:
        """A row of a flat table as of now in this batch; None: there is none.

        Raises:
            NotPrefetched: a bug of the caller.
        """
        return self._batch.get(table, key)

    def get_field(self, table: str, group: bytes, field: bytes) -> bytes | None:
        """A row of a grouped table; otherwise like `get`."""
        return self._batch.get((table, group), field)

    def put(self, table: str, key: bytes, value: bytes | None) -> None:
        """Sets (None: deletes) a row of a flat table with the next commit."""
        self._require_open()
        self._batch.put(table, key, value)

    def put_all(self, table: str, rows: Mapping[bytes, bytes | None]) -> None:
        """Sets (None: deletes) many rows of a flat table with the next commit."""
        self._require_open()
        self._batch.put_all(table, rows)

    def put_group(self, table: str, group: bytes, field: bytes, value: bytes | None) -> None:
        """Sets (None: deletes) a row of a grouped table with the next commit."""
        self._require_open()
        self._batch.put((table, group), field, value)

    def discard(self) -> None:
        """Drops the batch: what it would have written, and what was prefetched for it."""
        self._require_open()
        self._batch.clear()

    async def commit(
        self,
        expected_offset: int | None,
        next_offset: int,
        meta: Mapping[str, str | int] | None = None,
        outbox: Mapping[bytes, bytes] | None = None,
    ) -> None:
        """Writes the batch, meta, outbox and offset at once, if owner and offset are the expected.

        A lost reply is settled here. After `StoreUnavailable` call it again with the same
        arguments; the batch is kept.

        Args:
            expected_offset: what must be stored (`self.offset`).
            next_offset: the first offset that the batch does not cover; greater.
            meta: fields to set (counts …), as absolute values.
            outbox: entries to add or replace: `<decimal version>` or `<decimal version>:<payload>`.

        Raises:
            Fenced: owner or offset differ; nothing was written, the claim is over.
            StoreUnavailable: not applied, or not known; call again.
            CommitTooLarge: refused before anything was sent.
        """
        self._require_open()
        if next_offset <= (-1 if expected_offset is None else expected_offset):
            raise ValueError(f"a commit from {expected_offset} to {next_offset} does not advance")
        meta, outbox = meta or {}, outbox or {}
        hashes, args = self._batch.arguments(self._keys, meta, outbox)
        self._busy = True
        try:
            await self._point.apply(hashes, args, expected_offset, next_offset)
        except Fenced as fenced:
            self._fenced = fenced
            raise
        finally:
            self._busy = False
        self._batch.clear()
        self.offset = next_offset
        self.meta.update((name, str(value)) for name, value in meta.items())
        self.outbox.update(outbox)

    async def acknowledge(self, sent: Mapping[bytes, int]) -> int:
        """Takes sent entries out of the outbox, except those whose version changed since.

        Args:
            sent: name → version that was sent and acknowledged; with none, only the owner is asked.

        Returns:
            How many entries left the stored outbox. Calling it again is harmless.

        Raises:
            Fenced: another worker owns the partition.
            StoreUnavailable: call again.
        """
        self.require_held()
        removed = 0
        entries = list(sent.items())
        for start in range(0, max(1, len(entries)), _ACKNOWLEDGE_CHUNK):
            chunk = entries[start : start + _ACKNOWLEDGE_CHUNK]
            args = [self.token.encode()]
            for name, version in chunk:
                args += (name, b"%d" % version)
            hashes = (self._keys.meta, self._keys.outbox)
            reply = await ACKNOWLEDGE.run(self._redis, hashes, args)
            if reply[0] != b"ok":
                try:
                    self._point.refuse_owner(reply[1])
                except Fenced as fenced:
                    self._fenced = fenced
                    raise
            removed += reply[1]
            for name, version in chunk:
                value = self.outbox.get(name)
                if value is not None and version_of(value) == version:
                    del self.outbox[name]
        return removed

    async def scan(self, table: str) -> AsyncIterator[tuple[bytes, bytes]]:
        """Every stored row of a flat table, in no order; what changes meanwhile may come twice."""
        async for row in self._scan_hash(self._keys.of(table)):
            yield row

    async def scan_groups(self, table: str) -> AsyncIterator[bytes]:
        """The stored groups of a grouped table, in no order.

        Walks over the whole Redis database (seconds per million keys): for start-up and audits.
        """
        prefix = self._keys.groups(table)
        pattern = escaped_glob(prefix) + b"*"
        seen: set[bytes] = set()
        cursor = 0
        while True:
            self.require_held()
            cursor, found = await execute(
                self._redis, "SCAN", cursor, "MATCH", pattern, "COUNT", _SCAN_COUNT
            )
            for key in found:
                if key not in seen:
                    seen.add(key)
                    yield key.removeprefix(prefix)
            if not cursor:
                return

    def release(self) -> None:
        """Ends the claim in this process: whatever is still tried with it raises `Fenced`."""
        if self._fenced is None:
            detail = "this worker gave the partition back"
            self._fenced = Fenced(self.topic, self.partition, "released", detail)

    async def _take(self, defaults: Mapping[str, str | int]) -> None:
        args = [self.token.encode()]
        for name, value in defaults.items():
            args += (name.encode(), str(value).encode())
        reply = await CLAIM.run(self._redis, (self._keys.meta,), args)
        if reply[0] == b"torn":
            raise StateTorn(self._keys.prefix, reply[1].decode())
        before = dict(zip(reply[1::2], reply[2::2], strict=True))
        owner, offset, _ = (before.pop(name, b"") for name in _OWN_FIELDS)
        self.previous_owner = owner.decode() or None
        self.offset = int(offset) if offset else None
        self.meta = {name: str(value) for name, value in defaults.items()}
        self.meta.update((name.decode(), value.decode()) for name, value in before.items())
        self.outbox = {name: value async for name, value in self._scan_hash(self._keys.outbox)}

    async def _scan_hash(self, key: bytes) -> AsyncIterator[tuple[bytes, bytes]]:
        cursor = 0
        while True:
            self.require_held()
            cursor, rows = await execute(self._redis, "HSCAN", key, cursor, "COUNT", _SCAN_COUNT)
            for row in rows.items():
                yield row
            if not cursor:
                return

    async def _read(self, place: Place, keys: Iterable[bytes]) -> None:
        self.require_held()
        unread = self._batch.unread(place, keys)
        if not unread:
            return
        name = self._keys.of(place)
        chunks = [unread[at : at + _READ_CHUNK] for at in range(0, len(unread), _READ_CHUNK)]
        replies = await pipelined(self._redis, [("HMGET", name, *chunk) for chunk in chunks])
        for chunk, values in zip(chunks, replies, strict=True):
            self._batch.remember(place, dict(zip(chunk, values, strict=True)), whole=False)

    def require_held(self) -> None:
        """Raises `Fenced` if, as far as is known here, the claim is over."""
        if self._fenced is not None:
            raise Fenced(self.topic, self.partition, self._fenced.which, self._fenced.detail)

    def _require_open(self) -> None:
        if self._fenced is not None:
            self.require_held()
        if self._busy:
            raise RuntimeError(f"{self.topic}/{self.partition}: its commit is still under way")
