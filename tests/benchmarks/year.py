"""A year of a whole company through one worker, then the proof; then other rates and formulas.

    python -m tests.benchmarks.year --events 500000

60 reps, 5 currencies, 3 pipelines, 2 % corrections that reach back months, late events, deletions,
an own measure and an own KPI. Afterwards rates and a formula are changed and the worker is started
again: no record is read again, and everything is proven anew. Not collected by pytest. Starts its
own broker and Redis and leaves nothing running.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import redis
import yaml

from stream_app.intake.connection import connection
from stream_app.local.stack import LocalStack
from stream_app.settings import Settings, load
from stream_app.simulate import Options, matching_configuration, simulate
from stream_app.simulate.delivery import send
from stream_app.transport.reading import TopicReader
from stream_app.transport.topics import contract_topics, ensure_topics
from tests.acceptance.worker_process import WorkerProcess, wait_until

CURRENCIES = ("EUR", "USD", "GBP", "CHF", "JPY")
SECONDS = 6_000


def main() -> int:
    """Run it; the exit status is 1 when a proof fails."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=500_000)
    parser.add_argument("--days", type=float, default=365)
    parser.add_argument("--reps", type=int, default=60)
    asked = parser.parse_args()
    options = Options(
        start=datetime(2025, 9, 1, tzinfo=UTC),
        events=asked.events,
        days=asked.days,
        reps=asked.reps,
        teams=6,
        currencies=CURRENCIES,
        pipelines=3,
        measures=("defects",),
        seed=11,
        duplicates=0.02,
        disorder=0.10,
        corrections=0.02,
        bad=0.002,
    )
    with tempfile.TemporaryDirectory() as folder, LocalStack() as stack:
        content: dict[str, Any] = matching_configuration(options)
        content["business"] = {"timezone": "Europe/Berlin", "currency": "EUR", "clock": "event"}
        content["kpis"] = {"defects_per_win": {"formula": "defects / deals_won", "unit": "ratio"}}
        config = Path(folder, "company.yaml")
        config.write_text(yaml.safe_dump(content), encoding="utf-8")
        environment = {
            "STREAM_APP_KAFKA": stack.broker.bootstrap,
            "STREAM_APP_REDIS": stack.redis.url,
            "STREAM_APP_CONFIG": str(config),
        }
        settings = load(environment)
        topics = contract_topics(settings.topics, "none", 4)[:1]
        asyncio.run(ensure_topics(settings.kafka, topics))
        simulation = simulate(options)
        sent = asyncio.run(send(simulation, list(settings.kafka), settings.topics.events))
        print(f"{sent:,} records of {asked.days:g} days; planted: {simulation.manifest.document()}")
        status = _counted_and_proven(environment, settings, sent, Path(folder, "first.log"))
        for currency, rate in content["currencies"].items():
            content["currencies"][currency] = {
                "2025-01-01": rate,
                "2026-03-01": str(round(float(rate) * 1.07, 6)),
            }
        content["kpis"]["defects_per_win"]["formula"] = "100 * defects / (deals_won + deals_lost)"
        content["kpis"]["win_rate"] = {"formula": "deals_won / deals_created", "unit": "ratio"}
        config.write_text(yaml.safe_dump(content), encoding="utf-8")
        print("── with other rates, an own formula changed, and a built-in one replaced")
        return status | _counted_and_proven(environment, settings, sent, Path(folder, "second.log"))


def _counted_and_proven(
    environment: Mapping[str, str], settings: Settings, sent: int, log: Path
) -> int:
    topic = settings.topics.events
    began = time.monotonic()
    worker = WorkerProcess(environment, log)
    wait_until(lambda: worker.records(topic) >= sent, SECONDS, log)
    taken = sum(v for name, _, v in worker.samples() if name == "stream_app_batch_records_sum")
    print(f"{time.monotonic() - began:6.0f} s: all counted; {taken:,.0f} records were read for it")
    command = [sys.executable, "-m", "stream_app", "verify", "--json", "--wait", "600"]
    command += ["--metrics", worker.address]
    done = subprocess.run(
        command, env=os.environ | dict(environment), check=False, capture_output=True, text=True
    )
    print(f"{time.monotonic() - began:6.0f} s: verify ended with {done.returncode}")
    print(json.dumps(json.loads(done.stdout), indent=1)[:3_000] if done.stdout else done.stderr)
    cpu_s = next(v for name, _, v in worker.samples() if name == "process_cpu_seconds_total")
    print(f"processor time of the worker {cpu_s:.0f} s")
    asyncio.run(_sizes(settings))
    return done.returncode | (worker.stop() != 0)


async def _sizes(settings: Settings) -> None:
    latest: dict[bytes, int] = {}
    records = total = 0
    async with await TopicReader.open(settings.topics.values, connection(settings)) as reader:
        async for record in reader.read():
            size = len(record.key or b"") + len(record.value or b"")
            records, total = records + 1, total + size
            if record.value is None:
                latest.pop(record.key or b"", None)
            else:
                latest[record.key or b""] = size
    used = redis.Redis.from_url(settings.redis_url).info("memory")["used_memory"]
    print(
        f"kpi.values: {records:,} records of {total / 1e6:,.0f} MB were written, {len(latest):,} "
        f"of {sum(latest.values()) / 1e6:,.0f} MB stand; Redis holds {used / 1e6:,.0f} MB"
    )


if __name__ == "__main__":
    sys.exit(main())
