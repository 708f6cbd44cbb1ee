"""What the stages need from the outside: a partition's state, a publisher, a wall clock."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol


class SourceRecord(Protocol):
    """A record as it was read from a topic (aiokafka's `ConsumerRecord` is one).

    Attributes:
        timestamp: milliseconds since the epoch.
    """

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


class OutRecord(NamedTuple):
    """A record to publish; without `partition` the key decides (murmur2)."""

    topic: str
    key: bytes | None
    value: bytes | None
    partition: int | None = None
    headers: Sequence[tuple[str, bytes | None]] = ()


class State(Protocol):
    """The durable state of one input partition (`stream_app.state.partition.PartitionState`)."""

    topic: str
    partition: int

    @property
    def meta(self) -> Mapping[str, str]:
        """Fields committed with the offset."""

    @property
    def outbox(self) -> Mapping[bytes, bytes]:
        """Committed and not yet acknowledged: name → `<version>` or `<version>:<payload>`."""

    @property
    def offset(self) -> int | None:
        """The offset of the next record to take, or None when nothing is stored."""

    @property
    def log_end(self) -> int:
        """Where the log ended when the partition was claimed."""

    async def prefetch(self, table: str, keys: Iterable[bytes]) -> None:
        """Read rows so that `get` knows them."""

    async def prefetch_groups(
        self, table: str, groups: Sequence[bytes]
    ) -> dict[bytes, dict[bytes, bytes]]:
        """Read all rows of groups."""

    def scan(self, table: str) -> AsyncIterator[tuple[bytes, bytes]]:
        """Every committed row of a table."""

    def get(self, table: str, key: bytes) -> bytes | None:
        """A row read before, or written and not yet committed."""

    def put(self, table: str, key: bytes, value: bytes | None) -> None:
        """Write a row with the next commit; None deletes it."""

    def put_all(self, table: str, rows: Mapping[bytes, bytes | None]) -> None:
        """Write many rows with the next commit; None deletes one."""

    def put_group(self, table: str, group: bytes, field: bytes, value: bytes | None) -> None:
        """Write a row of a group with the next commit."""

    def discard(self) -> None:
        """Forget what was written and not committed, and what was read."""

    async def commit(
        self,
        expected_offset: int | None,
        next_offset: int,
        meta: Mapping[str, str | int] | None = None,
        outbox: Mapping[bytes, bytes] | None = None,
    ) -> None:
        """Change everything at once, or nothing."""

    async def acknowledge(self, sent: Mapping[bytes, int]) -> int:
        """Clear outbox entries whose version is still the one that was sent.

        Raises:
            Fenced: another worker owns the partition; it is asked even if nothing was sent.
        """


class Publish(Protocol):
    """Sends records and returns when the broker has acknowledged all of them."""

    async def __call__(self, records: Sequence[OutRecord]) -> None:
        """Send them; what is not acknowledged in the end is an exception."""


Patience = Callable[[Callable[[], Awaitable[None]]], Awaitable[None]]
"""Does something that needs the store, again and again with pauses, until it was done.

It gives up only by raising what is not the store's unavailability: `Fenced`, or cancellation.
"""

WallClock = Callable[[], int]
"""The time now, in microseconds since the epoch."""
