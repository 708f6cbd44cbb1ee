"""One thing that was looked at, and what came of it (pure)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Level(StrEnum):
    """How a thing is."""

    FINE = "fine"
    NOTE = "note"
    MEND = "mend"


@dataclass(frozen=True, slots=True)
class Finding:
    """A line of the report.

    Attributes:
        text: what was looked at and how it is.
        remedy: what to do, where something is to be done.
    """

    level: Level
    text: str
    remedy: str = ""

    def document(self) -> dict[str, Any]:
        """For programs."""
        return {"level": self.level.value, "text": self.text, "remedy": self.remedy}


def fine(text: str) -> Finding:
    """Nothing to do."""
    return Finding(Level.FINE, text)


def note(text: str, remedy: str = "") -> Finding:
    """Worth knowing; nothing is wrong yet."""
    return Finding(Level.NOTE, text, remedy)


def mend(text: str, remedy: str) -> Finding:
    """Something needs mending."""
    return Finding(Level.MEND, text, remedy)
