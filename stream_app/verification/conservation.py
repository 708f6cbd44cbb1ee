"""Every record is accounted for once: the worker's counts against the log (pure).

applied + duplicate + dead_letter + ignored = records read, for each source partition, as absolute
numbers in the committed state (contract.md, rule 10).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from stream_app.verification.compare import Difference
from stream_app.verification.outcomes import OUTCOMES, Outcomes


@dataclass(frozen=True, slots=True)
class Committed:
    """What a worker has committed of one source partition.

    Attributes:
        offset: of the next record it will read; None: nothing was ever committed.
        counts: outcome → records.
    """

    offset: int | None
    counts: Mapping[str, int]


def conservation_differences(
    name: str, outcomes: Outcomes, end: int, committed: Committed
) -> Iterator[Difference]:
    """Where the committed counts are not those of the log up to the committed offset.

    Counts are compared at the worker's own offset, so that they are exact while it works on; that
    it is not yet (or no longer) where the log ends is a difference of the `offset`.

    Args:
        name: of the source partition, for messages.
        outcomes: of all its records.
        end: where its log ended when it was read.
        committed: what Redis says.
    """
    offset = committed.offset
    if offset is None and end == outcomes.begin:
        return  # there was nothing to commit
    if offset != end:
        yield Difference(name, "offset", end, offset)
    if offset is None or offset > end:
        return
    if outcomes.begin:
        # What was counted before is gone from the log: only the sum can be judged.
        total = sum(committed.counts.values())
        if not offset - outcomes.begin <= total <= offset:
            yield Difference(name, "sum of outcomes", offset, total)
        return
    expected = outcomes.counts(offset)
    for outcome in OUTCOMES:
        found = committed.counts.get(outcome, 0)
        if found != expected[outcome]:
            yield Difference(name, outcome, expected[outcome], found)
