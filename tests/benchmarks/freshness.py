"""How old a change is when its values were published, at some rates of events.

    python -m tests.benchmarks.freshness 20 1000

Not collected by pytest. A past is written and counted first. Then events come in real time for a
while; the worker's own histogram `stream_app_freshness_seconds` says how old the news were. Beside
it: the processor time the worker took, and how long a page waited that its loop answers.
"""

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import yaml

from stream_app.local.stack import LocalStack
from stream_app.settings import load
from stream_app.simulate import Options, matching_configuration
from stream_app.transport.topics import contract_topics, ensure_topics
from tests.acceptance.worker_process import WorkerProcess, wait_until
from tests.benchmarks.worker import Waits

PARTITIONS = 4
PAST = 20_000
SECONDS = 30


def main() -> int:
    """Print a line for each rate."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rates", type=int, nargs="*", default=[20, 1_000])
    for rate in parser.parse_args().rates:
        with tempfile.TemporaryDirectory() as folder, LocalStack() as stack:
            measured(Path(folder), stack, rate)
    return 0


def measured(folder: Path, stack: LocalStack, rate: int) -> None:
    config = folder / "company.yaml"
    options = Options(start=datetime.now(UTC), events=PAST, days=30.0, seed=7)
    config.write_text(yaml.safe_dump(matching_configuration(options)))
    environment = {
        "STREAM_APP_KAFKA": stack.broker.bootstrap,
        "STREAM_APP_REDIS": stack.redis.url,
        "STREAM_APP_CONFIG": str(config),
    }
    settings = load(environment)
    topics = contract_topics(settings.topics, "none", PARTITIONS)[:1]
    asyncio.run(ensure_topics(settings.kafka, topics))
    simulator = [sys.executable, "-m", "stream_app", "simulate", "--seed"]
    paths = {"env": environment | _path(), "stdout": subprocess.DEVNULL}
    past = ["7", "--events", str(PAST), "--days", "30"]
    subprocess.run(simulator + past, check=True, **paths)
    worker = WorkerProcess(environment, folder / "worker.log")
    events = settings.topics.events
    wait_until(lambda: worker.records(events) >= PAST, 300, worker.log_path)
    worker.await_ready(300)
    _await_quiet(worker)
    live = ["8", "--history-events", "0", "--rate", str(rate), "--duration", f"{SECONDS}s"]
    before, cpu_before = _heard(worker), _processor_s(worker)
    with Waits(worker.address) as waits:
        subprocess.run(simulator + live, check=True, **paths)
        time.sleep(2)
    after = _heard(worker)
    news = {bound: count - before.get(bound, 0) for bound, count in after.items()}
    told = f"{rate:5d}/s: news {news[float('inf')]:6.0f}"
    told += "".join(f", {share} % within {_bound(news, share):g} s" for share in (50, 95, 99))
    cpu_s = _processor_s(worker) - cpu_before
    print(f"{told}; processor {cpu_s / SECONDS:.0%}, page {waits.most():.0f} ms (99 %)")
    worker.stop()


def _await_quiet(worker: WorkerProcess) -> None:
    """Until the values of the past were published: the worker has little to do."""
    used_s = 0.0
    while (now_s := _processor_s(worker)) - used_s > 0.5:
        used_s = now_s
        time.sleep(3)


def _heard(worker: WorkerProcess) -> dict[float, float]:
    """Upper bound of each bucket → news that were at most as old."""
    name = "stream_app_freshness_seconds_bucket"
    return {float(labels["le"]): v for n, labels, v in worker.samples() if n == name}


def _processor_s(worker: WorkerProcess) -> float:
    return next(v for name, _, v in worker.samples() if name == "process_cpu_seconds_total")


def _bound(news: Mapping[float, float], share: int) -> float:
    return min(b for b, count in news.items() if count >= news[float("inf")] * share / 100)


def _path() -> dict[str, str]:
    return {"PATH": str(Path(sys.executable).parent)}


if __name__ == "__main__":
    sys.exit(main())
