"""What the local stack is doing at the moment, for whoever wants to show it."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """One report of progress.

    Attributes:
        part: who reports, `Kafka` or `Redis`.
        doing: what it is doing, in words for a person; it stays the same while `done` grows.
        done_bytes: how much of `total_bytes` is there; 0 where nothing is measured.
        total_bytes: what there is to do in all; 0 where that is unknown.
        ready: the part is up; its last report.
    """

    part: str
    doing: str
    done_bytes: int = 0
    total_bytes: int = 0
    ready: bool = False


Listener = Callable[[Progress], None]
"""Is told of progress, possibly from several threads but never from two at once."""


def silent(_progress: Progress) -> None:
    """Show nothing."""
