"""What one state version holds, and how to be rid of it.

The topic goes before the keys. If only the topic is gone, workers stop and say so; if only the keys
were, they would count on and old partials with higher versions would win over the new ones.
"""

import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from stream_app.settings import Settings
from stream_app.state.client import Client, execute
from stream_app.state.keys import escaped_glob, namespace
from stream_app.transport.groups import delete_topic, group_of, members_of
from stream_app.transport.reading import NoSuchTopic, TopicReader
from stream_app.transport.security import Security

VERSION: Final = re.compile(r"[0-9a-f]{10}")
_SCAN_COUNT: Final = 5_000

Progress = Callable[[int, int], None]
"""Called with (keys deleted, keys there were)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What there is of a state version.

    Attributes:
        prefix: what the names of its keys begin with.
        keys: how many there are in Redis.
        group: of its workers.
        members: how many workers the group has now.
        topic: its `kpi.partials`.
        has_topic: whether that exists.
        records: how many of `crm.events` a rebuild will read; None: there is no such topic.
    """

    prefix: str
    keys: int
    group: str
    members: int
    topic: str
    has_topic: bool
    records: int | None


class StateVersion:
    """One state version of one topic prefix, to be looked at and thrown away.

    Args:
        redis: made by `client.connect`.
        settings: where things are.
        version: ten hexadecimal digits.
        security: how to speak to the brokers.
        kafka: the same as aiokafka takes it, with the servers.
    """

    def __init__(
        self,
        redis: Client,
        settings: Settings,
        version: str,
        *,
        security: Security,
        kafka: Mapping[str, Any],
    ) -> None:
        self._redis = redis
        self._settings = settings
        self._security = security
        self._kafka = kafka
        self.prefix: Final = f"{namespace(settings.topic_prefix, version)}:"
        self.group: Final = group_of(settings.topic_prefix, version)
        self.topic: Final = settings.topics.partials(version)

    async def look(self) -> Standing:
        """What there is; nothing is changed.

        Raises:
            StoreUnavailable, BrokerUnavailable: somebody does not answer.
        """
        servers = self._settings.kafka
        keys = 0
        async for some in self._keys():
            keys += len(some)
        return Standing(
            prefix=self.prefix,
            keys=keys,
            group=self.group,
            members=await members_of(servers, self.group, security=self._security),
            topic=self.topic,
            has_topic=await self._length(self.topic) is not None,
            records=await self._length(self._settings.topics.events),
        )

    async def discard(self, standing: Standing, progress: Progress | None = None) -> None:
        """Delete its topic, then its keys. Doing it again after an interruption does no harm.

        Raises:
            StoreUnavailable, BrokerUnavailable: somebody does not answer; do it again.
        """
        if standing.has_topic:
            await delete_topic(self._settings.kafka, self.topic, security=self._security)
        deleted = 0
        async for some in self._keys():
            if some:
                await execute(self._redis, "UNLINK", *some)
                deleted += len(some)
            if progress is not None:
                progress(deleted, max(deleted, standing.keys))

    async def _keys(self) -> AsyncIterator[list[bytes]]:
        pattern = escaped_glob(self.prefix.encode()) + b"*"
        cursor: Any = 0
        while True:
            found = await execute(
                self._redis, "SCAN", cursor, "MATCH", pattern, "COUNT", _SCAN_COUNT
            )
            cursor, keys = found
            yield list(keys)
            if not int(cursor):
                return

    async def _length(self, topic: str) -> int | None:
        try:
            async with await TopicReader.open(topic, self._kafka) as reader:
                begins, ends = reader.begins, await reader.ends()
        except NoSuchTopic:
            return None
        return sum(end - begins[partition] for partition, end in ends.items())
