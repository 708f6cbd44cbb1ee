"""How far something is, for whoever waits: one bar on a terminal, plain lines elsewhere."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

_LINE_SECONDS: Final = 5.0

Far = Callable[[int, int], None]
"""Called with (done, all)."""


class Watching:
    """Shows what is being done, for the length of its `with` block."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress: Progress | None = None
        self._doing = ""
        self._said_at_s = time.monotonic()
        if console.is_terminal:
            self._progress = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=30),
                TextColumn("{task.fields[far]}"),
                TimeElapsedColumn(),
                console=console,
                transient=True,
            )
            self._task = self._progress.add_task("", total=None, far="")

    def began(self, doing: str) -> Far:
        """Something else begins; returns who wants to know how far it is."""
        self._doing = doing
        if self._progress is not None:
            self._progress.update(self._task, description=doing, total=None, completed=0, far="")
        elif time.monotonic() - self._said_at_s > _LINE_SECONDS:
            self._say("")
        return self._is_at

    def _is_at(self, done: int, everything: int) -> None:
        far = f"{done:,} of {everything:,}"
        if self._progress is not None:
            self._progress.update(self._task, total=everything, completed=done, far=far)
        elif time.monotonic() - self._said_at_s > _LINE_SECONDS:
            self._say(f": {far}")

    def _say(self, far: str) -> None:
        self._said_at_s = time.monotonic()
        self._console.print(f"{self._doing}{far}", markup=False, highlight=False)

    def end(self) -> None:
        """Take it away."""
        if self._progress is not None:
            self._progress.stop()

    def __enter__(self) -> Self:
        if self._progress is not None:
            self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()
