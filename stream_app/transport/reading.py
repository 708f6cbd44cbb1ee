"""Reading whole topics outside of any group: for `verify`, `board`, `check` and `dead-letters`."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaError
from aiokafka.structs import ConsumerRecord

from stream_app.transport.ending import ended
from stream_app.transport.errors import BrokerUnavailable

Progress = Callable[[int, int], None]
"""Called with (offsets passed, offsets to pass)."""

CONNECT_SECONDS: Final = 10.0
STALL_SECONDS: Final = 15.0
_CLOSE_SECONDS: Final = 3.0
_FETCH_BYTES: Final = 1 << 20
"""Of a partition at once, compressed: it is ten times as much in memory. A larger record
(crm.events takes up to 8 MiB) comes whole nevertheless, when it is its partition's turn."""


class NoSuchTopic(LookupError):
    """The brokers are there and the topic is not."""

    def __init__(self, topic: str) -> None:
        self.topic = topic
        super().__init__(
            f"there is no topic {topic}; expected one that `stream-app worker` or `stream-app "
            "import` has created: start a worker, or correct STREAM_APP_TOPIC_PREFIX"
        )


class TopicReader:
    """Reads a topic's partitions from wherever it stopped to where they end now.

    async with await TopicReader.open("crm.events", kafka) as reader:
        async for record in reader.read():
            ...

    """

    def __init__(
        self, consumer: AIOKafkaConsumer, topic: str, servers: Sequence[str], stall_seconds: float
    ) -> None:
        self._consumer = consumer
        self._topic = topic
        self._servers = servers
        self._stall_seconds = stall_seconds
        self._partitions: list[TopicPartition] = []
        self._positions: dict[TopicPartition, int] = {}
        self._begins: dict[int, int] = {}

    @classmethod
    async def open(
        cls,
        topic: str,
        kafka: Mapping[str, Any],
        *,
        last: int | None = None,
        connect_seconds: float = CONNECT_SECONDS,
        stall_seconds: float = STALL_SECONDS,
    ) -> Self:
        """Connect.

        Args:
            topic: an existing topic.
            kafka: `bootstrap_servers` (a list) and security, as aiokafka takes them.
            last: begin so many offsets before each partition's end; None: at its beginning.
            connect_seconds: give up after so long without an answer.
            stall_seconds: give up reading after so long without a record that must be there.

        Raises:
            BrokerUnavailable: no broker answers.
            NoSuchTopic: there is no such topic.
        """
        consumer = AIOKafkaConsumer(
            **kafka,
            enable_auto_commit=False,
            auto_offset_reset="earliest",  # what retention takes away meanwhile is gone, no more
            max_partition_fetch_bytes=_FETCH_BYTES,
            fetch_max_wait_ms=100,
            isolation_level="read_committed",  # like the worker
        )
        reader = cls(consumer, topic, kafka["bootstrap_servers"], stall_seconds)
        try:
            async with asyncio.timeout(connect_seconds):
                await consumer.start()
                await reader._assign(last)
        except BaseException as error:
            await reader.close()
            if isinstance(error, TimeoutError):
                reason = (
                    f"no answer within {connect_seconds:.0f} s; are the addresses that the brokers "
                    "advertise reachable from here?"
                )
                raise reader._unavailable(reason) from None
            if isinstance(error, KafkaError):
                raise reader._unavailable(named(error)) from None
            raise
        return reader

    async def _assign(self, last: int | None) -> None:
        if self._topic not in await self._consumer.topics():
            raise NoSuchTopic(self._topic)
        # The client learns a topic's partitions when it has to do with one of them.
        first = TopicPartition(self._topic, 0)
        self._consumer.assign([first])
        await self._consumer.beginning_offsets([first])
        numbers = self._consumer.partitions_for_topic(self._topic) or {0}
        self._partitions = [TopicPartition(self._topic, p) for p in sorted(numbers)]
        self._consumer.assign(self._partitions)
        begins = await self._consumer.beginning_offsets(self._partitions)
        self._begins = {tp.partition: offset for tp, offset in begins.items()}
        self._positions = dict(begins)
        if last is not None:
            ends = await self._consumer.end_offsets(self._partitions)
            self._positions = {tp: max(begins[tp], ends[tp] - last) for tp in self._partitions}
        # Nothing is fetched before somebody reads.
        self._consumer.pause(*self._partitions)
        for tp, offset in self._positions.items():
            self._consumer.seek(tp, offset)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    @property
    def partitions(self) -> int:
        """How many partitions the topic has."""
        return len(self._partitions)

    @property
    def begins(self) -> Mapping[int, int]:
        """Partition → the first offset that was still there at opening."""
        return self._begins

    def position(self, partition: int) -> int:
        """The offset of the next record to read."""
        return self._positions[TopicPartition(self._topic, partition)]

    async def ends(self) -> dict[int, int]:
        """Partition → the offset that its next record will have.

        Raises:
            BrokerUnavailable: no broker answers.
        """
        try:
            async with asyncio.timeout(self._stall_seconds):
                found = await self._consumer.end_offsets(self._partitions)
        except (TimeoutError, KafkaError) as error:
            raise self._unavailable(named(error)) from None
        return {tp.partition: offset for tp, offset in found.items()}

    async def read(
        self, progress: Progress | None = None
    ) -> AsyncIterator[ConsumerRecord[bytes | None, bytes | None]]:
        """All records up to the ends as they are now; call again for what came since.

        Each partition's records come in order. Whoever stops half way gets them again.

        Raises:
            BrokerUnavailable: no broker answers, or none any more.
        """
        numbered = await self.ends()
        ends = {tp: numbered[tp.partition] for tp in self._partitions}
        behind = {tp for tp in self._partitions if self._positions[tp] < ends[tp]}
        done = 0
        total = sum(ends[tp] - self._positions[tp] for tp in behind)
        for tp in behind:
            self._consumer.seek(tp, self._positions[tp])
        self._consumer.resume(*behind)
        clock = asyncio.get_running_loop().time
        moved_at = clock()
        try:
            while behind:
                for tp, records in (await self._fetched(*behind)).items():
                    for record in records:
                        if record.offset < ends[tp]:
                            yield record
                try:
                    async with asyncio.timeout(self._stall_seconds):
                        moved = await self._advance(behind, ends)
                except TimeoutError:
                    raise self._stalled(behind) from None
                if moved:
                    done, moved_at = done + moved, clock()
                elif clock() - moved_at > self._stall_seconds:
                    raise self._stalled(behind)
                if progress is not None:
                    progress(done, total)
        finally:
            self._consumer.pause(*behind)

    async def _advance(self, behind: set[TopicPartition], ends: dict[TopicPartition, int]) -> int:
        """Note how far we are and take out of `behind` what is at its end; how much was passed."""
        moved = 0
        for tp in list(behind):
            # The position also moves over what compaction and transactions took away.
            position = min(await self._consumer.position(tp), ends[tp])
            moved += position - self._positions[tp]
            self._positions[tp] = position
            if position >= ends[tp]:
                behind.discard(tp)
                self._consumer.pause(tp)
        return moved

    def _stalled(self, behind: set[TopicPartition]) -> BrokerUnavailable:
        numbers = ", ".join(str(tp.partition) for tp in sorted(behind))
        return self._unavailable(f"partition {numbers}: nothing for {self._stall_seconds:.0f} s")

    def _unavailable(self, reason: str) -> BrokerUnavailable:
        return BrokerUnavailable(self._servers, f"reading {self._topic}", reason)

    async def follow(self) -> AsyncIterator[list[ConsumerRecord[bytes | None, bytes | None]]]:
        """Records as they come, in runs, for ever; an outage only makes them come later."""
        for tp in self._partitions:
            self._consumer.seek(tp, self._positions[tp])
        self._consumer.resume(*self._partitions)
        while True:
            found = [r for run in (await self._fetched()).values() for r in run]
            if found:
                yield found
                for record in found:
                    tp = TopicPartition(self._topic, record.partition)
                    self._positions[tp] = record.offset + 1

    async def _fetched(
        self, *partitions: TopicPartition
    ) -> dict[TopicPartition, list[ConsumerRecord[bytes | None, bytes | None]]]:
        try:
            return await self._consumer.getmany(*partitions, timeout_ms=500)  # type: ignore[no-any-return]
        except KafkaError as error:
            raise self._unavailable(named(error)) from None

    async def close(self) -> None:
        """Disconnect."""
        await ended(self._consumer.stop(), _CLOSE_SECONDS)


async def standing(topic: str, kafka: Mapping[str, Any]) -> dict[bytes, bytes]:
    """Key → value of what stands in a small compacted topic.

    Raises:
        BrokerUnavailable: no broker answers.
        NoSuchTopic: there is no such topic.
    """
    found: dict[bytes, bytes] = {}
    async with await TopicReader.open(topic, kafka) as reader:
        async for record in reader.read():
            if record.key is None:
                continue
            if record.value is None:
                found.pop(record.key, None)
            else:
                found[record.key] = record.value
    return found


def named(error: Exception) -> str:
    """An error of a Kafka client for people."""
    if isinstance(error, KafkaConnectionError):
        return "nobody answers there, or not as a Kafka broker with these security settings"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return str(error) or type(error).__name__
