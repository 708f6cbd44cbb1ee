"""From happenings to records: bytes, and the faults of the way they come."""

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from random import Random
from typing import Final

import msgspec

from stream_app.simulate.bad_input import BadInput
from stream_app.simulate.manifest import Manifest
from stream_app.simulate.options import Options
from stream_app.simulate.record import APPLIED, DUPLICATE, IGNORED, SimRecord
from stream_app.simulate.spelling import remembering_time_text
from stream_app.simulate.timeline import Happening, Recent, Thread

_NEAR: Final = 24  # records
_NEAR_SHARE: Final = 0.6
_FAR: Final = 4_096  # records remembered, so that a repeat can come thousands of records later
_FAR_KEPT: Final = 0.25
_USUAL_LAG: Final = 40  # events that overtake a held one
_LONGEST_LAG: Final = 4_000
_BEHIND_ITS_THREAD: Final = 0.4

_TOOLS: Final = {
    "crm.survey.submitted.v1": "/surveys",
    "crm.spend.recorded.v1": "/ads",
    "crm.expense.recorded.v1": "/billing",
    "crm.customer.activated.v1": "/billing",
    "crm.customer.churned.v1": "/billing",
    "crm.measure.recorded.v1": "/quality",
}


class Envelope(msgspec.Struct, omit_defaults=True):
    """CloudEvents 1.0 in structured mode; the fields in the order in which they are written."""

    specversion: str
    id: str
    source: str
    type: str
    time: str
    data: dict[str, object]
    sequence: int | None = None


class _Held:
    """An event on its way while others overtake it."""

    __slots__ = ("happening", "record", "released")

    def __init__(self, happening: Happening, record: SimRecord) -> None:
        self.happening = happening
        self.record = record
        self.released = False


class Weave:
    """Turns happenings into records and adds the faults; keeps the manifest.

    The faults have their own source of chance, so they do not change what happens.
    """

    def __init__(self, options: Options, manifest: Manifest) -> None:
        self._options = options
        self._manifest = manifest
        self._rng = Random(f"{options.seed}/faults")  # noqa: S311 - reproducible on purpose
        self._bad = BadInput(self._rng, options)
        self._near: Recent[SimRecord] = Recent(_NEAR)
        self._far: Recent[SimRecord] = Recent(_FAR)
        self._good: Recent[SimRecord] = Recent(_FAR)
        self._remembers = options.duplicates > 0 or options.bad > 0
        self._log_ms = 0
        self._due_seconds = 0.0
        self._lags: list[tuple[int, int, _Held]] = []
        self._waiting: dict[Thread, _Held] = {}
        self._holds = 0

    def records(self, happenings: Iterable[Happening]) -> Iterator[SimRecord]:
        """Yield the records in the order of the log."""
        options = self._options
        chance = self._rng.random
        disorder, duplicates, bad = options.disorder, options.duplicates, options.bad
        sources = {type_: options.source + tool for type_, tool in _TOOLS.items()}
        source, run = options.source, options.run
        text = remembering_time_text()
        encode = msgspec.json.Encoder().encode
        number = 0
        for number, happening in enumerate(happenings, 1):
            envelope = Envelope(
                "1.0",
                f"{run}-{number}",
                sources.get(happening.type, source),
                happening.type,
                text(happening.time_ms),
                happening.data,
                happening.sequence,
            )
            self._log_ms = max(self._log_ms, happening.at_ms)
            self._due_seconds = happening.due_seconds
            record = SimRecord(
                happening.thread.key, encode(envelope), self._log_ms, self._due_seconds
            )
            if disorder and chance() < disorder:
                self._hold(_Held(happening, record), number)
            else:
                yield self._deliver(happening, record)
                if self._waiting:
                    self._overtake(happening.thread, number)
            while self._lags and self._lags[0][0] <= number:
                yield from self._release()
            if duplicates and chance() < duplicates:
                yield from self._repeat()
            if bad and chance() < bad:
                yield from self._plant()
        while self._lags:
            yield from self._release()

    def _deliver(self, happening: Happening, record: SimRecord) -> SimRecord:
        manifest, type_, time_ms = self._manifest, happening.type, happening.time_ms
        manifest.records += 1
        manifest.applied += 1
        manifest.types[type_] = manifest.types.get(type_, 0) + 1
        if not happening.thread.seen:
            happening.thread.seen = True
            manifest.threads += 1
        if happening.corrects:
            manifest.corrections += 1
        if manifest.first_time_ms is None or time_ms < manifest.first_time_ms:
            manifest.first_time_ms = time_ms
        if manifest.last_time_ms is None or time_ms > manifest.last_time_ms:
            manifest.last_time_ms = time_ms
        if self._remembers:
            self._remember(record)
            self._good.add(record)
        return record

    def _remember(self, record: SimRecord) -> None:
        self._near.add(record)
        if self._rng.random() < _FAR_KEPT:
            self._far.add(record)

    def _hold(self, held: _Held, number: int) -> None:
        """Hold an event for a while, or until its thread has gone on without it."""
        rng = self._rng
        self._holds += 1
        lag = 1 + int(rng.expovariate(1 / _USUAL_LAG))
        if rng.random() < _BEHIND_ITS_THREAD and held.happening.thread not in self._waiting:
            self._waiting[held.happening.thread] = held
            lag = _LONGEST_LAG
        heappush(self._lags, (number + min(lag, _LONGEST_LAG), self._holds, held))

    def _overtake(self, thread: Thread, number: int) -> None:
        held = self._waiting.pop(thread, None)
        if held is not None:
            self._holds += 1
            lag = 1 + int(3 * self._rng.random())
            heappush(self._lags, (number + lag, self._holds, held))

    def _release(self) -> Iterator[SimRecord]:
        _, _, held = heappop(self._lags)
        if held.released:
            return
        held.released = True
        happening = held.happening
        if self._waiting.get(happening.thread) is held:
            del self._waiting[happening.thread]
        latest_ms = self._manifest.last_time_ms
        late = latest_ms is not None and latest_ms > happening.time_ms
        if late and not happening.corrects:
            self._manifest.disordered += 1
        record = msgspec.structs.replace(
            held.record, timestamp_ms=self._log_ms, due_seconds=self._due_seconds
        )
        yield self._deliver(happening, record)

    def _repeat(self) -> Iterator[SimRecord]:
        """Repeat a delivered record, bad ones included, exactly: the same outcome, or a duplicate.

        A bad record keeps its timestamp, because `future` is judged by it.
        """
        rng = self._rng
        memory = self._near if rng.random() < _NEAR_SHARE or not len(self._far) else self._far
        if not len(memory):
            return
        original = memory.any(rng)
        applied = original.expected == APPLIED
        record = SimRecord(
            original.key,
            original.value,
            self._log_ms if applied else original.timestamp_ms,
            self._due_seconds,
            DUPLICATE if applied else original.expected,
        )
        self._count(record.expected)
        yield record

    def _plant(self) -> Iterator[SimRecord]:
        if not len(self._good):
            return
        earlier = self._good.any(self._rng)
        name, planted = self._bad.plant(self._log_ms, earlier)
        record = msgspec.structs.replace(planted, due_seconds=self._due_seconds)
        self._count(record.expected)
        self._manifest.planted[name] = self._manifest.planted.get(name, 0) + 1
        self._remember(record)
        yield record

    def _count(self, expected: str) -> None:
        manifest = self._manifest
        manifest.records += 1
        if expected == DUPLICATE:
            manifest.duplicates += 1
        elif expected == IGNORED:
            manifest.ignored += 1
        else:
            manifest.dead_letters[expected] = manifest.dead_letters.get(expected, 0) + 1
