"""What the second copy of every cell costs, and what reading the first instead would.

    python -m tests.benchmarks.second_copy

Measures the state of the stack that STREAM_APP_… names, after a worker has counted something: start
`stream-app demo` and paste its export lines first. It writes one scratch topic and one scratch key
and removes both. Not collected by pytest; decisions/0005 quotes its figures.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient

from stream_app.company import load_company
from stream_app.settings import from_environment
from stream_app.state.client import Client, connect
from stream_app.state.keys import PartitionKeys
from stream_app.transport.publisher import Outgoing, Publisher
from stream_app.transport.topics import TopicSpec, ensure_topics, partition_counts
from stream_app.wire.partial import decode_cell, encode_value, partial_key

SAMPLE_CELLS = 1_000
ROUNDS = 20
SCRATCH = "second-copy"


def tell(what: str, figure: str) -> None:
    print(f"{what:58s} {figure:>16s}")


def median_us(seconds: list[float], cells: int) -> str:
    return f"{sorted(seconds)[len(seconds) // 2] / cells * 1e6:,.1f} µs"


async def main() -> None:
    settings = from_environment()
    version = load_company(settings.config_path).state_version
    namespace = f"stream-app:{settings.topic_prefix}{version}"
    events, partials = settings.topics.events, settings.topics.partials(version)
    counts = await partition_counts(settings.kafka, [events, partials])
    sources = [PartitionKeys(namespace, events, p).of("cells") for p in range(counts[events])]
    redis = connect(settings.redis_url)
    try:
        await sizes(redis, namespace, partials, sources, counts[partials])
        await times(redis, sources, settings.kafka)
    finally:
        await redis.aclose()


async def sizes(
    redis: Client, namespace: str, partials: str, sources: list[bytes], partitions: int
) -> None:
    first_cells = first_bytes = second_cells = second_bytes = 0
    for key in sources:
        first_cells += await redis.hlen(key)  # type: ignore[misc]
        first_bytes += await redis.memory_usage(key, samples=200) or 0
    for partition in range(partitions):
        groups = PartitionKeys(namespace, partials, partition).groups("scope_cells")
        async for key in redis.scan_iter(match=groups.decode() + "*", count=1_000):
            second_cells += await redis.hlen(key)  # type: ignore[misc]
            second_bytes += await redis.memory_usage(key, samples=200) or 0
    used = (await redis.info("memory"))["used_memory"]
    tell("cells of stage one", f"{first_cells:,}")
    tell("their bytes in Redis, each", f"{first_bytes / first_cells:,.0f}")
    tell("copies in stage two", f"{second_cells:,}")
    tell("their bytes in Redis, each", f"{second_bytes / second_cells:,.0f}")
    tell("share of all that Redis holds", f"{second_bytes / used:.1%}")


async def times(redis: Client, sources: list[bytes], servers: tuple[str, ...]) -> None:
    fields = [field for key in sources for field in await redis.hkeys(key)]  # type: ignore[misc]
    names = random.Random(1).sample(sorted(set(fields)), SAMPLE_CELLS)  # noqa: S311
    tell("source partitions that have a cell, on average", f"{len(fields) / len(set(fields)):.2f}")
    rows: list[tuple[bytes, bytes]] = []
    reading: list[float] = []
    for _ in range(ROUNDS):
        rows.clear()
        begun = time.perf_counter()
        pipeline = redis.pipeline(transaction=False)
        for key in sources:
            pipeline.hmget(key, names)
        for number, values in enumerate(await pipeline.execute()):
            for name, value in zip(names, values, strict=True):
                if value is not None:
                    decode_cell(value)
                    rows.append((partial_key(name.decode(), str(number)), value))
        reading.append(time.perf_counter() - begun)
    cells = [(key, decode_cell(value)) for key, value in rows][:SAMPLE_CELLS]
    encoding: list[float] = []
    storing: list[float] = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        values = [encode_value(cell) for _, cell in cells]
        for value in values:
            decode_cell(value)
        encoding.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        mapping: Any = {key: value for (key, _), value in zip(cells, values, strict=True)}
        await redis.hset(SCRATCH, mapping=mapping)  # type: ignore[misc]
        storing.append(time.perf_counter() - begun)
    await redis.delete(SCRATCH)
    async with log(servers) as (publisher, consumer):
        whole = [Outgoing(SCRATCH, key, encode_value(cell)) for key, cell in cells]
        bare = [Outgoing(SCRATCH, key, b"1") for key, _ in cells]
        with_values = [await through(publisher, consumer, whole) for _ in range(ROUNDS)]
        names_only = [await through(publisher, consumer, bare) for _ in range(ROUNDS)]
    one = len(cells)
    tell("dirty cell: read and decode all its sources", median_us(reading, SAMPLE_CELLS))
    tell("partial: encode and decode", median_us(encoding, one))
    tell("partial: write the copy (HSET)", median_us(storing, one))
    tell("partial: through Kafka", median_us(with_values, one))
    tell("name alone: through Kafka", median_us(names_only, one))
    bytes_each = sum(len(r.key or b"") + len(r.value or b"") for r in whole) / one
    tell("bytes of key and value of a partial", f"{bytes_each:,.0f}")


@asynccontextmanager
async def log(servers: tuple[str, ...]) -> AsyncIterator[tuple[Publisher, AIOKafkaConsumer]]:
    await ensure_topics(servers, [TopicSpec(SCRATCH, 1)])
    consumer = AIOKafkaConsumer(SCRATCH, bootstrap_servers=list(servers))
    await consumer.start()
    await consumer.seek_to_end()
    try:
        async with Publisher(list(servers)) as publisher:
            yield publisher, consumer
    finally:
        await consumer.stop()
        admin = AIOKafkaAdminClient(bootstrap_servers=list(servers))
        await admin.start()
        await admin.delete_topics([SCRATCH])
        await admin.close()


async def through(
    publisher: Publisher, consumer: AIOKafkaConsumer, records: list[Outgoing]
) -> float:
    begun = time.perf_counter()
    await publisher.send_all(records)
    seen = 0
    while seen < len(records):
        seen += sum(map(len, (await consumer.getmany(timeout_ms=1_000)).values()))
    return time.perf_counter() - begun


if __name__ == "__main__":
    asyncio.run(main())
