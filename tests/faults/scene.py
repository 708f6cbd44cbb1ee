"""Where faults happen: a company, a log that grows slice by slice, and the proof at the end."""

import asyncio
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import yaml
from redis import Redis

from stream_app.company import load_company
from stream_app.settings import Settings, load
from stream_app.simulate import Options, matching_configuration, simulate
from stream_app.simulate.delivery import send
from stream_app.simulate.record import SimRecord
from stream_app.state.keys import PartitionKeys, namespace
from stream_app.transport.topics import contract_topics, ensure_topics
from tests.acceptance.worker_process import wait_until

PARTITIONS = 4
DAYS = 45
EVENT_START = datetime(2026, 6, 1, tzinfo=UTC)

Clock = Literal["event", "wall"]
"""What "now" follows: the newest event, or the time of day (with ticks, and at the very end)."""


@dataclass(frozen=True)
class Verdict:
    """What `verify` said."""

    status: int
    differences: int
    records: int
    text: str


class Scene:
    """A company whose events arrive in slices, and whose state can be looked at in Redis."""

    def __init__(
        self,
        folder: Path,
        bootstrap: str,
        redis_url: str,
        *,
        events: int,
        seed: int,
        prefix: str = "",
        session_seconds: int = 6,
        batch_records: int = 200,
        clock: Clock = "event",
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        options = Options(
            start=EVENT_START if clock == "event" else midnight - timedelta(days=DAYS),
            events=events,
            days=DAYS,
            seed=seed,
            reps=8,
            duplicates=0.05,
            disorder=0.10,
            corrections=0.01,
            bad=0.005,
        )
        content = matching_configuration(options)
        content["business"] = {"timezone": "Europe/Berlin", "currency": "EUR", "clock": clock}
        config = folder / "company.yaml"
        config.write_text(yaml.safe_dump(content), encoding="utf-8")
        self.folder = folder
        self.environment: Mapping[str, str] = {
            "STREAM_APP_KAFKA": bootstrap,
            "STREAM_APP_REDIS": redis_url,
            "STREAM_APP_CONFIG": str(config),
            "STREAM_APP_TOPIC_PREFIX": prefix,
            "STREAM_APP_SESSION_TIMEOUT_SECONDS": str(session_seconds),
            "STREAM_APP_BATCH_RECORDS": str(batch_records),
        }
        self.settings: Settings = load(self.environment)
        self.sent = 0
        self._records: Iterator[SimRecord] = simulate(options)
        version = load_company(config).state_version
        self.namespace = namespace(prefix, version)
        self.partials = self.settings.topics.partials(version)
        self._redis = Redis.from_url(redis_url, socket_timeout=5)
        specs = contract_topics(self.settings.topics, version, PARTITIONS)
        asyncio.run(ensure_topics(self.settings.kafka, specs))

    @property
    def events_topic(self) -> str:
        """`crm.events`."""
        return self.settings.topics.events

    def send(self, records: int | None) -> int:
        """The next so many records of the log (None: all); how many there were."""
        part = list(itertools.islice(self._records, records))
        asyncio.run(send(part, list(self.settings.kafka), self.events_topic))
        self.sent += len(part)
        return len(part)

    def counted(self) -> int:
        """How many records of the log the committed state covers."""
        return sum(self.offsets())

    def offsets(self) -> list[int]:
        """The committed offset of each source partition."""
        keys = [
            PartitionKeys(self.namespace, self.events_topic, number) for number in range(PARTITIONS)
        ]
        with self._redis.pipeline(transaction=False) as pipe:
            for key in keys:
                pipe.hget(key.meta, "offset")
            return [int(offset or 0) for offset in pipe.execute()]

    def left(self) -> int:
        """Records not counted yet, and names of what was counted and is not acknowledged yet."""
        with self._redis.pipeline(transaction=False) as pipe:
            for topic in (self.events_topic, self.partials):
                for number in range(PARTITIONS):
                    pipe.hlen(PartitionKeys(self.namespace, topic, number).outbox)
            unacknowledged = sum(pipe.execute())
        return self.sent - self.counted() + unacknowledged

    def await_counted(self, records: int, seconds: float, log_path: Path | None = None) -> None:
        """Wait until the state covers so many records."""
        wait_until(lambda: self.counted() >= records, seconds, log_path)

    def await_done(self, seconds: float, log_path: Path | None = None) -> None:
        """Wait until all is counted and published, however busy the machine is."""
        wait_until(lambda: self.left() == 0, seconds, log_path)

    def verify(self, *addresses: str, wait_seconds: int = 60) -> Verdict:
        """The proof over the whole log, as a user gets it."""
        command = [sys.executable, "-m", "stream_app", "verify", "--json", "--limit", "100000"]
        command += ["--wait", str(wait_seconds)]
        for address in addresses:
            command += ["--metrics", address]
        done = subprocess.run(
            command,
            env=os.environ | dict(self.environment),
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        try:
            found = json.loads(done.stdout)
        except ValueError:
            return Verdict(done.returncode, -1, 0, done.stdout + done.stderr)
        return Verdict(
            done.returncode, found["differences"], found["values"], json.dumps(found, indent=1)
        )

    def close(self) -> None:
        """Let go of Redis."""
        self._redis.close()
