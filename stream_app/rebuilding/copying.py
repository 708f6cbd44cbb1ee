"""Copying the log key by key, the only way to another number of partitions.

Kafka puts a key into a partition by their number: after a change a key's records lie in two of
them, and no fold sees all of a thread. In a copy each key is in one partition again.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from stream_app.transport.publisher import Outgoing, Publisher
from stream_app.transport.reading import TopicReader

_CHUNK: Final = 2_000

Progress = Callable[[int, int], None]


class NotEmpty(Exception):
    """The copy's topic already holds records; the message says what to do."""


class Copied(NamedTuple):
    """What became of a copy.

    Attributes:
        records: that were copied.
        missing: offsets before the beginnings of the source's partitions; nobody has them any more.
    """

    records: int
    missing: int


async def copy_log(
    source: str,
    target: str,
    kafka: Mapping[str, Any],
    publisher: Publisher,
    progress: Progress | None = None,
) -> Copied:
    """Copy all records with key, value, headers and timestamp.

    Records of one partition keep their order.

    Args:
        source: an existing topic.
        target: an existing, empty one.
        kafka: how to read.
        publisher: how to write.
        progress: called with (offsets passed, offsets to pass).

    Raises:
        NotEmpty: somebody wrote to the target before.
        NoSuchTopic, BrokerUnavailable, PublishRejected: delete the target and begin again.
    """
    async with await TopicReader.open(target, kafka) as reader:
        if any((await reader.ends()).values()):
            raise NotEmpty(
                f"{target} holds records already; expected an empty topic, so that nothing is "
                "there twice. Choose another --to-prefix, or delete that topic"
            )
    copied = 0
    chunk: list[Outgoing] = []
    async with await TopicReader.open(source, kafka) as reader:
        async for record in reader.read(progress=progress):
            headers, timestamp_ms = tuple(record.headers), record.timestamp
            chunk.append(Outgoing(target, record.key, record.value, None, headers, timestamp_ms))
            if len(chunk) == _CHUNK:
                copied += await publisher.send_all(chunk)
                chunk = []
        missing = sum(reader.begins.values())
    return Copied(copied + await publisher.send_all(chunk), missing)
