"""A topic in memory; tests/intake/test_topic.py holds a real one to the same behaviour."""

import asyncio
from dataclasses import dataclass, field

from aiokafka.errors import KafkaTimeoutError

from stream_app.intake.checkpoint import record_digest
from stream_app.intake.events import Record
from stream_app.intake.publish import Acknowledgement, Written

PARTITIONS = 3


@dataclass
class Place:
    partition: int
    offset: int


@dataclass
class MemoryTopic:
    """Keeps what it is sent.

    Attributes:
        fails_after: it takes so many records and acknowledges none of the others.
        interrupts_after: who sends more is cancelled, as by Ctrl-C.
    """

    name: str = "crm.events"
    fails_after: int | None = None
    interrupts_after: int | None = None
    partitions: list[list[Record]] = field(default_factory=lambda: [[] for _ in range(PARTITIONS)])
    sent: list[Record] = field(default_factory=list)

    async def send(self, record: Record) -> Acknowledgement:
        future: asyncio.Future[Written] = asyncio.get_running_loop().create_future()
        if self.interrupts_after is not None and len(self.sent) >= self.interrupts_after:
            raise asyncio.CancelledError
        if self.fails_after is not None and len(self.sent) >= self.fails_after:
            future.set_exception(KafkaTimeoutError())
            future.exception()
            return future
        number = sum(record.key) % PARTITIONS
        self.sent.append(record)
        self.partitions[number].append(record)
        future.set_result(Place(number, len(self.partitions[number]) - 1))
        return future

    async def still_has(self, last_records: dict[int, tuple[int, str]]) -> bool:
        for number, (offset, digest) in last_records.items():
            kept = self.partitions[number]
            if offset >= len(kept) or record_digest(kept[offset].value) != digest:
                return False
        return True
