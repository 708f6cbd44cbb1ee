"""The command on a real broker."""

import asyncio
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from stream_app.cli import main
from stream_app.local.broker import LocalBroker
from stream_app.settings import Topics
from stream_app.transport.publisher import Outgoing, Publisher
from stream_app.transport.topics import TopicSpec, ensure_topics
from tests.board.records import record

DIRECTORY = "directory: {reps: {r-1: {name: Rep One, team: emea}}}\n"


@pytest.fixture
def environment(broker: LocalBroker, topic_prefix: str, tmp_path: Path) -> dict[str, str]:
    (tmp_path / "company.yaml").write_text(DIRECTORY)
    return {
        "STREAM_APP_KAFKA": broker.bootstrap,
        "STREAM_APP_TOPIC_PREFIX": topic_prefix,
        "STREAM_APP_CONFIG": str(tmp_path / "company.yaml"),
    }


def publish(environment: Mapping[str, str], *records: tuple[bytes, bytes | None]) -> None:
    async def send() -> None:
        servers = [environment["STREAM_APP_KAFKA"]]
        topic = Topics(environment["STREAM_APP_TOPIC_PREFIX"]).values
        await ensure_topics(servers, [TopicSpec(topic, 2, {"cleanup.policy": "compact"})])
        async with Publisher(servers) as publisher:
            await publisher.send_all([Outgoing(topic, *each) for each in records])

    asyncio.run(send())


def board(environment: Mapping[str, str], *arguments: str) -> Result:
    return CliRunner().invoke(main, ["board", *arguments], env=dict(environment))


def test_one_snapshot_is_plain_text(environment: dict[str, str]) -> None:
    publish(
        environment,
        record(value=1234, previous=1000),
        record(dimension="rep", member="r-1", value=700),
    )
    result = board(environment, "--once")
    assert result.exit_code == 0, result.output
    assert "€1,234 ▲ 23 %" in result.stdout
    assert "Rep One" in result.stdout
    assert "\x1b" not in result.stdout


def test_an_empty_topic_is_explained(environment: dict[str, str]) -> None:
    publish(environment)
    result = board(environment, "--once")
    assert result.exit_code == 0
    assert "No values yet: is a worker running" in result.stdout


def test_it_follows_what_is_published_until_interrupted(environment: dict[str, str]) -> None:
    publish(environment, record(value=1234))
    mine, theirs = pty.openpty()
    command = [sys.executable, "-m", "stream_app", "board"]
    size = {"COLUMNS": "100", "LINES": "30", "TERM": "xterm-256color"}
    live = subprocess.Popen(
        command, env=os.environ | environment | size, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    try:
        read_until(mine, b"1,234")
        publish(environment, record(value=5678, revision=2))
        read_until(mine, b"5,678")
        live.send_signal(signal.SIGINT)
        read_until(mine, b"\x1b[?1049l")  # the terminal is given back as it was
        assert live.wait(timeout=10) == 0
    finally:
        live.kill()
        live.wait()
        os.close(mine)


def read_until(terminal: int, wanted: bytes, seconds: float = 30.0) -> None:
    found = b""
    deadline = time.monotonic() + seconds
    while wanted not in found:
        ready, _, _ = select.select([terminal], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, found[-2000:]
        found += os.read(terminal, 65_536)


def test_a_missing_topic_and_a_missing_broker_are_named(environment: dict[str, str]) -> None:
    result = board(environment, "--once")
    assert result.exit_code == 1
    assert "there is no topic" in result.stderr
    result = board(environment | {"STREAM_APP_KAFKA": "127.0.0.1:1"}, "--once")
    assert result.exit_code == 1
    assert "Kafka at 127.0.0.1:1 is unavailable" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--window", "mnth"], "did you mean 'month'?"),
        (["--dimension", "tem"], "did you mean 'team'?"),
        (["--member", "r-1"], "--member needs --dimension"),
        (["--top", "0"], "--top"),
    ],
)
def test_wrong_usage_names_what_is_meant(arguments: list[str], told: str) -> None:
    result = CliRunner().invoke(main, ["board", *arguments])
    assert result.exit_code == 2
    assert told in result.stderr
