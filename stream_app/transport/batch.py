"""A run of one partition's log, as one value of a Faust stream."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol


class Record(Protocol):
    """What is read of a Kafka record (aiokafka's `ConsumerRecord` is one)."""

    @property
    def offset(self) -> int: ...  # noqa: D102
    @property
    def timestamp(self) -> int: ...  # noqa: D102
    @property
    def key(self) -> bytes | None: ...  # noqa: D102
    @property
    def value(self) -> bytes | None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Batch:
    """Every record of a partition with an offset in `[start, end)`, in order.

    There may be fewer records than offsets, even none: compaction removes records, transactions
    leave markers and aborted records. The broker was asked from `start` on and skipped these
    itself, so such a hole is no loss.

    Attributes:
        topic: the topic.
        partition: the partition.
        records: `timestamp` is in milliseconds since 1970.
        start: first offset covered.
        end: first offset not covered any more; commit it as the next offset.
        log_end: where the log ended when this was fetched (`log_end - end` is the lag then).
        epoch: which positioning of the partition it belongs to; `BatchConsumer.rewind` wants it.
    """

    topic: str
    partition: int
    records: Sequence[Record]
    start: int
    end: int
    log_end: int = 0
    epoch: int = 0

    @property
    def tp(self) -> tuple[str, int]:
        """Topic and partition, as `Claims` wants them."""
        return self.topic, self.partition

    def __len__(self) -> int:
        return len(self.records)

    def __bool__(self) -> bool:
        return self.end > self.start

    def split(self, count: int) -> tuple["Batch", "Batch"]:
        """The first `count` records, and the rest; both together cover what this one covers."""
        if count >= len(self.records):
            return self, replace(self, records=(), start=self.end)
        cut = self.records[count].offset if count else self.start
        head = replace(self, records=self.records[:count], end=cut)
        return head, replace(self, records=self.records[count:], start=cut)


@dataclass(frozen=True, slots=True)
class Gap:
    """A batch starts later than it must: records in between were fetched and dropped, or never."""

    topic: str
    partition: int
    expected: int
    found: int
    epoch: int


def align(batch: Batch, expected: int) -> Batch | Gap:
    """Makes a batch start at the stored offset.

    Args:
        batch: as it came.
        expected: `PartitionState.position`.

    Returns:
        The batch without what is already committed (falsy if that is all of it), or the gap that
        has to be read again with `BatchConsumer.rewind`.
    """
    if batch.start > expected:
        return Gap(batch.topic, batch.partition, expected, batch.start, batch.epoch)
    if batch.start == expected:
        return batch
    end = max(batch.end, expected)
    rest = [record for record in batch.records if record.offset >= expected]
    return replace(batch, records=rest, start=expected, end=end)
