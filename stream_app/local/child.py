"""One server process of ours: started, signalled, stopped; never left behind."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from stream_app.local import keeper
from stream_app.local.environment import child_environment
from stream_app.local.errors import LocalError

_LOG_TAIL_BYTES = 4096
_STANDSTILL_SECONDS = 0.001


class Child:
    """A server under a keeper (keeper.py), which kills it when this process is gone.

    The server and its keeper are in a session of their own, so that Ctrl-C in the terminal reaches
    only the program that uses the server, which can then finish its work before stopping it.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        log_path: Path,
        *,
        discard: Path | None,
        lock: int | None = None,
    ) -> None:
        """Start the server.

        Args:
            name: what to call it in messages.
            command: the program, as an absolute path, and its arguments.
            log_path: its output is appended here.
            discard: a directory that is removed if this process dies without stopping the server.
            lock: the descriptor of a file that stays locked as long as the server runs.

        Raises:
            LocalError: the program cannot be executed.
        """
        self.name = name
        self.log_path = log_path
        self._keeper = subprocess.Popen(
            [
                *(sys.executable, "-I", "-S", keeper.__file__, str(os.getpid()), str(log_path)),
                *(str(discard or "-"), *map(str, command)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=() if lock is None else [lock],
            env=child_environment(),
        )
        try:
            answer = self._keepers_answer()
        except BaseException:
            self._release()
            raise
        word, _, detail = answer.partition(" ")
        if word != "started":
            self._release()
            raise LocalError(
                f"cannot start {name}: {detail or 'its keeper ended at once'}; expected "
                f"{command[0]} to be a program that runs on this machine. What to do: install it "
                "again, or put another one on PATH"
            )
        self.pid = int(detail)

    @property
    def running(self) -> bool:
        """Whether the server has not ended; a paused one is running."""
        return self._keeper.poll() is None

    @property
    def exit_status(self) -> int | None:
        """The status it ended with, 128 + n after signal n; None while it is running."""
        return self._keeper.poll()

    def stop(self, *, timeout_seconds: float) -> None:
        """End it in order, with SIGTERM; after the timeout, or if it is interrupted, by force."""
        try:
            self._signal(signal.SIGCONT)
            self._signal(signal.SIGTERM)
            self._keeper.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            pass
        finally:
            self.kill()

    def kill(self) -> None:
        """End it by force, with SIGKILL: it has no chance to save anything. Returns when gone."""
        self._signal(signal.SIGKILL)
        self._keeper.wait()
        self._release()

    def pause(self) -> None:
        """Freeze it, with SIGSTOP: its connections stay open and nothing answers."""
        self._signal(signal.SIGSTOP)
        while self.running and _still_moving(self.pid):
            time.sleep(_STANDSTILL_SECONDS)

    def resume(self) -> None:
        """Let it go on after `pause`."""
        self._signal(signal.SIGCONT)

    def log_tail(self) -> str:
        """The last lines that the server wrote, for an error message."""
        with self.log_path.open("rb") as log:
            log.seek(0, os.SEEK_END)
            log.seek(max(0, log.tell() - _LOG_TAIL_BYTES))
            return log.read().decode("utf-8", "replace").strip()

    def _signal(self, number: signal.Signals) -> None:
        # The keeper reaps the server and ends: while it runs, the group's number is not reused.
        if self.running:
            with contextlib.suppress(ProcessLookupError):  # it ended this very moment
                os.killpg(self.pid, number)

    def _keepers_answer(self) -> str:
        assert self._keeper.stdout is not None  # noqa: S101 - it was asked for above
        return self._keeper.stdout.readline().decode("utf-8", "replace").strip()

    def _release(self) -> None:
        for pipe in (self._keeper.stdin, self._keeper.stdout):
            if pipe is not None:
                pipe.close()
        self._keeper.wait()


def _still_moving(pid: int) -> bool:
    """Whether a thread of a process that was sent SIGSTOP runs on; where that is unknown, no."""
    with contextlib.suppress(OSError):  # no /proc here, or a thread that ended meanwhile
        tasks = Path(f"/proc/{pid}/task").glob("*/stat")
        return any(task.read_text().rpartition(")")[2].split()[0] != "T" for task in tasks)
    return False
