"""How far an import is, for whoever waits: a bar on a terminal, plain lines elsewhere."""

from collections.abc import Callable
from types import TracebackType
from typing import Final, Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

LINE_INTERVAL_SECONDS: Final = 5.0
_DRAW_INTERVAL_ROWS: Final = 200


class Shown(Protocol):
    """Shows how far one file is, for the length of its `with` block."""

    def advance(self, rows: int, position_bytes: int) -> None:
        """So many rows are done, and so much of the file is read."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Pace:
    """Rows per second, and what is left."""

    def __init__(self, size_bytes: int, first_row: int, seconds: Callable[[], float]) -> None:
        """Begin.

        Args:
            size_bytes: the file's size.
            first_row: rows that an earlier run has done already.
            seconds: a clock that only moves forward.
        """
        self.size_bytes = size_bytes
        self.seconds = seconds
        self._first_row = first_row
        self._began_at = seconds()
        self._first_byte: int | None = None

    def rows_per_second(self, rows: int) -> float:
        """Since the beginning of this run."""
        elapsed = self.seconds() - self._began_at
        return (rows - self._first_row) / elapsed if elapsed > 0 else 0.0

    def share(self, position_bytes: int) -> float:
        """How much of the file is read, 0 to 1."""
        return min(1.0, position_bytes / self.size_bytes) if self.size_bytes else 1.0

    def seconds_left(self, position_bytes: int) -> float | None:
        """If it goes on like this; None while nothing can be said."""
        if self._first_byte is None:  # what an earlier run has done went by in no time
            self._first_byte = position_bytes
            self._began_at = self.seconds()
        done_bytes = position_bytes - self._first_byte
        if done_bytes <= 0:
            return None
        left_bytes = max(0, self.size_bytes - position_bytes)
        return (self.seconds() - self._began_at) * left_bytes / done_bytes


def show(console: Console, name: str, pace: Pace) -> Shown:
    """Choose how to show it on a console, usually standard error.

    Args:
        console: where.
        name: the file's.
        pace: how fast it goes.
    """
    return Bar(console, name, pace) if console.is_terminal else PlainLines(console, name, pace)


class Bar:
    """A progress bar."""

    def __init__(self, console: Console, name: str, pace: Pace) -> None:
        self._pace = pace
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:3.0f} %  {task.fields[rows]:,} rows"),
            TextColumn("{task.fields[pace]:,.0f} rows/s"),
            TimeRemainingColumn(),
            console=console,
        )
        self._task: TaskID = self._progress.add_task(name, total=pace.size_bytes, rows=0, pace=0.0)

    def advance(self, rows: int, position_bytes: int) -> None:
        """Draw, but not every row."""
        if rows % _DRAW_INTERVAL_ROWS == 0 or position_bytes == self._pace.size_bytes:
            self._progress.update(
                self._task,
                completed=position_bytes,
                rows=rows,
                pace=self._pace.rows_per_second(rows),
            )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()


class PlainLines:
    """A line every few seconds."""

    def __init__(self, console: Console, name: str, pace: Pace) -> None:
        self._console = console
        self._name = name
        self._pace = pace
        self._told_at = pace.seconds()

    def advance(self, rows: int, position_bytes: int) -> None:
        """Write a line, if the last one is some time ago."""
        pace = self._pace
        left = pace.seconds_left(position_bytes)
        if pace.seconds() - self._told_at < LINE_INTERVAL_SECONDS:
            return
        self._told_at = pace.seconds()
        about = "" if left is None else f", about {left:,.0f} s left"
        self._console.print(
            f"{self._name}: {rows:,} rows, {pace.share(position_bytes):.0%}, "
            f"{pace.rows_per_second(rows):,.0f} rows/s{about}",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return
