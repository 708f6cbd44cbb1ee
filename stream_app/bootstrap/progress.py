"""What a long step of the installation does, and for how long."""

import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator

_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_SPIN_SECONDS = 0.1
_LINE_SECONDS = 15.0
_LINE_CHARACTERS = 120  # pip tells all that it installs in one line


class Progress:
    """What is being done, for how long, and its last words; one line that changes, or a few."""

    def __init__(self, doing: str) -> None:
        self._doing = doing
        self._live = sys.stderr.isatty()
        self._begun = self._shown = time.monotonic()
        self._turns = 0
        self._last_words = ""

    def __enter__(self) -> "Progress":  # noqa: PYI034 - an old Python has no typing.Self
        if not self._live:
            say(self._doing)
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()

    def show(self, chunk: bytes) -> None:
        """Take in what the step has said by now, and show it when it is time."""
        words = chunk.decode("utf-8", "replace").strip()
        self._last_words = words.rpartition("\n")[2].strip() or self._last_words
        now = time.monotonic()
        if now - self._shown < (_SPIN_SECONDS if self._live else _LINE_SECONDS):
            return
        self._shown = now
        self._turns += 1
        spin = _SPINNER[self._turns % len(_SPINNER)] if self._live else "…"
        line = f"{spin} {now - self._begun:3.0f} s  {self._doing}"
        if not self._live:
            say(f"{line}: {self._last_words}"[:_LINE_CHARACTERS])
            return
        columns = shutil.get_terminal_size().columns - 1
        sys.stderr.write(f"\r\033[K{line}: {self._last_words}"[: columns + len("\r\033[K")])
        sys.stderr.flush()


def chunks(step: "subprocess.Popen[bytes]") -> Iterator[bytes]:
    """The step's output as it comes, and nothing now and then, so that a clock can tick."""
    if step.stdout is None:
        return
    output = step.stdout.fileno()
    while True:
        readable, _, _ = select.select([output], [], [], _SPIN_SECONDS)
        chunk = os.read(output, 65536) if readable else b""
        if readable and not chunk:
            return
        yield chunk


def say(line: str) -> None:
    """Write a line that nothing holds back."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
