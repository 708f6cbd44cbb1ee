"""A soak: a steady rate, a kill every two minutes, memory and files watched, the proof at the end.

    python -m tests.benchmarks.soak --minutes 60

Not collected by pytest. Starts its own broker and Redis and leaves nothing running. Exit status:
that of `verify`.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml
from redis import Redis

from stream_app.company import load_company
from stream_app.local.stack import LocalStack
from stream_app.settings import load
from stream_app.simulate import Options, matching_configuration, simulate
from stream_app.simulate.delivery import send
from stream_app.state.keys import PartitionKeys, namespace
from stream_app.transport.topics import contract_topics, ensure_topics
from tests.acceptance.worker_process import WorkerProcess, wait_until

PARTITIONS = 4
WORKERS = 2
POLL_SECONDS = 1.0


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=float, default=1_000, help="events per second (1000)")
    parser.add_argument("--kill-every", type=float, default=120, help="seconds (120)")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    days = 60.0
    options = Options(
        start=datetime.now(UTC) - timedelta(days=days),
        days=days,
        events=int(asked.minutes * 60 * asked.rate),
        rate=asked.rate,
        seed=asked.seed,
        duplicates=0.02,
        disorder=0.05,
        bad=0.002,
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
            "STREAM_APP_SESSION_TIMEOUT_SECONDS": "6",
        }
        return _Soak(asked, options, environment, Path(folder)).run()


class _Soak:
    """The steady worker is never killed: it is the one whose memory and files are watched."""

    def __init__(
        self, asked: argparse.Namespace, options: Options, environment: dict, folder: Path
    ) -> None:
        self.asked = asked
        self.options = options
        self.environment = environment
        self.folder = folder
        self.settings = load(environment)
        version = load_company(self.settings.config_path).state_version
        self._names = namespace("", version)
        self._redis = Redis.from_url(environment["STREAM_APP_REDIS"])
        self.sent = 0
        self.kills = 0
        specs = contract_topics(self.settings.topics, version, PARTITIONS)
        asyncio.run(ensure_topics(self.settings.kafka, specs))

    def run(self) -> int:
        steady, other = self._start(), self._start()
        for worker in (steady, other):
            worker.await_ready()
        producer = threading.Thread(target=self._produce, daemon=True)
        producer.start()
        began = time.monotonic()
        killed_at = began
        self._look(began, steady, other)
        while producer.is_alive():
            producer.join(POLL_SECONDS)
            if time.monotonic() - killed_at >= self.asked.kill_every:
                killed_at = time.monotonic()
                other.kill()
                self.kills += 1
                other = self._start()
                self._look(began, steady, other)
            if steady.exit_status is not None:
                print(steady.log_path.read_text(errors="replace")[-4_000:])
                return 1
        wait_until(lambda: self._counted() >= self.sent, 600, steady.log_path)
        print(f"{self.sent:,} records counted, {self.kills} kills")
        self._look(began, steady, other)
        command = [sys.executable, "-m", "stream_app", "verify", "--wait", "120"]
        for worker in (steady, other):
            command += ["--metrics", worker.address]
        status = subprocess.run(command, env=os.environ | self.environment, check=False).returncode
        for worker in (steady, other):
            worker.stop()
        return status

    def _produce(self) -> None:
        topic, servers = self.settings.topics.events, list(self.settings.kafka)
        self.sent = asyncio.run(send(simulate(self.options), servers, topic))

    def _start(self) -> WorkerProcess:
        number = len(list(self.folder.glob("worker-*.log")))
        return WorkerProcess(self.environment, self.folder / f"worker-{number:03}.log")

    def _counted(self) -> int:
        keys = [
            PartitionKeys(self._names, self.settings.topics.events, n) for n in range(PARTITIONS)
        ]
        return sum(int(self._redis.hget(key.meta, "offset") or 0) for key in keys)

    def _look(self, began: float, *workers: WorkerProcess) -> None:
        shown = []
        for name, worker in zip(("steady", "killed"), workers, strict=True):
            said = {sample: value for sample, _, value in worker.samples()}
            memory = said.get("process_resident_memory_bytes", 0) / 1e6
            files = said.get("process_open_fds", 0)
            shown.append(f"{name} worker {memory:,.0f} MB, {files:.0f} files")
        used = self._redis.info("memory")["used_memory"] / 1e6
        seconds = time.monotonic() - began
        print(
            f"{seconds:6.0f} s: {self._counted():,} counted; {'; '.join(shown)}; "
            f"Redis {used:,.0f} MB",
            flush=True,
        )


if __name__ == "__main__":
    sys.exit(main())
