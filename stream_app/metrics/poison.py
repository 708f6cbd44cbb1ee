"""The fuse that notices when not an event but its producer is broken."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PoisonLimits:
    """When bad records are many.

    Attributes:
        row_max: more dead letters than this in a row blow the fuse, until a good record comes.
        share_max: a greater share of dead letters in the last `span_seconds` blows it too …
        share_dead_letters_min: … if there were at least this many: one of three is not many.
    """

    row_max: int = 50
    share_max: float = 0.1
    share_dead_letters_min: int = 10
    span_seconds: int = 60


class PoisonFuse:
    """Watches the outcomes of one source partition. Pure: the time is passed in."""

    def __init__(self, limits: PoisonLimits | None = None) -> None:
        self._limits = limits or PoisonLimits()
        self._row = 0
        self._seconds: deque[tuple[int, int, int]] = deque()  # second, records, dead letters

    def observe(self, now_s: float, dead: Sequence[bool]) -> None:
        """Note a batch.

        Args:
            now_s: processing time in seconds of any clock that does not go back.
            dead: for each record, in the log's order, whether it became a dead letter.
        """
        trailing = next((i for i, bad in enumerate(reversed(dead)) if not bad), None)
        self._row = self._row + len(dead) if trailing is None else trailing
        second, records, letters = int(now_s), len(dead), sum(dead)
        if self._seconds and self._seconds[-1][0] == second:
            _, earlier_records, earlier_letters = self._seconds.pop()
            records, letters = records + earlier_records, letters + earlier_letters
        self._seconds.append((second, records, letters))
        self._let_go(now_s)

    def reason(self, now_s: float) -> str | None:
        """Return why the fuse is blown, in words for `/readyz`, or None while it holds."""
        self._let_go(now_s)
        limits = self._limits
        if self._row > limits.row_max:
            return f"the last {self._row} records were all dead letters (limit {limits.row_max})"
        records = sum(seen for _, seen, _ in self._seconds)
        letters = sum(bad for _, _, bad in self._seconds)
        if letters >= limits.share_dead_letters_min and letters > limits.share_max * records:
            return (
                f"{letters} of the last {records} records within {limits.span_seconds} s were"
                f" dead letters (limit {limits.share_max:.0%})"
            )
        return None

    def _let_go(self, now_s: float) -> None:
        while self._seconds and self._seconds[0][0] <= now_s - self._limits.span_seconds:
            self._seconds.popleft()
