"""Rows' records to the topic, and what the topic has acknowledged to the checkpoint."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Final, Protocol, Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from stream_app.intake.checkpoint import Standing, record_digest
from stream_app.intake.events import Outcome, Record

SAVE_INTERVAL_SECONDS: Final = 1.0
_WORK_PER_SAVING: Final = 10  # a directory of 100,000 names takes a minute to be written
_ROWS_A_TURN: Final = 100
_LINGER_MS: Final = 5
_BATCH_BYTES: Final = 1 << 18
_CONNECT_SECONDS: Final = 15.0


class Written(Protocol):
    """Where a record is, once every replica that must have it has it."""

    @property
    def partition(self) -> int:
        """Where the key belongs."""

    @property
    def offset(self) -> int:
        """Negative where the broker does not say."""


Acknowledgement = asyncio.Future[Written]


class NotSent(Exception):
    """The topic did not take the records; the text says why and what to do."""


class Target(Protocol):
    """Where records go: a topic, or in tests a list."""

    @property
    def name(self) -> str:
        """The topic's."""

    async def send(self, record: Record) -> Acknowledgement:
        """Hand a record over; waits while too many are on their way."""

    async def still_has(self, last_records: dict[int, tuple[int, str]]) -> bool:
        """Whether the records are where they were written, as far as the topic still tells."""


async def publish(
    outcomes: Iterable[Outcome],
    target: Target,
    standing: Standing,
    *,
    settled: Callable[[Outcome], None],
    save: Callable[[], None],
    seconds: Callable[[], float],
    rows_in_flight: int,
) -> None:
    """Send the records of every row, in the rows' order, and wait for all acknowledgements.

    Args:
        outcomes: the rows that follow those in `standing`.
        target: where to.
        standing: counts each row when all its records are acknowledged, and those of all rows
            before it; so it is right whenever this is interrupted.
        settled: told of each such row.
        save: keeps the standing; called about every second (less often if it takes long) and at the
            end, also of a failure.
        seconds: a clock that only moves forward.
        rows_in_flight: rows that wait for their acknowledgement at a time, at most.

    Raises:
        NotSent: a record was not acknowledged.
    """
    pending: deque[tuple[Outcome, list[Acknowledgement]]] = deque()
    save_at = seconds() + SAVE_INTERVAL_SECONDS
    try:
        for outcome in outcomes:
            acknowledgements = [await target.send(record) for record in outcome.records]
            pending.append((outcome, acknowledgements))
            if len(pending) > rows_in_flight:
                await _settle(pending, standing, settled)
            if outcome.row.number % _ROWS_A_TURN == 0:
                await asyncio.sleep(0)  # rows without events must not keep Ctrl-C waiting
            began_at = seconds()
            if began_at >= save_at:
                save()
                ended_at = seconds()
                pause = max(SAVE_INTERVAL_SECONDS, _WORK_PER_SAVING * (ended_at - began_at))
                save_at = ended_at + pause
        while pending:
            await _settle(pending, standing, settled)
        standing.complete = True
    except KafkaError as error:
        raise NotSent(
            f"a record was not acknowledged: {_named(error)}; start the import again to continue"
        ) from None
    finally:
        save()


async def _settle(
    pending: deque[tuple[Outcome, list[Acknowledgement]]],
    standing: Standing,
    settled: Callable[[Outcome], None],
) -> None:
    """Wait for the oldest row; it stays pending when interrupted."""
    outcome, acknowledgements = pending[0]
    for record, acknowledgement in zip(outcome.records, acknowledgements, strict=True):
        # Shielded: Ctrl-C ends the waiting, not the sending of what is on its way.
        written = await asyncio.shield(acknowledgement)
        if written.offset >= 0:
            standing.last_records[written.partition] = written.offset, record_digest(record.value)
    pending.popleft()
    standing.tally.add(outcome)
    settled(outcome)


class Topic:
    """A topic of a Kafka cluster, as an import uses it."""

    def __init__(self, name: str, connection: dict[str, Any]) -> None:
        """Prepare.

        Args:
            name: the topic's.
            connection: the arguments that every aiokafka client needs.
        """
        self.name = name
        self._connection = connection
        self._producer = AIOKafkaProducer(
            **connection,
            acks="all",
            enable_idempotence=True,
            linger_ms=_LINGER_MS,
            max_batch_size=_BATCH_BYTES,
        )

    async def __aenter__(self) -> Self:
        """Connect.

        Raises:
            NotSent: no broker answers, or there is no such topic.
        """
        servers = ", ".join(self._connection["bootstrap_servers"])
        advice = (
            f"no Kafka broker answers at {servers}; start one, or correct STREAM_APP_KAFKA and "
            "STREAM_APP_KAFKA_SECURITY_…"
        )
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await self._producer.start()
                advice = (
                    f"Kafka at {servers} has no topic {self.name}; correct "
                    "STREAM_APP_TOPIC_PREFIX, or start a worker, which makes it"
                )
                await self._producer.partitions_for(self.name)
        except (KafkaError, TimeoutError) as error:
            await self._producer.stop()
            raise NotSent(f"{advice} ({_named(error)})") from None
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._producer.stop()

    async def send(self, record: Record) -> Acknowledgement:
        """Hand a record over; the key decides the partition as in every Kafka client."""
        future: Acknowledgement = await self._producer.send(
            self.name, record.value, key=record.key, timestamp_ms=record.timestamp_ms
        )
        # Of several failures the first ends the import; the others are known and need no log.
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        return future

    async def still_has(self, last_records: dict[int, tuple[int, str]]) -> bool:
        """Whether the records are where they were written, as far as the topic still tells."""
        known = await self._producer.partitions_for(self.name)
        if not last_records.keys() <= known:
            return False
        partitions = {TopicPartition(self.name, p): last for p, last in last_records.items()}
        if not partitions:
            return True
        consumer = AIOKafkaConsumer(**self._connection, enable_auto_commit=False)
        await consumer.start()
        try:
            consumer.assign(list(partitions))
            starts = await consumer.beginning_offsets(list(partitions))
            ends = await consumer.end_offsets(list(partitions))
            for tp, (offset, digest) in partitions.items():
                if offset < starts[tp]:
                    continue  # its retention is over: nothing speaks against it
                if offset >= ends[tp]:
                    return False
                consumer.seek(tp, offset)
                async with asyncio.timeout(_CONNECT_SECONDS):
                    found = await consumer.getone(tp)
                if found.offset != offset or record_digest(found.value or b"") != digest:
                    return False
        except (KafkaError, TimeoutError) as error:
            raise NotSent(f"topic {self.name} cannot be read: {_named(error)}") from None
        else:
            return True
        finally:
            await consumer.stop()


def _named(error: Exception) -> str:
    return str(error) or type(error).__name__
