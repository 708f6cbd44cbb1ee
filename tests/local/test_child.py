import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from stream_app.local.child import Child
from stream_app.local.errors import LocalError
from tests.local.processes import is_paused, wait_until_gone

# A program that starts a server, says which, and waits.
PARENT = """
import signal, sys, threading
from pathlib import Path
from stream_app.local.child import Child
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests may ignore
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # either of them
folder = Path(sys.argv[1])
child = Child("server", ["/bin/sleep", "600"], folder / "log", discard=folder)
print(child.pid, child._keeper.pid, flush=True)
threading.Event().wait()
"""


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child]:
    child = Child("server", ["/bin/sleep", "600"], tmp_path / "log", discard=None)
    yield child
    child.kill()


def test_a_stopped_server_is_gone(child: Child) -> None:
    assert child.running
    assert child.exit_status is None
    child.stop(timeout_seconds=20)
    assert not child.running
    assert child.exit_status == 128 + signal.SIGTERM
    wait_until_gone(child.pid)


def test_a_killed_server_is_gone(child: Child) -> None:
    child.kill()
    assert child.exit_status == 128 + signal.SIGKILL
    wait_until_gone(child.pid)
    child.kill()  # once more does no harm


def test_a_paused_server_stands_still_until_it_is_resumed(child: Child) -> None:
    child.pause()
    assert child.running
    assert is_paused(child.pid)
    child.resume()
    assert not is_paused(child.pid)


def test_a_paused_server_can_be_stopped_in_order(child: Child) -> None:
    child.pause()
    child.stop(timeout_seconds=20)
    assert child.exit_status == 128 + signal.SIGTERM


def test_a_server_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    stubborn = "trap '' TERM; echo ready; while :; do sleep 600 & wait; done"
    child = Child("server", ["/bin/sh", "-c", stubborn], tmp_path / "log", discard=None)
    child.stop(timeout_seconds=0.1)
    assert not child.running
    wait_until_gone(child.pid)


def test_what_a_server_says_is_kept(tmp_path: Path) -> None:
    command = ["/bin/sh", "-c", "echo spoken; echo complained >&2; exit 3"]
    child = Child("server", command, tmp_path / "log", discard=None)
    wait_until_gone(child._keeper.pid)
    assert child.exit_status == 3
    assert child.log_tail() == "spoken\ncomplained"
    child.kill()


def test_a_program_that_does_not_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match=r"cannot start server: .*/no/such/server"):
        Child("server", ["/no/such/server"], tmp_path / "log", discard=None)


def test_ctrl_c_in_the_terminal_does_not_reach_the_server(child: Child) -> None:
    ours = (os.getpgid(0), os.getsid(0))
    assert os.getpgid(child.pid) not in ours
    assert os.getsid(child.pid) not in ours


def test_a_server_survives_the_thread_that_started_it(tmp_path: Path) -> None:
    started: list[Child] = []

    def start() -> None:
        started.append(Child("server", ["/bin/sleep", "600"], tmp_path / "log", discard=None))

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert started[0].running
    started[0].stop(timeout_seconds=20)
    assert started[0].exit_status == 128 + signal.SIGTERM  # ours, not that of a thread's death


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_nothing_survives_a_parent_that_dies_in_whatever_way(
    tmp_path: Path, number: signal.Signals
) -> None:
    folder = tmp_path / "private"
    folder.mkdir()
    server, keeper = orphan(folder, number, killed="parent")
    wait_until_gone(server)
    wait_until_gone(keeper)
    assert not folder.exists()


def test_nothing_survives_a_killed_keeper(tmp_path: Path) -> None:
    server, _keeper = orphan(tmp_path, signal.SIGKILL, killed="keeper")
    wait_until_gone(server)


def orphan(folder: Path, number: signal.Signals, *, killed: str) -> tuple[int, int]:
    """Start a parent with a server, and kill one of the two who look after it."""
    command = [sys.executable, "-c", PARENT, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as parent:
        assert parent.stdout is not None
        server, keeper = map(int, parent.stdout.readline().split())
        try:
            os.kill(parent.pid if killed == "parent" else keeper, number)
            wait_until_gone(server)
        finally:
            parent.kill()
    return server, keeper
