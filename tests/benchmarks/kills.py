"""A long run: many events through two workers, one of them killed on the way, then the proof.

    python -m tests.benchmarks.kills --events 200000 --kills 2

Not collected by pytest. Starts its own broker and Redis and leaves nothing running.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import yaml

from stream_app.local.stack import LocalStack
from stream_app.settings import load
from stream_app.simulate import Options, matching_configuration, simulate
from stream_app.simulate.delivery import send
from stream_app.transport.topics import contract_topics, ensure_topics
from tests.acceptance.worker_process import WorkerProcess, wait_until


def main() -> int:
    """Run it; the exit status is that of `verify`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--days", type=float, default=90)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=3_000)
    asked = parser.parse_args()
    options = Options(
        start=datetime(2026, 6, 1, tzinfo=UTC),
        events=asked.events,
        days=asked.days,
        seed=asked.seed,
        duplicates=0.05,
        disorder=0.10,
        corrections=0.01,
        bad=0.005,
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
        return _run(asked, options, environment, Path(folder))


def _run(asked: argparse.Namespace, options: Options, environment: dict, folder: Path) -> int:
    settings = load(environment)
    topics = settings.topics
    asyncio.run(ensure_topics(settings.kafka, contract_topics(topics, "none", 4)[:1]))
    workers = [WorkerProcess(environment, folder / f"worker-{n}.log") for n in range(2)]
    for worker in workers:
        worker.await_ready()
    simulation = simulate(options)
    began = time.monotonic()
    sent = asyncio.run(send(simulation, list(settings.kafka), topics.events))
    print(f"{sent:,} records sent in {time.monotonic() - began:.0f} s")
    print(f"planted: {simulation.manifest.document()}")

    def counted() -> int:
        return sum(worker.records(topics.events) for worker in workers)

    for number in range(asked.kills):
        goal = (number + 1) * sent // (asked.kills + 1)
        wait_until(lambda: counted() >= goal, asked.seconds, workers[0].log_path)  # noqa: B023
        done = counted()
        assert done < sent, "no work was left: the run does not count"
        workers[0].kill()
        print(f"{time.monotonic() - began:6.0f} s: SIGKILL with {done:,} of {sent:,} counted")
        workers[0] = WorkerProcess(environment, folder / f"worker-0-{number + 1}.log")
        workers[0].await_ready()
    wait_until(lambda: counted() >= sent, asked.seconds, workers[0].log_path)
    print(f"{time.monotonic() - began:6.0f} s: all counted")
    command = [sys.executable, "-m", "stream_app", "verify", "--wait", "120"]
    for worker in workers:
        command += ["--metrics", worker.address]
    status = subprocess.run(command, env=os.environ | environment, check=False).returncode
    print(f"{time.monotonic() - began:6.0f} s: verify ended with {status}")
    for worker in workers:
        if worker.exit_status is None:
            worker.stop()
            continue
        status = 1
        print(f"{worker.address} had ended with {worker.exit_status}; its log ends with:")
        print(worker.log_path.read_text(errors="replace")[-4_000:])
    return status


if __name__ == "__main__":
    sys.exit(main())
