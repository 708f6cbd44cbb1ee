"""Shows the start of the local stack to a person."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress as LiveDisplay
from rich.progress import SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from stream_app.local.progress import Listener, Progress

_BYTES_PER_MB = 1_000_000
_BAR_WIDTH = 24


@contextmanager
def shown_on(console: Console) -> Iterator[Listener]:
    """Show what every part does and for how long: live in a terminal, in lines elsewhere.

    with ExitStack() as lasting:
        with shown_on(Console(stderr=True)) as listener:
            stack = lasting.enter_context(LocalStack(listener=listener))
        ...  # the display has ended, the stack is up

    """
    if not console.is_terminal:
        yield _Lines(console)
        return
    columns = (
        SpinnerColumn(finished_text="[green]✓"),
        TimeElapsedColumn(),
        TextColumn("[bold]{task.fields[part]}[/] {task.description}"),
    )
    with LiveDisplay(*columns, console=console) as display:
        yield _Live(display)


class _Lines:
    """One line whenever a part begins something else; for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last: dict[str, str] = {}

    def __call__(self, progress: Progress) -> None:
        if self._last.get(progress.part) != progress.doing:
            self._last[progress.part] = progress.doing
            self._console.print(f"{progress.part}: {progress.doing}", highlight=False)


class _Live:
    """One row per part, with a spinner, the seconds so far, and a bar while it downloads."""

    def __init__(self, display: LiveDisplay) -> None:
        self._display = display
        self._rows: dict[str, TaskID] = {}

    def __call__(self, progress: Progress) -> None:
        if progress.part not in self._rows:
            self._rows[progress.part] = self._display.add_task("", total=None, part=progress.part)
        row = self._rows[progress.part]
        self._display.update(row, description=progress.doing + _amount(progress))
        if progress.ready:
            self._display.update(row, total=1, completed=1)


def _amount(progress: Progress) -> str:
    """How much of it has arrived, as a bar and in words; nothing where nothing is measured."""
    if not progress.total_bytes:
        return ""
    filled = round(_BAR_WIDTH * progress.done_bytes / progress.total_bytes)
    bar = "━" * filled + " " * (_BAR_WIDTH - filled)
    return f" [cyan]{bar}[/] {progress.done_bytes / _BYTES_PER_MB:.0f} MB"
