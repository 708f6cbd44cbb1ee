"""Sends records so that every one of them is acknowledged by all replicas, or an error says not.

Faust's own producer is not idempotent and only logs a failed send. This one keeps the order of each
partition, repeats without duplicates while it lives, and never drops anything silently.
"""

import asyncio
import random
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any, Final, NamedTuple, NoReturn, Protocol, Self
from weakref import WeakSet

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    InvalidTimestampError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    ProducerClosed,
    RecordTooLargeError,
    TopicAuthorizationFailedError,
)

from stream_app.transport.ending import ended
from stream_app.transport.errors import BrokerUnavailable, PublishRejected
from stream_app.transport.metadata import describe_topics
from stream_app.transport.murmur import placed
from stream_app.transport.security import Security

BATCH_BYTES: Final = 512 * 1024
"""Half of what topics take by default; a single larger record makes a batch of its own."""
SEND_TIMEOUT_S: Final = 30.0
_CLOSE_TIMEOUT_S: Final = 3.0
_TOPIC_TIMEOUT_S: Final = 2.0
_WRONG_CLOCK: Final = (
    "set the clock of this machine, or the broker's: they are further apart than "
    "message.timestamp.after.max.ms allows (by default an hour)"
)
_REJECTIONS: Final = {
    MessageSizeTooLargeError: "a record is larger than the topic's max.message.bytes",
    RecordTooLargeError: "a record is larger than the topic's max.message.bytes",
    TopicAuthorizationFailedError: "the login may not write to the topic",
}

_Header = tuple[str, bytes | None]


class Record(Protocol):
    """What a record to send has; `timestamp_ms` is looked for as well."""

    @property
    def topic(self) -> str: ...  # noqa: D102
    @property
    def key(self) -> bytes | None: ...  # noqa: D102
    @property
    def value(self) -> bytes | None: ...  # noqa: D102
    @property
    def partition(self) -> int | None: ...  # noqa: D102
    @property
    def headers(self) -> Sequence[_Header]: ...  # noqa: D102


class Outgoing(NamedTuple):
    """A record to send, with everything it can have.

    Attributes:
        value: None: a tombstone, which needs a key.
        partition: None: by the key, with Kafka's murmur2 as every producer must; without a key any.
        timestamp_ms: None: now.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    partition: int | None = None
    headers: Sequence[_Header] = ()
    timestamp_ms: int | None = None


class Publisher:
    """An idempotent producer (acks=all).

    Args:
        servers: `host:port` of the bootstrap servers.
        security: how to speak to them.
        send_timeout_s: how long `send_all` tries.
        client_id: as brokers see it.
    """

    def __init__(
        self,
        servers: Sequence[str],
        *,
        security: Security | None = None,
        send_timeout_s: float = SEND_TIMEOUT_S,
        client_id: str = "stream-app",
    ) -> None:
        self._servers = tuple(servers)
        self._security = security or Security()
        self._send_timeout_s = send_timeout_s
        self._client_id = client_id
        self._producer: AIOKafkaProducer | None = None
        self._discarding: asyncio.Task[None] | None = None
        self._abandoned: WeakSet[AIOKafkaProducer] = WeakSet()
        self._connecting = asyncio.Lock()

    async def start(self) -> None:
        """Connects; `send_all` does so too.

        Raises:
            BrokerUnavailable: no answer in time.
        """
        try:
            async with asyncio.timeout(self._send_timeout_s):
                await self._connected()
        except (KafkaError, TimeoutError) as error:
            raise self._unavailable("connecting", error) from error

    async def reach(self, timeout_s: float) -> None:
        """Asks a broker whether it is there.

        Raises:
            BrokerUnavailable: no answer in time.
        """
        try:
            async with asyncio.timeout(timeout_s):
                producer = await self._connected()
                await describe_topics(producer.client, ())
        except TimeoutError as error:
            reason = TimeoutError(f"no answer within {timeout_s:g} s")
            raise self._unavailable("asking whether it is there", KafkaError(reason)) from error
        except KafkaError as error:
            raise self._unavailable("asking whether it is there", error) from error

    async def stop(self) -> None:
        """Waits shortly for what is still being sent, then closes."""
        await self._discarded()
        producer, self._producer = self._producer, None
        if producer is not None:
            await _close(producer)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self.stop()

    async def send_all(self, records: Iterable[Record]) -> int:
        """Sends records and waits until all of them are acknowledged.

        Records of one partition keep their order, also against earlier calls. After an error any
        of them may have arrived or still arrive; send all of them again.

        Returns:
            How many were sent.

        Raises:
            BrokerUnavailable: not all were acknowledged in time.
            PublishRejected: a broker refuses one for good; a bug or a wrong setting.
        """
        records = list(records)
        if not records:
            return 0
        producer = None
        try:
            async with asyncio.timeout(self._send_timeout_s):
                producer = await self._connected()
                runs = await _by_partition(producer, records)
                await _all(_send_run(producer, tp, run) for tp, run in runs.items())
        except (TimeoutError, KafkaError) as error:
            if producer is None or producer not in self._abandoned:
                await self._give_up(producer, records, error)
            return await self.send_all(records)
        return len(records)

    async def _give_up(
        self, producer: AIOKafkaProducer | None, records: Sequence[Record], error: Exception
    ) -> NoReturn:
        doing = f"sending {len(records)} records"
        # After a timeout the records stay in the producer, in front of whatever is sent next.
        if not isinstance(error, TimeoutError | KafkaTimeoutError):
            # Its sequence numbers have a hole now; brokers would refuse all that follows.
            if producer is not None:
                await self._discard(producer)
            if type(error) in _REJECTIONS:
                topics = ", ".join(sorted({record.topic for record in records}))
                raise PublishRejected(f"sending to {topics}: {_REJECTIONS[type(error)]}") from error
        raise self._unavailable(doing, error) from error

    async def abandon(self) -> None:
        """Let go of what is not acknowledged yet: when this returns, none of it is sent any more.

        `send_all`s that are under way send again.
        """
        producer = self._producer
        if producer is not None:
            self._abandoned.add(producer)
            await self._discard(producer)

    async def _connected(self) -> AIOKafkaProducer:
        async with self._connecting:
            await self._discarded()
            if self._producer is None:
                producer = AIOKafkaProducer(
                    bootstrap_servers=list(self._servers),
                    client_id=self._client_id,
                    enable_idempotence=True,
                    acks="all",
                    max_batch_size=BATCH_BYTES,
                    request_timeout_ms=int(self._send_timeout_s * 1000),
                    **self._security.aiokafka(),
                )
                try:
                    await producer.start()
                except BaseException:
                    await _close(producer)
                    raise
                self._producer = producer
            return self._producer

    async def _discard(self, producer: AIOKafkaProducer) -> None:
        """Before a new producer may overtake it, the broken one has to be gone.

        It goes even if nobody waits for that any more.
        """
        async with self._connecting:
            if self._producer is producer:
                self._producer = None
                self._discarding = asyncio.create_task(_close(producer))
            await self._discarded()

    async def _discarded(self) -> None:
        if self._discarding is not None:
            await asyncio.wait({self._discarding})

    def _unavailable(self, doing: str, error: Exception) -> BrokerUnavailable:
        reason = (
            f"not done within {self._send_timeout_s:g} s"
            if isinstance(error, TimeoutError)
            else str(error) or type(error).__name__
        )
        if isinstance(error, InvalidTimestampError):
            return BrokerUnavailable(self._servers, doing, reason, _WRONG_CLOCK)
        return BrokerUnavailable(self._servers, doing, reason)


async def _by_partition(
    producer: AIOKafkaProducer, records: Iterable[Record]
) -> dict[tuple[str, int], list[Record]]:
    counts: dict[str, int] = {}
    runs: dict[tuple[str, int], list[Record]] = {}
    for record in records:
        topic = record.topic
        if topic not in counts:
            counts[topic] = await _partition_count(producer, topic)
        partition = record.partition
        if partition is None:
            partition = partition_of(record.key, counts[topic])
        elif not 0 <= partition < counts[topic]:
            raise PublishRejected(f"{topic} has {counts[topic]} partitions, none is {partition}")
        runs.setdefault((topic, partition), []).append(record)
    return runs


async def _partition_count(producer: AIOKafkaProducer, topic: str) -> int:
    try:
        async with asyncio.timeout(_TOPIC_TIMEOUT_S):
            return len(await producer.partitions_for(topic))
    except TimeoutError:  # aiokafka hopes for long that somebody creates the topic
        if topic in await describe_topics(producer.client, (topic,)):
            raise
        raise PublishRejected(f"topic {topic} does not exist; create it first") from None


async def _send_run(producer: AIOKafkaProducer, tp: tuple[str, int], run: Iterable[Record]) -> None:
    """Batches are built here: aiokafka spends 20 µs on each record sent alone, this way 2."""
    topic, partition = tp
    acknowledged = []
    batch = producer.create_batch()
    for record in run:
        fields: dict[str, Any] = {
            "timestamp": getattr(record, "timestamp_ms", None),
            "key": record.key,
            "value": record.value,
            "headers": list(record.headers),
        }
        if batch.append(**fields) is None:
            acknowledged.append(await producer.send_batch(batch, topic, partition=partition))
            batch = producer.create_batch()
            batch.append(**fields)
    batch.close()
    acknowledged.append(await producer.send_batch(batch, topic, partition=partition))
    await _all(acknowledged)


async def _all(work: Iterable[Any]) -> None:
    """Waits for all of it, then raises the first error: none is left unlooked at."""
    results = await asyncio.gather(*work, return_exceptions=True)
    for error in results:
        if isinstance(error, BaseException):
            raise error


async def _close(producer: AIOKafkaProducer) -> None:
    if await ended(producer.stop(), _CLOSE_TIMEOUT_S):
        return
    # It still waits for a broker: end its tasks without.
    producer._message_accumulator.fail_all(ProducerClosed())  # noqa: SLF001
    sender = producer._sender.sender_task  # noqa: SLF001
    if sender is not None:
        sender.cancel()
        await asyncio.wait({sender}, timeout=1.0)
    await ended(producer.client.close(), 1.0)


def partition_of(key: bytes | None, partition_count: int) -> int:
    """Kafka's default partitioner (murmur2); a record without a key goes anywhere."""
    if key is None:
        return random.randrange(partition_count)  # noqa: S311
    return placed(key) % partition_count
