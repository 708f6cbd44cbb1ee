"""Progress shown on a console in memory, by a clock that is set by hand."""

import io

from rich.console import Console

from stream_app.intake.progress import Pace


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def console_and_pace(
    size_bytes: int, rows_done: int = 0, clock: Clock | None = None, *, terminal: bool = False
) -> tuple[Console, Pace]:
    console = Console(file=io.StringIO(), force_terminal=terminal, width=120)
    return console, Pace(size_bytes, rows_done, clock or Clock())


def text_of(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()
