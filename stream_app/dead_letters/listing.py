"""Which dead letters there are (pure): records of `crm.dead-letters` in, a listing out."""

from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, NamedTuple

from stream_app.domain.calendar import rfc3339_utc
from stream_app.domain.scopes import decode
from stream_app.wire.dead_letter import MAX_VALUE_BYTES, DeadLetter

Coordinates = tuple[str, int, int]
"""(topic, partition, offset) of the rejected record."""


class Letter(NamedTuple):
    """A dead letter without the bytes it is about.

    Attributes:
        written_ms: when it was written, milliseconds since 1970.
        size_bytes: of what it holds of the record; None: the record's value was null.
    """

    coordinates: Coordinates
    reason: str
    detail: str
    written_ms: int
    size_bytes: int | None

    @property
    def place(self) -> str:
        """The coordinates as `dead-letters show` takes them."""
        topic, partition, offset = self.coordinates
        return f"{topic}/{partition}/{offset}"

    def document(self) -> dict[str, Any]:
        """For programs."""
        topic, partition, offset = self.coordinates
        return {
            "topic": topic,
            "partition": partition,
            "offset": offset,
            "reason": self.reason,
            "detail": self.detail,
            "written_at": rfc3339_utc(self.written_ms * 1000, "milliseconds"),
            "size_bytes": self.size_bytes,
        }


@dataclass(slots=True)
class Listing:
    """The letters that are asked for, each coordinate once.

    Attributes:
        reasons: only these; empty: all.
        since_ms: only those written since.
        repeats: letters that repeat an earlier one's coordinates, after a restart.
        unreadable: records of the topic that are no dead letters.
    """

    reasons: frozenset[str] = frozenset()
    since_ms: int = 0
    repeats: int = 0
    unreadable: int = 0
    _letters: dict[Coordinates, Letter] = field(default_factory=dict)

    def take(self, letter: DeadLetter, written_ms: int) -> None:
        """Take in the next letter; the last of repeats stands."""
        coordinates = letter.topic, letter.partition, letter.offset
        size_bytes = None if letter.value is None else len(letter.value)
        self.repeats += self._letters.pop(coordinates, None) is not None
        self._letters[coordinates] = Letter(
            coordinates, letter.reason, letter.detail, written_ms, size_bytes
        )

    def letters(self) -> list[Letter]:
        """Those asked for, the newest first."""
        chosen = [
            letter
            for letter in self._letters.values()
            if letter.written_ms >= self.since_ms
            and (not self.reasons or letter.reason in self.reasons)
        ]
        return sorted(chosen, key=lambda letter: (-letter.written_ms, letter.coordinates))

    def counts(self) -> dict[str, int]:
        """Reason → how many are asked for, the most frequent first."""
        return dict(Counter(letter.reason for letter in self.letters()).most_common())


def parse_place(text: str) -> Coordinates:
    """`topic/partition/offset`, also as the key of a dead letter spells it.

    Raises:
        ValueError: it is none.
    """
    topic, _, numbers = text.partition("/")
    partition, _, offset = numbers.partition("/")
    if not (topic and _is_number(partition) and _is_number(offset)):
        raise ValueError(f"{text!r} is not TOPIC/PARTITION/OFFSET, such as crm.events/3/1041")
    return decode(topic), int(partition), int(offset)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def described(value: bytes | None) -> dict[str, Any]:
    """What can be said of a record's bytes without showing them."""
    if value is None:
        return {"size_bytes": None, "sha256": None, "cut": False}
    return {
        "size_bytes": len(value),
        "sha256": sha256(value).hexdigest(),
        "cut": len(value) >= MAX_VALUE_BYTES,
    }
