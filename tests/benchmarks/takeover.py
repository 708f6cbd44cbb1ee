"""How long a worker takes to take over, with little and with much in state.

    python -m tests.benchmarks.takeover --entities 10000 --entities 1000000

Fills Redis with that many leads by counting them, kills the only worker and starts another on the
same state: the time until it counts a new event (which includes the group's session timeout), and
without a death the time of a restart. Not collected by pytest; leaves nothing running.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import yaml
from redis import Redis

from stream_app.company import load_company
from stream_app.local.stack import LocalStack
from stream_app.settings import load
from stream_app.simulate import Options, matching_configuration
from stream_app.state.keys import PartitionKeys, namespace
from stream_app.transport.publisher import Outgoing, Publisher
from stream_app.transport.topics import contract_topics, ensure_topics
from tests.acceptance.worker_process import WorkerProcess, wait_until

PARTITIONS = 4
START = datetime(2026, 6, 1, tzinfo=UTC)
SESSION_SECONDS = 6
CHUNK = 20_000


def main() -> int:
    """Measure each size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--entities", type=int, action="append")
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    print(
        "entities   take-over after SIGKILL   restart after SIGTERM   memory of the worker  Redis"
    )
    for entities in asked.entities or [10_000, 1_000_000]:
        with tempfile.TemporaryDirectory() as folder, LocalStack() as stack:
            _measure(entities, asked.repeats, stack, Path(folder))
    return 0


def _measure(entities: int, repeats: int, stack: LocalStack, folder: Path) -> None:
    bench = _Bench(stack, folder)
    bench.send(_leads(entities, bench.prefix))
    worker = bench.start()
    wait_until(lambda: bench.counted() >= bench.sent, 7_200, worker.log_path)
    wait_until(lambda: bench.outbox() == 0, 7_200, worker.log_path)
    takeovers, restarts = [], []
    for _ in range(repeats):
        worker.kill()
        began = time.monotonic()
        worker = bench.start()
        takeovers.append(bench.until_counted(worker, began))
    for _ in range(repeats):
        worker.stop()
        began = time.monotonic()
        worker = bench.start()
        restarts.append(bench.until_counted(worker, began))
    memory = _memory_mb(worker)
    worker.stop()
    used_mb = bench.redis.info("memory")["used_memory"] / 1e6
    print(
        f"{entities:>9,}  {_seconds(takeovers)} (session {SESSION_SECONDS} s)  "
        f"{_seconds(restarts)}  {memory:,.0f} MB  {used_mb:,.0f} MB",
        flush=True,
    )


class _Bench:
    """A log of leads, and who counts them."""

    prefix = "takeover"

    def __init__(self, stack: LocalStack, folder: Path) -> None:
        content = matching_configuration(Options(start=START))
        content["business"] = {"timezone": "Europe/Berlin", "currency": "EUR", "clock": "event"}
        config = folder / "company.yaml"
        config.write_text(yaml.safe_dump(content), encoding="utf-8")
        self.folder = folder
        self.environment = {
            "STREAM_APP_KAFKA": stack.broker.bootstrap,
            "STREAM_APP_REDIS": stack.redis.url,
            "STREAM_APP_CONFIG": str(config),
            "STREAM_APP_SESSION_TIMEOUT_SECONDS": str(SESSION_SECONDS),
        }
        self.settings = load(self.environment)
        self.version = load_company(config).state_version
        self.redis = Redis.from_url(stack.redis.url)
        self.sent = 0
        self._workers = 0
        specs = contract_topics(self.settings.topics, self.version, PARTITIONS)
        asyncio.run(ensure_topics(self.settings.kafka, specs))

    def start(self) -> WorkerProcess:
        self._workers += 1
        return WorkerProcess(self.environment, self.folder / f"worker-{self._workers}.log")

    def send(self, records: Iterator[tuple[bytes, bytes, int]]) -> None:
        topic = self.settings.topics.events

        async def send() -> None:
            async with Publisher(self.settings.kafka, send_timeout_s=120) as publisher:
                chunk: list[Outgoing] = []
                for key, value, at_ms in records:
                    chunk.append(Outgoing(topic, key, value, None, (), at_ms))
                    if len(chunk) == CHUNK:
                        self.sent += await publisher.send_all(chunk)
                        chunk = []
                self.sent += await publisher.send_all(chunk)

        asyncio.run(send())

    def until_counted(self, worker: WorkerProcess, began: float) -> float:
        """Seconds from `began` until a new event of every partition is counted."""
        self.send(_leads(4 * PARTITIONS, f"{self.prefix}-{self._workers}"))
        wait_until(lambda: self.counted() >= self.sent, 600, worker.log_path)
        return time.monotonic() - began

    def counted(self) -> int:
        return sum(int(self.redis.hget(key.meta, "offset") or 0) for key in self._keys())

    def outbox(self) -> int:
        return sum(self.redis.hlen(key.outbox) for key in self._keys())

    def _keys(self) -> list[PartitionKeys]:
        names = namespace("", self.version)
        return [PartitionKeys(names, self.settings.topics.events, n) for n in range(PARTITIONS)]


def _leads(count: int, prefix: str) -> Iterator[tuple[bytes, bytes, int]]:
    for number in range(count):
        at = START + timedelta(seconds=number % 2_000_000)
        name = f"{prefix}-{number}"
        event = {
            "specversion": "1.0",
            "id": name,
            "source": "//benchmark",
            "type": "crm.lead.created.v1",
            "time": at.isoformat(),
            "data": {"lead_id": name, "rep": f"r-{number % 10:02}", "team": f"t-{number % 3}"},
        }
        yield name.encode(), msgspec.json.encode(event), int(at.timestamp() * 1000)


def _memory_mb(worker: WorkerProcess) -> float:
    named = {name: value for name, _, value in worker.samples()}
    return named.get("process_resident_memory_bytes", 0) / 1e6


def _seconds(all_of_them: list[float]) -> str:
    ordered = sorted(all_of_them)
    return f"{ordered[len(ordered) // 2]:.1f} s (of {ordered[0]:.1f}-{ordered[-1]:.1f})"


if __name__ == "__main__":
    sys.exit(main())
