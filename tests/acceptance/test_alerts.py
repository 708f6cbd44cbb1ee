"""A simulated team falls below its target, with the real parts and a SIGKILL in between."""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from stream_app.intake.connection import connection
from stream_app.settings import Settings, load
from stream_app.transport.publisher import Outgoing, Publisher
from stream_app.transport.reading import NoSuchTopic, TopicReader
from tests.acceptance.commands import run
from tests.acceptance.worker_process import WorkerProcess, wait_until
from tests.stages.told import told

TARGET = {
    "name": "win-rate-team",
    "kpi": "win_rate",
    "window": "30d",
    "dimension": "team",
    "at_least": 0.5,
    "for": "8s",
    "min_sample": 4,
    "by": "2099-12-31",
    "owner": "sales-lead-emea",
}
KEY = b"win-rate-team|level|team|emea"
COACHING = ("kpi_target_coaching_state", "coached")
COACHED = TARGET | {"name": "coached", "window": "month", "min_sample": 1, "repeat_misses": 2}


def test_a_killed_worker_neither_loses_nor_repeats_an_alert(
    environment: Mapping[str, str], tmp_path: Path
) -> None:
    variables = dict(environment) | {"STREAM_APP_CONFIG": str(configuration(tmp_path))}
    settings = load(variables)
    first = WorkerProcess(variables, tmp_path / "first.log")
    first.await_ready()
    asyncio.run(close_deals(settings, range(4), "lost"))
    this_month = datetime.now(UTC).replace(day=1)
    for number, days in ((20, 10), (21, 40)):  # in the month before, and in the one before that
        at = this_month - timedelta(days=days)
        asyncio.run(close_deals(settings, range(number, number + 1), "lost", at))
    wait_until(lambda: states(settings) == ["pending"], 60, first.log_path)
    wait_until(lambda: gauge(first, COACHING) == 2, 30, first.log_path)
    first.kill()

    second = WorkerProcess(variables, tmp_path / "second.log")
    second.await_ready()
    wait_until(lambda: states(settings) == ["pending", "firing"], 60, second.log_path)
    wait_until(lambda: state_gauge(second) == 2, 30, second.log_path)
    second.kill()

    third = WorkerProcess(variables, tmp_path / "third.log")
    third.await_ready()
    wait_until(lambda: state_gauge(third) == 2, 30, third.log_path)
    wait_until(lambda: gauge(third, COACHING) == 2, 30, third.log_path)
    asyncio.run(close_deals(settings, range(10, 16), "won"))
    wait_until(lambda: "resolved" in states(settings), 60, third.log_path)
    wait_until(lambda: state_gauge(third) == 0, 30, third.log_path)

    assert states(settings) == ["pending", "firing", "resolved"]
    assert len({record["id"] for record in records(settings)}) == 3
    proof = run(variables, "verify", "--metrics", third.address)
    assert proof.returncode == 0, proof.stdout + proof.stderr
    assert third.stop() == 0


def configuration(directory: Path) -> Path:
    path = directory / "alerts.yaml"
    content: dict[str, Any] = {
        "business": {"timezone": "Europe/Berlin", "currency": "EUR"},
        "targets": [TARGET, COACHED],
    }
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


async def close_deals(
    settings: Settings, numbers: range, result: str, at: datetime | None = None
) -> None:
    """Deals of emea's are won or lost, now."""
    now = at or datetime.now(UTC) - timedelta(seconds=5)
    events = [
        event
        for number in numbers
        for event in (
            told("deal.created", f"d{number}", now, deal_id=f"d{number}", team="emea"),
            told(f"deal.{result}", f"d{number}", now, deal_id=f"d{number}"),
        )
    ]
    async with Publisher(settings.kafka) as publisher:
        await publisher.send_all(
            [Outgoing(settings.topics.events, key, value) for _, key, value in events]
        )


def records(settings: Settings) -> list[dict[str, Any]]:
    """Every record that kpi.alerts ever got of the alert that waits before it fires."""
    return asyncio.run(_read(settings))


async def _read(settings: Settings) -> list[dict[str, Any]]:
    try:
        topic = settings.topics.alerts
        async with await TopicReader.open(topic, connection(settings)) as reader:
            return [
                json.loads(record.value or b"{}")
                async for record in reader.read()
                if record.key == KEY
            ]
    except NoSuchTopic:
        return []


def states(settings: Settings) -> list[str]:
    return [record["state"] for record in records(settings)]


def state_gauge(worker: WorkerProcess) -> float | None:
    return gauge(worker, ("kpi_target_state", "win-rate-team"))


def gauge(worker: WorkerProcess, wanted: tuple[str, str]) -> float | None:
    """A gauge about a target of emea's: its name, and the target's."""
    for name, labels, value in worker.samples():
        if (name, labels.get("target")) == wanted and labels["member"] == "emea":
            return value
    return None
