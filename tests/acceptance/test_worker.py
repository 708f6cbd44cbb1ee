"""Workers as users run them: own processes, a real broker, a real Redis, and the proof."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from stream_app.settings import Settings, load
from stream_app.simulate import simulate
from stream_app.simulate.delivery import send
from tests.acceptance.conftest import OPTIONS
from tests.acceptance.worker_process import WorkerProcess, wait_until


def test_a_killed_worker_neither_loses_nor_repeats_an_event(
    environment: Mapping[str, str], tmp_path: Path
) -> None:
    settings = load(environment)
    topic = settings.topics.events
    first = WorkerProcess(environment, tmp_path / "first.log")
    second = WorkerProcess(environment, tmp_path / "second.log")
    first.await_ready()
    second.await_ready()

    sent = _send(settings)
    wait_until(lambda: first.records(topic) + second.records(topic) > 0, 60, first.log_path)
    assert first.records(topic) + second.records(topic) < sent, "no work was left to be interrupted"
    first.kill()
    again = WorkerProcess(environment, tmp_path / "again.log")
    again.await_ready()
    wait_until(lambda: again.records(topic) + second.records(topic) >= sent, 120, again.log_path)

    proof = _run(environment, "verify", "--metrics", second.address, "--metrics", again.address)
    assert proof.returncode == 0, proof.stdout + proof.stderr
    assert "0 differences" in proof.stdout
    assert "1 results of experiments" in proof.stdout
    assert again.stop() == 0
    assert second.stop() == 0


def test_a_wrong_configuration_ends_with_2_before_anything_is_joined(
    environment: Mapping[str, str], tmp_path: Path
) -> None:
    config = tmp_path / "wrong.yaml"
    config.write_text("business: {curency: EUR}\n", encoding="utf-8")

    ended = _run(environment, "worker", "--config", str(config))

    assert ended.returncode == 2
    assert "wrong.yaml:1: business.curency: unknown key; did you mean 'currency'?" in ended.stderr


def test_a_missing_redis_is_named_and_waited_for(
    environment: Mapping[str, str], tmp_path: Path
) -> None:
    nobody = dict(environment) | {"STREAM_APP_REDIS": "redis://127.0.0.1:1/0"}
    worker = WorkerProcess(nobody, tmp_path / "worker.log")

    wait_until(lambda: worker.readiness() == (503, "waiting_for_redis"), 30, worker.log_path)

    assert "127.0.0.1:1" in worker.log_path.read_text()
    assert worker.exit_status is None
    worker.kill()


def _send(settings: Settings) -> int:
    return asyncio.run(send(simulate(OPTIONS), list(settings.kafka), settings.topics.events))


def _run(environment: Mapping[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "stream_app", *arguments],
        env=os.environ | dict(environment),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
