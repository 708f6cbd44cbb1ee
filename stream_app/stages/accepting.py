"""Giving the events of a batch to their threads: what becomes of every record."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

import msgspec

from stream_app.domain.events import EVENT_TYPE_BY_NAME, Event, EventType
from stream_app.domain.ledger import Verdict
from stream_app.domain.thread import Change
from stream_app.stages.partial_records import DEAD_LETTER
from stream_app.stages.ports import SourceRecord
from stream_app.stages.threads import ThreadStore
from stream_app.wire.cloudevent import Ignored, Reason, Rejection
from stream_app.wire.dead_letter import MAX_VALUE_BYTES

Outcome = Literal["applied", "duplicate", "dead_letter", "ignored"]
OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)
"""What may become of a record (contract.md, rule 10)."""

_TYPE_NAMES: Final = {number: name for name, number in EVENT_TYPE_BY_NAME.items()}


@dataclass(slots=True)
class BatchSummary:
    """What became of a batch's records, for metrics and the poison fuse.

    Attributes:
        outcomes: (event type, outcome) → records.
        reasons: reason → dead letters.
        dead: per record in order, whether it became a dead letter.
    """

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    dead: list[bool] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Stop:
    """The bad record that a partition stopped before (`poison: stop`)."""

    offset: int
    reason: str
    detail: str


@dataclass(slots=True)
class Taken:
    """What a batch gave to the threads.

    Attributes:
        next_offset: the first offset that was not taken.
        lengths_before: key → how many events its thread had; those that got some.
        newest_us: time of the newest of its events.
        newest_ms: the newest record timestamp.
        steps: key → what single records changed, before the last one of their thread.
    """

    next_offset: int
    stop: Stop | None = None
    newest_us: int = 0
    newest_ms: int = 0
    summary: BatchSummary = field(default_factory=BatchSummary)
    outbox: dict[bytes, bytes] = field(default_factory=dict)
    lengths_before: dict[bytes, int] = field(default_factory=dict)
    steps: dict[bytes, list[Change]] = field(default_factory=dict)


class Acceptor:
    """Gives events to the threads of one partition.

    Args:
        threads: those of a batch's keys are loaded.
        poison_stop: a bad record is not rejected: the partition stops before it.
    """

    def __init__(self, threads: ThreadStore, *, poison_stop: bool) -> None:
        self._threads = threads
        self._poison_stop = poison_stop

    def accept(
        self,
        taken: Taken,
        records: Iterable[tuple[SourceRecord, Event | Rejection | Ignored]],
        *,
        may_repeat: bool,
    ) -> None:
        """Give some of a batch's events to their threads, up to one that stops the partition."""
        summary = taken.summary
        for record, event in records:
            if taken.stop is not None:
                return
            if may_repeat and record.key in taken.lengths_before:
                taken.steps.setdefault(record.key, []).extend(self._threads[record.key].changes())
            outcome, type_name, fault = self._accept(record, event, taken.lengths_before)
            if fault is not None and self._poison_stop:
                taken.stop = Stop(record.offset, fault.reason.value, fault.detail)
                taken.next_offset = record.offset
                return
            summary.outcomes[type_name, outcome] += 1
            summary.dead.append(fault is not None)
            if fault is not None:
                summary.reasons[fault.reason] += 1
                name = DEAD_LETTER + b"%d" % record.offset
                taken.outbox[name] = _packed(record, fault, taken.next_offset)
            elif outcome == "applied" and type(event) is Event:
                taken.newest_us = max(taken.newest_us, event.time)
                taken.newest_ms = max(taken.newest_ms, record.timestamp)

    def _accept(
        self,
        record: SourceRecord,
        event: Event | Rejection | Ignored,
        lengths_before: dict[bytes, int],
    ) -> tuple[str, str, Rejection | None]:
        """(outcome, type, why it is refused) of one record."""
        if isinstance(event, Ignored):
            return "ignored", "other", None
        if isinstance(event, Rejection):
            return "dead_letter", "other", event
        key = record.key or b""
        thread = self._threads[key]
        length = len(thread.arrived)
        verdict = thread.accept(event)
        type_name = _TYPE_NAMES[EventType(event.type)]
        if verdict is Verdict.APPLIED:
            lengths_before.setdefault(key, length)
        elif verdict is Verdict.ID_CONFLICT:
            detail = "its source and id are those of an earlier event with other content"
            return "dead_letter", type_name, Rejection(Reason.ID_CONFLICT, detail)
        elif verdict is Verdict.THREAD_TOO_LONG:
            detail = "its key has as many events as a thread may have"
            return "dead_letter", type_name, Rejection(Reason.THREAD_TOO_LONG, detail)
        return verdict.value, type_name, None


def _packed(record: SourceRecord, fault: Rejection, version: int) -> bytes:
    value = None if record.value is None else record.value[:MAX_VALUE_BYTES]
    return b"%d:" % version + msgspec.msgpack.encode((fault.reason.value, fault.detail, value))
