"""What a batch has read and wants to write, before it becomes one commit."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from stream_app.state.errors import CommitTooLarge, NotPrefetched
from stream_app.state.keys import PartitionKeys, Place

COMMIT_BYTES_MAX: Final = 256 * 1024 * 1024
"""Redis would take 512 MiB; half of it leaves room for its own copies."""
COMMIT_ARGS_MAX: Final = 1_000_000
"""Redis 6.2 refuses commands of more than 1,048,576 arguments."""
FIELD_BYTES: Final = 16
"""What a field or value costs on the wire beyond its own bytes."""

_OUTBOX_VALUE: Final = re.compile(rb"(0|[1-9][0-9]*)(:|\Z)")
_RESERVED: Final = frozenset({"owner", "offset", "torn"})

Rows = dict[bytes, bytes | None]


class BatchWrites:
    """Rows read for one batch, with the batch's own writes laid over them.

    Attributes:
        bytes: estimated size of the commit so far.
    """

    __slots__ = ("_complete", "_view", "_writes", "bytes")

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forgets reads and writes."""
        self._view: dict[Place, Rows] = {}
        self._writes: dict[Place, Rows] = {}
        self._complete: set[Place] = set()
        self.bytes = 0

    def __bool__(self) -> bool:
        return bool(self._writes)

    def unread(self, place: Place, keys: Iterable[bytes]) -> list[bytes]:
        """Those of `keys` whose value is not known yet, each once."""
        if place in self._complete:
            return []
        view = self._view.get(place, {})
        return [key for key in dict.fromkeys(keys) if key not in view]

    def is_complete(self, place: Place) -> bool:
        """Whether the whole hash was read."""
        return place in self._complete

    def remember(self, place: Place, rows: Mapping[bytes, bytes | None], *, whole: bool) -> None:
        """Takes over what was read; the batch's own writes stay on top."""
        view = self._view.setdefault(place, {})
        written = self._writes.get(place)
        if written:
            view.update((key, value) for key, value in rows.items() if key not in written)
        else:
            view.update(rows)
        if whole:
            self._complete.add(place)

    def get(self, place: Place, key: bytes) -> bytes | None:
        """The value as of now in this batch."""
        try:
            return self._view[place][key]
        except KeyError:
            if place in self._complete:
                return None
            raise NotPrefetched(
                f"key {key!r} of {place!r} was read without having been prefetched in this batch"
            ) from None

    def rows(self, place: Place) -> dict[bytes, bytes]:
        """All existing rows of a hash that was read whole."""
        view = self._view.get(place, {})
        return {key: value for key, value in view.items() if value is not None}

    def put(self, place: Place, key: bytes, value: bytes | None) -> None:
        """Sets (None: deletes) a row when the batch is committed."""
        try:
            writes = self._writes[place]
            view = self._view[place]
        except KeyError:
            writes = self._writes.setdefault(place, {})
            view = self._view.setdefault(place, {})
        if key in writes:
            self.bytes -= len(writes[key] or b"")
        else:
            self.bytes += len(key) + 2 * FIELD_BYTES
        if value is not None:
            self.bytes += len(value)
        writes[key] = value
        view[key] = value

    def put_all(self, place: Place, rows: Mapping[bytes, bytes | None]) -> None:
        """`put` for many rows of one hash."""
        writes = self._writes.setdefault(place, {})
        if not writes.keys().isdisjoint(rows):
            for key, value in rows.items():
                self.put(place, key, value)
            return
        self.bytes += 2 * FIELD_BYTES * len(rows) + sum(map(len, rows))
        self.bytes += sum(len(value) for value in rows.values() if value is not None)
        writes.update(rows)
        self._view.setdefault(place, {}).update(rows)

    def arguments(
        self, keys: PartitionKeys, meta: Mapping[str, str | int], outbox: Mapping[bytes, bytes]
    ) -> tuple[list[bytes], list[bytes]]:
        """Keys and arguments of `commit.lua` behind owner and offsets; checks every shape.

        Raises:
            CommitTooLarge: Redis would not take it.
            ValueError: a reserved meta field, or an outbox value without a version.
        """
        hashes = [keys.meta]
        args = list(_counted(_meta_rows(meta)))
        if outbox:
            hashes.append(keys.outbox)
            args.extend(_counted(_outbox_rows(outbox)))
        for place, rows in self._writes.items():
            hashes.append(keys.of(place))
            args.extend(_counted(rows))
        if len(hashes) + len(args) > COMMIT_ARGS_MAX:
            raise CommitTooLarge(
                f"a commit of {len(args):,} arguments; Redis takes {COMMIT_ARGS_MAX:,}. Close "
                "batches earlier"
            )
        size = sum(map(len, args))
        if size > COMMIT_BYTES_MAX:
            raise CommitTooLarge(
                f"a commit of {size:,} bytes; the limit is {COMMIT_BYTES_MAX:,}. Close batches "
                "earlier: commit_bytes tells their size as they grow"
            )
        return hashes, args


def _counted(rows: Mapping[bytes, bytes | None]) -> Iterator[bytes]:
    sets = [part for key, value in rows.items() if value is not None for part in (key, value)]
    dels = [key for key, value in rows.items() if value is None]
    yield b"%d" % len(sets)
    yield b"%d" % len(dels)
    yield from sets
    yield from dels


def _meta_rows(meta: Mapping[str, str | int]) -> Rows:
    if clash := _RESERVED & meta.keys():
        raise ValueError(f"meta fields {sorted(clash)} are reserved; choose other names")
    return {name.encode(): str(value).encode() for name, value in meta.items()}


def _outbox_rows(outbox: Mapping[bytes, bytes]) -> Rows:
    wrong = {value for value in set(outbox.values()) if not _OUTBOX_VALUE.match(value)}
    for name, value in outbox.items() if wrong else ():
        if value in wrong:
            raise ValueError(
                f"outbox entry {name!r} is {value[:40]!r}; expected b'<version>' or "
                "b'<version>:<payload>' with a decimal version"
            )
    return dict(outbox)


def version_of(value: bytes) -> int:
    """The version an outbox value begins with."""
    return int(value.partition(b":")[0])
