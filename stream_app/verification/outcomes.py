"""What became of each record of a source partition, to be summed up to any offset (pure).

The worker commits while we read. Its counts hold up to the offset it has committed, so ours must be
known for exactly that offset: one byte a record.
"""

from collections.abc import Iterator
from typing import Final

OUTCOMES: Final = ("applied", "duplicate", "dead_letter", "ignored")
"""Everything that can become of a record (contract.md, rule 10)."""

_CODES: Final = {outcome: code for code, outcome in enumerate(OUTCOMES, start=1)}


class Outcomes:
    """The outcomes of one partition's records, in the order of their offsets."""

    __slots__ = ("_codes", "begin")

    def __init__(self, begin: int) -> None:
        """Begin.

        Args:
            begin: offset of the first record.
        """
        self.begin: Final = begin
        self._codes = bytearray()

    def note(self, offset: int, outcome: str) -> None:
        """Note the next record; offsets that no record has may lie between."""
        self._codes.extend(bytes(offset - self.end))
        self._codes.append(_CODES[outcome])

    @property
    def end(self) -> int:
        """The offset after the last record noted."""
        return self.begin + len(self._codes)

    def counts(self, until: int) -> dict[str, int]:
        """Outcome → how many of the records before the offset `until` had it."""
        length = max(0, until - self.begin)
        return {outcome: self._codes.count(code, 0, length) for outcome, code in _CODES.items()}

    def __iter__(self) -> Iterator[str]:
        return (OUTCOMES[code - 1] for code in self._codes if code)
