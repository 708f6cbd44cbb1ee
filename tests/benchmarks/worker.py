"""How many events one worker counts per second, beside a raw consumer that only decodes them.

    python -m tests.benchmarks.worker --events 200000

Not collected by pytest. The log is written first; then a raw aiokafka consumer reads and decodes
it (JSON only), then a worker counts it from the beginning to the last committed offset. Both read
the same topic on the same broker, one after the other, three times each for the raw consumer.
"""

import argparse
import asyncio
import sys
import tempfile
import threading
import time
import urllib.request
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import msgspec
import yaml
from aiokafka import AIOKafkaConsumer, TopicPartition

from stream_app.local.stack import LocalStack
from stream_app.settings import load
from stream_app.simulate import Options, matching_configuration, simulate
from stream_app.simulate.delivery import send
from stream_app.transport.topics import contract_topics, ensure_topics
from tests.acceptance.worker_process import WorkerProcess, wait_until

PARTITIONS = 4
_ASK_SECONDS = 0.2
"""More often, and the answers are a good part of what the worker does."""


def main() -> int:
    """Print both rates and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--days", type=float, default=90)
    parser.add_argument("--clean", action="store_true", help="no duplicates, disorder or bad input")
    asked = parser.parse_args()
    faults = (
        {}
        if asked.clean
        else {"duplicates": 0.05, "disorder": 0.1, "corrections": 0.01, "bad": 0.005}
    )
    options = Options(
        start=datetime(2026, 6, 1, tzinfo=UTC),
        events=asked.events,
        days=asked.days,
        seed=7,
        **faults,
    )
    with tempfile.TemporaryDirectory() as folder, LocalStack() as stack:
        content = matching_configuration(options)
        content["business"] = {"timezone": "Europe/Berlin", "currency": "EUR", "clock": "event"}
        config = Path(folder, "company.yaml")
        config.write_text(yaml.safe_dump(content), encoding="utf-8")
        environment = {
            "STREAM_APP_KAFKA": stack.broker.bootstrap,
            "STREAM_APP_REDIS": stack.redis.url,
            "STREAM_APP_CONFIG": str(config),
        }
        settings = load(environment)
        topic = settings.topics.events
        asyncio.run(
            ensure_topics(settings.kafka, contract_topics(settings.topics, "none", PARTITIONS)[:1])
        )
        sent = asyncio.run(send(simulate(options), list(settings.kafka), topic))
        runs = [asyncio.run(_raw(settings.kafka[0], topic, sent)) for _ in range(3)]
        raw, raw_us = max(rate for rate, _ in runs), min(us for _, us in runs)
        began = time.monotonic()
        worker = WorkerProcess(environment, Path(folder, "worker.log"))
        wait_until(lambda: worker.records(topic) > 0, 60, worker.log_path)
        started, at_start = time.monotonic(), worker.records(topic)
        with Waits(worker.address) as waits:
            wait_until(lambda: worker.records(topic) >= sent, 3_600, worker.log_path)
        rate = (sent - at_start) / (time.monotonic() - started)
        cpu_s = next(v for name, _, v in worker.samples() if name == "process_cpu_seconds_total")
        print(f"{sent:,} records, {asked.days:g} days of history")
        print(f"raw consumer, JSON decoded   {raw:12,.0f} records/s (best of 3)")
        print(f"one worker, committed        {rate:12,.0f} records/s")
        print(f"ratio                        {rate / raw:12.4f}")
        used_us = cpu_s / sent * 1e6
        print(f"processor time        {used_us:12.0f} µs/record, {used_us / raw_us:.0f} x raw")
        print(f"start to first commit {started - began:12.1f} s")
        print(f"start to last commit  {time.monotonic() - began:12.1f} s")
        print(f"waited for its loop   {waits.longest():12.0f} ms (99 %: {waits.most():.0f} ms)")
        worker.stop()
    return 0


class Waits:
    """How long a page that the worker's event loop answers is waited for while it works."""

    def __init__(self, address: str) -> None:
        self._url = f"http://{address}/healthz"
        self._over = threading.Event()
        self._took_ms: list[float] = []
        self._thread = threading.Thread(target=self._ask, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def longest(self) -> float:
        return max(self._took_ms)

    def most(self) -> float:
        return sorted(self._took_ms)[int(len(self._took_ms) * 0.99)]

    def _ask(self) -> None:
        while not self._over.wait(_ASK_SECONDS):
            began = time.monotonic()
            with urllib.request.urlopen(self._url, timeout=30) as answer:  # noqa: S310 - http
                answer.read()
            self._took_ms.append(1_000 * (time.monotonic() - began))


async def _raw(server: str, topic: str, expected: int) -> tuple[float, float]:
    """Records per second, and microseconds of processor time for each."""
    consumer = AIOKafkaConsumer(bootstrap_servers=server, enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, p) for p in range(PARTITIONS)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        decode = msgspec.json.Decoder().decode
        began, used_s, count = time.monotonic(), time.process_time(), 0
        while count < expected:
            for records in (await consumer.getmany(timeout_ms=500)).values():
                for record in records:
                    count += 1
                    with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                        decode(record.value or b"")
        used_us = 1e6 * (time.process_time() - used_s)
        return count / (time.monotonic() - began), used_us / count
    finally:
        await consumer.stop()


if __name__ == "__main__":
    sys.exit(main())
