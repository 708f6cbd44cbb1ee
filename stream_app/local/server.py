"""What the local broker and the local Redis have in common: a life, and a place on loopback."""

import fcntl
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import IO, ClassVar

from stream_app.local.child import Child
from stream_app.local.errors import LocalError
from stream_app.local.ports import LOOPBACK, free_ports
from stream_app.local.progress import Listener, Progress, silent

_TRIES = 3
_QUESTION_SECONDS = 0.01
_PORT_TAKEN = "Address already in use"


class LocalServer(ABC):
    """A server that lives as long as this object's owner wants, and never longer.

    Its data is in its directory, and survives `restart` and `kill`; its ports stay the same as
    well. Every method returns when what it says is done. Not for several threads at once.
    """

    name: ClassVar[str]
    _port_count: ClassVar[int] = 1
    _ready_timeout_seconds: ClassVar[float]
    _stop_timeout_seconds: ClassVar[float]

    def __init__(
        self,
        directory: Path,
        *,
        bundled: bool = False,
        discard: Path | None = None,
        listener: Listener = silent,
    ) -> None:
        """Describe the server; nothing is started yet.

        Args:
            directory: where it keeps everything; made, readable for this user only. One that
                already holds such a server's data goes on with it.
            bundled: use the program that the `demo` extra brings, even where another is at hand.
            discard: a directory to be removed if this process is killed; for temporary ones.
            listener: is told what happens while it starts.
        """
        self.directory = directory.absolute()
        self._bundled = bundled
        self._discard = discard
        self._listener = listener
        self._ports: list[int] | None = None
        self._child: Child | None = None

    @property
    def port(self) -> int:
        """The clients' port on 127.0.0.1; known once it was started."""
        return self._all_ports()[0]

    @property
    def address(self) -> str:
        """Where clients find it, as `host:port`."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._running_child().pid

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended; a paused server is running."""
        return self._child is not None and self._child.running

    @property
    def log_path(self) -> Path:
        """What the server says."""
        return self.directory / "server.log"

    def start(self) -> None:
        """Start it and wait until it answers; does nothing if it is running.

        Raises:
            LocalError: its program is missing or it does not come up; it says what to do.
        """
        if self.running:
            return
        try:
            self.launch()
            self.await_ready()
        except BaseException:  # Ctrl-C above all
            self.kill()
            raise

    def launch(self) -> None:
        """The first half of `start`: returns as soon as the process runs."""
        if self.running:
            raise LocalError(f"{self.name} is running already; expected stop() before launch()")
        if self._ports is None:
            self._ports = free_ports(self._port_count)
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._lock() as lock:
            command = self._prepare()
            self._tell("starting")
            self._child = Child(
                self.name, command, self.log_path, discard=self._discard, lock=lock.fileno()
            )

    def await_ready(self) -> None:
        """The second half of `start`: returns when the server serves clients."""
        for _ in range(_TRIES):
            if self._answers_in_time():
                self._tell(f"ready on {self.address}", ready=True)
                return
            if self.running or _PORT_TAKEN not in self._log_tail():
                break
            self._ports = None  # somebody else was quicker: take others
            self.launch()
        happened = "it does not answer" if self.running else f"it ended with {self._exit_status()}"
        self.kill()
        raise LocalError(
            f"{self.name} did not come up: {happened}; expected it to serve {self.address} within "
            f"{self._ready_timeout_seconds:.0f} s. What to do: read {self.log_path}, which ends "
            f"with\n{self._log_tail() or '(nothing)'}"
        )

    def stop(self) -> None:
        """Shut it down in order, everything on disk; does nothing if it is not running."""
        if self._child is not None:
            self._child.stop(timeout_seconds=self._stop_timeout_seconds)

    def kill(self) -> None:
        """SIGKILL it, as a power cut would; what it had not written is lost."""
        if self._child is not None:
            self._child.kill()

    def pause(self) -> None:
        """Freeze it: connections stay open, nothing answers. `resume` or `stop` ends that."""
        self._running_child().pause()

    def resume(self) -> None:
        """Let it go on after `pause`."""
        self._running_child().resume()

    def restart(self) -> None:
        """Start it again after `stop` or `kill` (or stop it first), with its data and its ports."""
        self.stop()
        self.start()

    @abstractmethod
    def _prepare(self) -> list[str]:
        """Put everything into place; returns the command that runs the server."""

    @abstractmethod
    def _is_ready(self, pid: int) -> bool:
        """Whether the server, which is that process, serves clients by now; never raises."""

    def _lock(self) -> IO[bytes]:
        """Keep other servers out of the directory, for as long as the open file or a copy lives.

        Kafka looks for another broker too, but only after it has written into its log.
        """
        lock = (self.directory / "lock").open("wb")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise LocalError(
                f"another {self.name} is running in {self.directory}; expected a directory that "
                "nobody uses. What to do: end that one, or name another directory"
            ) from None
        return lock

    def _tell(self, doing: str, *, ready: bool = False) -> None:
        self._listener(Progress(self.name, doing, ready=ready))

    def _all_ports(self) -> list[int]:
        if self._ports is None:
            raise LocalError(f"{self.name} has no port yet; expected start() before asking for it")
        return self._ports

    def _running_child(self) -> Child:
        if self._child is None or not self._child.running:
            raise LocalError(f"{self.name} is not running; expected start() or restart() before")
        return self._child

    def _answers_in_time(self) -> bool:
        child = self._child
        if child is None:
            raise LocalError(f"{self.name} is not starting; expected launch() before await_ready()")
        deadline = time.monotonic() + self._ready_timeout_seconds
        while child.running and time.monotonic() < deadline:
            if self._is_ready(child.pid):
                return True
            time.sleep(_QUESTION_SECONDS)
        return False

    def _exit_status(self) -> str:
        return "no status" if self._child is None else f"status {self._child.exit_status}"

    def _log_tail(self) -> str:
        return "" if self._child is None else self._child.log_tail()
