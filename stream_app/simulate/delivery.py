"""The simulation's edge: records go to Kafka or into a file, when they are due and not before."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import IO, Any, Final, Protocol
from zlib import crc32

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaError

from stream_app.simulate.record import SimRecord

_BREATH: Final = 200  # records between two chances for acknowledgements, signals and the display
_MAX_REQUEST_BYTES: Final = 8 * 1024 * 1024  # what crm.events takes; bad input may be over 1 MiB
_BATCH_BYTES: Final = 256 * 1024
_LINGER_MS: Final = 20
_TOPIC_TRIES: Final = 5  # a topic created just now is not known everywhere at once
_TOPIC_TRY_SECONDS: Final = 0.25


class CannotSend(Exception):
    """The records could not be sent; the message says why and what to do."""


class Outlet(Protocol):
    """Where records go."""

    async def put(self, record: SimRecord) -> None:
        """Take one record; what was put before it comes before it.

        Raises:
            CannotSend: it, or one before it, was refused.
        """

    async def settle(self) -> None:
        """Return when everything put is where it belongs.

        Raises:
            CannotSend: something was refused.
        """


async def deliver(
    records: Iterable[SimRecord],
    outlet: Outlet,
    *,
    stop: asyncio.Event | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> int:
    """Put records into an outlet, each when it is due; return how many.

    Args:
        records: in the order of the log.
        outlet: where to.
        stop: once set, no further record is taken; a record taken is always put.
        on_progress: called with the number put so far, often enough for a display.

    Raises:
        CannotSend: see `Outlet`.
    """
    stop = stop or asyncio.Event()
    loop = asyncio.get_running_loop()
    began = loop.time()
    put = 0
    source = iter(records)
    while not stop.is_set():
        record = next(source, None)
        if record is None:
            break
        early = record.due_seconds and record.due_seconds - (loop.time() - began)
        if early > 0:
            if on_progress is not None:
                on_progress(put)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), early)
        await outlet.put(record)
        put += 1
        if put % _BREATH == 0:
            await asyncio.sleep(0)
            if on_progress is not None:
                on_progress(put)
    await outlet.settle()
    if on_progress is not None:
        on_progress(put)
    return put


class KafkaOutlet:
    """Sends to one topic with an idempotent producer; see `send`."""

    def __init__(self, producer: AIOKafkaProducer, topic: str, partitions: int) -> None:
        self._producer = producer
        self._topic = topic
        self._partitions = partitions
        self._refused: BaseException | None = None

    async def put(self, record: SimRecord) -> None:
        """Hand one record to the producer, which keeps the order within each partition."""
        self._raise_refusal()
        # Without a key the partitioner draws lots; the same run shall fill the same partitions.
        partition = None
        if record.key is None:
            partition = crc32(record.value or b"") % self._partitions
        try:
            sent = await self._producer.send(
                self._topic,
                record.value,
                key=record.key,
                partition=partition,
                timestamp_ms=record.timestamp_ms,
            )
        except KafkaError as error:
            raise self._cannot(error) from error
        sent.add_done_callback(self._note)

    async def settle(self) -> None:
        """Wait until the broker has acknowledged everything."""
        await self._producer.flush()
        self._raise_refusal()

    def _note(self, sent: "asyncio.Future[object]") -> None:
        if not sent.cancelled() and (error := sent.exception()) is not None:
            self._refused = self._refused or error

    def _raise_refusal(self) -> None:
        if self._refused is not None:
            raise self._cannot(self._refused) from self._refused

    def _cannot(self, error: BaseException) -> CannotSend:
        return CannotSend(
            f"{self._topic} does not take the records: {error!r}. Is the broker still up, and was "
            "the topic created by stream-app (max.message.bytes 8 MiB)?"
        )


class JsonLinesOutlet:
    """Writes one JSON object per record: `key`, `timestamp_ms`, `value`, `expected`.

    A value that is not UTF-8 is in `value_base64` instead.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    async def put(self, record: SimRecord) -> None:
        """Write one line."""
        line: dict[str, object] = {
            "key": None if record.key is None else record.key.decode(),
            "timestamp_ms": record.timestamp_ms,
        }
        try:
            line["value"] = None if record.value is None else record.value.decode()
        except UnicodeDecodeError:
            line["value_base64"] = record.value  # msgspec writes bytes as base64
        line["expected"] = record.expected
        self._file.write(msgspec.json.encode(line).decode() + "\n")
        if record.due_seconds:
            self._file.flush()

    async def settle(self) -> None:
        """Flush the file."""
        self._file.flush()


async def send(
    records: Iterable[SimRecord],
    bootstrap: Sequence[str],
    topic: str,
    *,
    security: Mapping[str, Any] | None = None,
    stop: asyncio.Event | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> int:
    """Send records to a topic and return how many, once all are acknowledged by all replicas.

    The producer is idempotent, so nothing is lost, repeated or reordered within a partition; keys
    are placed by Kafka's own default partitioner (murmur2).

    Args:
        records: in the order of the log.
        bootstrap: brokers, each `host:port`.
        topic: it must exist.
        security: aiokafka's `security_protocol`, `sasl_…` and `ssl_context`.
        stop: see `deliver`.
        on_progress: see `deliver`.

    Raises:
        CannotSend: no broker answers, there is no such topic, or a record was refused.
    """
    producer = AIOKafkaProducer(
        bootstrap_servers=list(bootstrap),
        enable_idempotence=True,
        acks="all",
        linger_ms=_LINGER_MS,
        max_batch_size=_BATCH_BYTES,
        max_request_size=_MAX_REQUEST_BYTES,
        **(security or {}),
    )
    try:
        await producer.start()
    except KafkaConnectionError as error:
        await producer.stop()
        raise CannotSend(
            f"no Kafka broker answers at {', '.join(bootstrap)}; start one, or set "
            "STREAM_APP_KAFKA to where it is"
        ) from error
    try:
        partitions = await _partitions(producer, topic)
        outlet = KafkaOutlet(producer, topic, partitions)
        return await deliver(records, outlet, stop=stop, on_progress=on_progress)
    finally:
        await producer.stop()


async def _partitions(producer: AIOKafkaProducer, topic: str) -> int:
    """Return how many partitions a topic has; `partitions_for` would log every failed try."""
    for tries in range(_TOPIC_TRIES):
        await asyncio.sleep(_TOPIC_TRY_SECONDS if tries else 0)
        cluster = await producer.client.fetch_all_metadata()
        found: set[int] | None = cluster.partitions_for_topic(topic)
        if found:
            return len(found)
    raise CannotSend(
        f"the broker has no topic {topic}; start a worker once, it creates the topics, or set "
        "STREAM_APP_TOPIC_PREFIX to the prefix they have"
    )
