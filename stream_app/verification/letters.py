"""Exactly one dead letter for each rejected record, with the right reason (pure)."""

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from stream_app.verification.compare import Difference
from stream_app.verification.recompute import Coordinates, Rejected


@dataclass(slots=True)
class FoundLetters:
    """What `crm.dead-letters` holds about one source topic.

    Attributes:
        reasons: coordinates → the reason, of repeats the last one's.
        repeats: letters that repeat an earlier one's coordinates; they do no harm.
        unreadable: records that are no dead letters.
        since_ms: older letters may have left the topic (retention); -inf: none has.
    """

    reasons: dict[Coordinates, str] = field(default_factory=dict)
    repeats: int = 0
    unreadable: int = 0
    since_ms: float = -math.inf

    def note(self, coordinates: Coordinates, reason: str) -> None:
        """Take in the next letter."""
        if coordinates in self.reasons:
            self.repeats += 1
        self.reasons[coordinates] = reason


def letter_differences(
    topic: str, expected: Mapping[Coordinates, Rejected], found: FoundLetters
) -> Iterator[Difference]:
    """Letters that are missing, or give another reason.

    A letter may have left the topic only if its record is older than what the topic still holds:
    a letter is never older than its record.
    """
    for coordinates, rejected in expected.items():
        reason = found.reasons.get(coordinates)
        if reason is None and rejected.timestamp_ms < found.since_ms:
            continue
        if reason is None:
            yield Difference(_name(topic, coordinates), "letter", rejected.reason, None)
        elif reason != rejected.reason:
            yield Difference(_name(topic, coordinates), "reason", rejected.reason, reason)


def surplus_letters(
    topic: str,
    expected: Collection[Coordinates],
    found: FoundLetters,
    ends: Mapping[int, int],
    begins: Mapping[int, int],
) -> Iterator[Difference]:
    """Letters of records that the log does not refuse.

    Args:
        topic: of the source.
        expected: where letters must come from.
        found: what the dead letters' topic holds.
        ends: partition → how far the source was read.
        begins: partition → the first record it still has.
    """
    for partition, offset in sorted(found.reasons.keys() - set(expected)):
        known = begins.get(partition, math.inf) <= offset < ends.get(partition, 0)
        if known:
            reason = found.reasons[partition, offset]
            yield Difference(_name(topic, (partition, offset)), "letter", None, reason)


def _name(topic: str, coordinates: Coordinates) -> str:
    return f"{topic}/{coordinates[0]}/{coordinates[1]}"
