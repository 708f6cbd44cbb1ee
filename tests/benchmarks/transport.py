"""How many records a second: raw aiokafka, our batches, our batches with a commit each, sending.

    python -m tests.benchmarks.transport [records]

Starts a broker and a Redis of its own. Not collected by pytest.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import faust
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from stream_app.local.broker import LocalBroker
from stream_app.local.redis_server import LocalRedis
from stream_app.state.claims import Claims
from stream_app.state.client import connect
from stream_app.transport.batch import Batch
from stream_app.transport.publisher import Outgoing, Publisher
from stream_app.transport.topics import TopicSpec, ensure_topics
from stream_app.transport.transport import batch_app, batch_topic

PARTITIONS = 4
VALUE = bytes(230)


def tell(what: str, records: int, started: float) -> None:
    rate = records / (time.perf_counter() - started)
    print(f"{what:40s} {rate:12,.0f} records/s", flush=True)


async def sending(servers: list[str], records: int) -> None:
    await ensure_topics(servers, [TopicSpec("log", PARTITIONS)])
    outgoing = [Outgoing("log", b"k%d" % (n % 5000), VALUE) for n in range(records)]
    async with Publisher(servers, send_timeout_s=120) as publisher:
        started = time.perf_counter()
        for at in range(0, records, 10_000):
            await publisher.send_all(outgoing[at : at + 10_000])
        tell("Publisher.send_all, 10,000 at a time", records, started)


async def raw(servers: list[str], records: int) -> None:
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, auto_offset_reset="earliest")
    await consumer.start()
    consumer.assign([TopicPartition("log", n) for n in range(PARTITIONS)])
    started = time.perf_counter()
    seen = 0
    while seen < records:
        seen += sum(map(len, (await consumer.getmany(timeout_ms=1000)).values()))
    tell("raw aiokafka getmany", records, started)
    await consumer.stop()


async def batches(
    servers: list[str], redis_url: str, records: int, name: str, rows_of: Callable[[Batch], int]
) -> None:
    redis = connect(redis_url)
    await redis.flushall()
    claims = Claims(redis, {"log": "stream-app:v1"})
    app = batch_app(f"bench-{len(name)}", servers, claims=claims)
    done = asyncio.Event()
    seen, started = 0, 0.0

    async def agent(stream: faust.Stream[Batch]) -> None:
        nonlocal seen, started
        async for batch in stream:
            started = started or time.perf_counter()
            if rows := rows_of(batch):
                state = claims[batch.tp]
                keys = [b"row-%d" % n for n in range(rows)]
                await state.prefetch("rows", keys)
                for key in keys:
                    state.put("rows", key, VALUE[:100])
                await state.commit(state.offset, batch.end, {"applied": batch.end})
            seen += len(batch)
            if seen == records:
                done.set()

    app.agent(batch_topic(app, "log"), name="bench")(agent)
    app.finalize()
    await app.start()
    await done.wait()
    tell(name, records, started)
    await app.stop()
    await redis.aclose()


async def main(records: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        broker, redis = LocalBroker(Path(directory, "kafka")), LocalRedis(Path(directory, "redis"))
        broker.start()
        redis.start()
        servers = [broker.bootstrap]
        try:
            await sending(servers, records)
            await raw(servers, records)
            for name, rows_of in (
                ("batches", lambda _: 0),
                ("batches, a commit of 1 row each", lambda _: 1),
                ("batches, a row read and written / record", len),
            ):
                await batches(servers, redis.url, records, name, rows_of)
        finally:
            broker.stop()
            redis.stop()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 400_000))
