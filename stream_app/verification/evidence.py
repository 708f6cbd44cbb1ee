"""What `verify` looks at, read bit by bit: the log, the values, the dead letters, the clock."""

import math
from collections.abc import Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Final, Self

from stream_app.settings import Topics
from stream_app.transport.reading import NoSuchTopic, Progress, TopicReader
from stream_app.verification.letters import FoundLetters
from stream_app.verification.recompute import Recomputation
from stream_app.wire.dead_letter import DeadLetter, NotADeadLetter
from stream_app.wire.tick import decode_tick


class Evidence:
    """The topics of one company, each read from its beginning and then on.

    Attributes:
        values: key → what stands in `kpi.values`.
        published: key → what was published under it since `read_values` was called last.
        superseded: key → what stood under it before that.
        results: key → what stands in `kpi.experiments`; `published_results` like `published`.
        letters: what stands in `crm.dead-letters` about `crm.events`.
        last_tick_us: the latest tick, None: there is none.
        warnings: what is strange about the topics.
    """

    def __init__(self, topics: Topics) -> None:
        self._topics: Final = topics
        self._stack = AsyncExitStack()
        self._events: TopicReader
        self._values: TopicReader
        self._results: TopicReader | None = None
        self._ticks: TopicReader | None = None
        self._dead_letters: TopicReader | None = None
        self._cut: set[int] = set()
        self._has_values = False
        self._has_results = False
        self.values: dict[bytes, bytes] = {}
        self.published: dict[bytes, list[bytes]] = {}
        self.superseded: dict[bytes, bytes] = {}
        self.results: dict[bytes, bytes] = {}
        self.published_results: dict[bytes, list[bytes]] = {}
        self.letters = FoundLetters()
        self.last_tick_us: int | None = None
        self.warnings: list[str] = []

    @classmethod
    async def open(cls, topics: Topics, kafka: Mapping[str, Any]) -> Self:
        """Connect.

        Raises:
            BrokerUnavailable: no broker answers.
            NoSuchTopic: there is no `crm.events` or no `kpi.values`.
        """
        evidence = cls(topics)
        try:
            await evidence._open(kafka)
        except BaseException:
            await evidence._stack.aclose()
            raise
        return evidence

    async def _open(self, kafka: Mapping[str, Any]) -> None:
        async def reader(topic: str, last: int | None = None) -> TopicReader:
            opened = await TopicReader.open(topic, kafka, last=last)
            return await self._stack.enter_async_context(opened)

        self._events = await reader(self._topics.events)
        self._values = await reader(self._topics.values)
        try:
            self._results = await reader(self._topics.experiments)
        except NoSuchTopic:
            self.warnings.append(f"there is no topic {self._topics.experiments}")
        try:
            self._ticks = await reader(self._topics.ticks, last=1)
        except NoSuchTopic:
            self.warnings.append(f"there is no topic {self._topics.ticks}: nothing told the time")
        try:
            self._dead_letters = await reader(self._topics.dead_letters)
            begins = self._dead_letters.begins
            self._cut = {partition for partition, begin in begins.items() if begin}
        except NoSuchTopic:
            self.warnings.append(f"there is no topic {self._topics.dead_letters}")
        for partition, begin in self._events.begins.items():
            if begin:
                self.warnings.append(
                    f"{self._topics.events}/{partition} begins at offset {begin:,}: what came "
                    "before is gone, so KPIs that were counted from it cannot be confirmed"
                )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    @property
    def partitions(self) -> int:
        """Partitions of `crm.events`."""
        return self._events.partitions

    def announce(self, recomputation: Recomputation) -> None:
        """Tell where the log begins."""
        for partition, begin in self._events.begins.items():
            recomputation.begin(partition, begin)

    @property
    def log_ends(self) -> dict[int, int]:
        """Partition → how far the log was read."""
        return {p: self._events.position(p) for p in range(self._events.partitions)}

    @property
    def log_begins(self) -> Mapping[int, int]:
        """Partition → where the log began."""
        return self._events.begins

    async def read_log(self, into: Recomputation, progress: Progress | None = None) -> int:
        """Take in the log up to where it ends now; how many records that were.

        Raises:
            BrokerUnavailable: the brokers stopped answering.
        """
        before = into.records
        async for record in self._events.read(progress):
            into.add(record.partition, record)
        return into.records - before

    async def read_values(self, progress: Progress | None = None) -> None:
        """Follow `kpi.values` to where it ends now.

        Raises:
            BrokerUnavailable: the brokers stopped answering.
        """
        self.published, self.superseded = {}, {}
        async for record in self._values.read(progress):
            key, value = record.key, record.value
            if key is None:
                continue
            if value is None:
                self.values.pop(key, None)
                continue
            if self._has_values and key in self.values:
                self.superseded.setdefault(key, self.values[key])
            self.values[key] = value
            if self._has_values:
                self.published.setdefault(key, []).append(value)
        self._has_values = True

    async def read_results(self) -> None:
        """Follow `kpi.experiments` to where it ends now.

        Raises:
            BrokerUnavailable: the brokers stopped answering.
        """
        self.published_results = {}
        if self._results is None:
            return
        async for record in self._results.read():
            if record.key is None:
                continue
            if record.value is None:
                self.results.pop(record.key, None)
                continue
            self.results[record.key] = record.value
            if self._has_results:
                self.published_results.setdefault(record.key, []).append(record.value)
        self._has_results = True

    async def read_ticks(self) -> None:
        """Hear what time it is.

        Raises:
            BrokerUnavailable: the brokers stopped answering.
        """
        if self._ticks is None:
            return
        async for record in self._ticks.read():
            try:
                tick_us = decode_tick(record.value or b"")
            except ValueError:
                continue
            self.last_tick_us = max(tick_us, self.last_tick_us or 0)

    async def read_letters(self, progress: Progress | None = None) -> None:
        """Follow `crm.dead-letters` to where it ends now.

        Raises:
            BrokerUnavailable: the brokers stopped answering.
        """
        reader = self._dead_letters
        if reader is None:
            return
        async for record in reader.read(progress):
            if record.partition in self._cut:
                # Of this partition older letters are gone; the first that is left says since when.
                self.letters.since_ms = max(self.letters.since_ms, record.timestamp)
                self._cut.discard(record.partition)
            try:
                letter = DeadLetter.read(record.headers, record.value)
            except NotADeadLetter:
                self.letters.unreadable += 1
                continue
            if letter.topic == self._topics.events:
                self.letters.note((letter.partition, letter.offset), letter.reason)
        if self._cut:
            self.letters.since_ms = math.inf
            self._cut.clear()
