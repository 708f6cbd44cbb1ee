"""The accepted events of one thread and their fold: where duplicates and disorder end.

What is kept for a thread is the *set* of its accepted events. Its contribution is a function of
that set, so arrival order, repeats and restarts cannot matter. The fold is only a cache: an event
that sorts last continues it, any other one starts it anew from the sorted events.
"""

from collections.abc import Iterable, Iterator
from enum import Enum
from itertools import groupby
from operator import attrgetter

from stream_app.domain.events import Event, EventType
from stream_app.domain.rules import MAX_THREAD_EVENTS, FoldRules
from stream_app.domain.thread import Change, ThreadFold

SEGMENT_EVENTS = 64
"""Events per stored segment: all but the last segment of a thread are never written again."""


class Verdict(Enum):
    """What becomes of an event that arrives at its thread."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    ID_CONFLICT = "id_conflict"
    THREAD_TOO_LONG = "thread_too_long"


def in_order(events: Iterable[Event]) -> list[Event]:
    """Sort by the contract's rule 1.

    By time; within an instant by `sequence` where all of the thread's events of that instant have
    one; then by rank of type, `source`, `id`.
    """
    ordered = sorted(events, key=_rank)
    if len({event.time for event in ordered}) == len(ordered):
        return ordered
    result: list[Event] = []
    for _, group in groupby(ordered, key=attrgetter("time")):
        instant = list(group)
        if len(instant) > 1 and all(event.sequence is not None for event in instant):
            instant.sort(key=attrgetter("sequence"))  # stable: ties keep their rank
        result.extend(instant)
    return result


def _rank(event: Event) -> tuple[int, int, str, str]:
    return event.time, min(event.type, EventType.SURVEY_SUBMITTED), event.source, event.id


class ThreadLedger:
    """One thread: its accepted events in order of arrival, and the fold over them.

    Attributes:
        arrived: the accepted events in order of arrival; this is what is stored.
    """

    __slots__ = ("_digest_by_id", "_fold", "_last", "_pending", "_rules", "_told", "arrived")

    def __init__(self, rules: FoldRules, arrived: Iterable[Event] = ()) -> None:
        """Restore a thread from its stored events; what they count has been told before."""
        self._rules = rules
        self.arrived = list(arrived)
        self._digest_by_id = {(event.source, event.id): event.digest for event in self.arrived}
        ordered = in_order(self.arrived)
        self._fold = ThreadFold(rules, ordered)
        self._last = ordered[-1] if ordered else None
        self._pending: list[Event] = []
        for _ in self._fold.changes():
            pass

    def accept(self, event: Event) -> Verdict:
        """Take an event in, unless it is a repeat or must be refused."""
        name = (event.source, event.id)
        known = self._digest_by_id.get(name)
        if known is not None:
            return Verdict.DUPLICATE if known == event.digest else Verdict.ID_CONFLICT
        if len(self.arrived) >= MAX_THREAD_EVENTS:
            return Verdict.THREAD_TOO_LONG
        self._digest_by_id[name] = event.digest
        self.arrived.append(event)
        self._pending.append(event)
        return Verdict.APPLIED

    def changes(self) -> Iterator[Change]:
        """Fold what was accepted since the last call; yield what it changed."""
        pending = in_order(self._pending)
        self._pending = []
        for event in pending:
            if not (self._sorts_last(event) and self._fold.extend(event)):
                before = self._fold
                ordered = in_order(self.arrived)
                self._fold = ThreadFold(self._rules, ordered)
                self._last = ordered[-1]
                yield from self._fold.changes(since=before)
                return
            self._last = event
        yield from self._fold.changes()

    def _sorts_last(self, event: Event) -> bool:
        last = self._last
        if last is None or event.time > last.time:
            return True
        # Events of one instant may be ordered by sequence or by rank, depending on all of them.
        sequenced = event.sequence is not None or last.sequence is not None
        return event.time == last.time and not sequenced and _rank(event) > _rank(last)
