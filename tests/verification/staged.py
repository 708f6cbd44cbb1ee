"""Topics and a Redis as a worker leaves them when it has read all of the small log."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from redis import Redis

from stream_app.company import Company
from stream_app.settings import Settings, Topics
from stream_app.state.keys import PartitionKeys
from stream_app.transport.publisher import Outgoing, Publisher
from stream_app.transport.topics import contract_topics, ensure_topics
from stream_app.verification.recompute import Recomputation
from stream_app.wire.dead_letter import DeadLetter
from stream_app.wire.experiment import encode_result
from stream_app.wire.reasons import Reason, Rejection
from stream_app.wire.tick import encode_tick
from tests.verification.small_log import NOW_US, PARTITIONS, encoded, log, recomputed


@dataclass
class Staged:
    """What is there; change it and call `written`."""

    settings: Settings
    company: Company
    recomputation: Recomputation
    values: dict[bytes, bytes]
    results: dict[bytes, bytes]
    letters: list[DeadLetter]
    counts: list[dict[str, int]]
    metrics: str = "127.0.0.1:1"
    ticks: bool = True
    redis_clock: bool = False
    also: list[Outgoing] = field(default_factory=list)

    @property
    def topics(self) -> Topics:
        return self.settings.topics

    @property
    def environment(self) -> dict[str, str]:
        return {
            "STREAM_APP_KAFKA": ",".join(self.settings.kafka),
            "STREAM_APP_REDIS": self.settings.redis_url,
            "STREAM_APP_TOPIC_PREFIX": self.settings.topic_prefix,
            "STREAM_APP_CONFIG": str(self.settings.config_path),
            "STREAM_APP_METRICS": self.metrics,
        }

    def written(self) -> "Staged":
        """Write everything to Kafka and Redis."""
        asyncio.run(self._write())
        namespace = f"stream-app:{self.settings.topic_prefix}{self.company.state_version}"
        with Redis.from_url(self.settings.redis_url) as redis:
            for partition, counts in enumerate(self.counts):
                keys = PartitionKeys(namespace, self.topics.events, partition)
                redis.hset(keys.meta, mapping={"offset": sum(counts.values()), **counts})
            if self.redis_clock:
                partials = self.topics.partials(self.company.state_version)
                meta = PartitionKeys(namespace, partials, 1).meta
                redis.hset(meta, mapping={"offset": 7, "now_us": NOW_US})
        return self

    async def _write(self) -> None:
        specs = contract_topics(self.topics, self.company.state_version, PARTITIONS)
        await ensure_topics(self.settings.kafka, specs)
        async with Publisher(self.settings.kafka) as publisher:
            await publisher.send_all(self._records())

    def _records(self) -> Iterable[Outgoing]:
        topics = self.topics
        for record in log():
            yield Outgoing(
                topics.events,
                record.key,
                record.value,
                record.partition,
                timestamp_ms=record.timestamp,
            )
        for key, value in self.values.items():
            yield Outgoing(topics.values, key, value)
        for key, value in self.results.items():
            yield Outgoing(topics.experiments, key, value)
        for letter in self.letters:
            yield Outgoing(topics.dead_letters, letter.key, letter.value, headers=letter.headers)
        if self.ticks:
            for now_us in (NOW_US - 60_000_000, NOW_US):
                yield Outgoing(topics.ticks, b"0", encode_tick(now_us), 0)
        yield from self.also


def stage(settings: Settings, company: Company) -> Staged:
    recomputation = recomputed(company)
    values = {key: encoded(said, revision=5) for key, said in recomputation.values(NOW_US)}
    times = {"event_time": "2026-03-20T11:00:00Z", "published_at": "2026-03-20T12:00:00.000Z"}
    results = {
        key: encode_result(said, **times, revision=5) for key, said in recomputation.results(NOW_US)
    }
    letters = [
        DeadLetter.of(
            Rejection(Reason(rejected.reason), "…"), settings.topics.events, *coordinates, b"?"
        )
        for coordinates, rejected in recomputation.dead_letters.items()
    ]
    counts = [outcomes.counts(outcomes.end) for outcomes in recomputation.outcomes.values()]
    return Staged(settings, company, recomputation, values, results, letters, counts)
