"""What an import did, in numbers."""

from collections import Counter

import msgspec

from stream_app.intake.events import Outcome


class Tally(msgspec.Struct, kw_only=True):
    """Counts over the rows of one file.

    Attributes:
        rows: all rows, whatever became of them.
        events: event type → how many were made.
        skipped: reason → rows left out on purpose.
        refused: rows of which nothing could be made.
        unmatched: rows whose key a joined file does not have; they are imported without its
            columns.
    """

    rows: int = 0
    events: dict[str, int] = {}
    skipped: dict[str, int] = {}
    refused: int = 0
    unmatched: int = 0

    def add(self, outcome: Outcome) -> None:
        """Count one row."""
        self.rows += 1
        for record in outcome.records:
            self.events[record.type] = self.events.get(record.type, 0) + 1
        if outcome.skipped is not None:
            self.skipped[outcome.skipped] = self.skipped.get(outcome.skipped, 0) + 1
        self.refused += outcome.refused is not None
        self.unmatched += outcome.unmatched > 0

    def plus(self, other: "Tally") -> "Tally":
        """The counts of both."""
        return Tally(
            rows=self.rows + other.rows,
            events=dict(Counter(self.events) + Counter(other.events)),
            skipped=dict(Counter(self.skipped) + Counter(other.skipped)),
            refused=self.refused + other.refused,
            unmatched=self.unmatched + other.unmatched,
        )

    def lines(self) -> list[str]:
        """The counts for people, one per line."""
        told = [f"{self.rows:,} rows"]
        told += [f"  {count:,} {name}" for name, count in sorted(self.events.items())]
        told += [f"  {count:,} rows skipped: {why}" for why, count in sorted(self.skipped.items())]
        if self.unmatched:
            told.append(f"  {self.unmatched:,} rows without a match in a joined file")
        if self.refused:
            told.append(f"  {self.refused:,} rows refused")
        return told
