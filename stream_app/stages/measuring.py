"""Stage one: the records of one partition of `crm.events` become absolute partials.

    decode → accept into threads → fold → difference → cells → one commit → publish → acknowledge

State, offset, counts and outbox change in one commit (design.md, section 3). What is published is
read from committed cells only, so a partial's version and value always belong together.

After Redis was rolled back or lost, records are read again in other batches. What a cell was within
such a batch may have been published as a version of its own then, and must be outdone: up to where
the log ended when the partition was claimed a cell gets a new version if any single record changed
it, even if all of it cancels out in the end.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain, islice
from typing import Final

from stream_app.domain.calendar import five_minute_bucket
from stream_app.domain.cells import CellSplitter, Deltas, without_zeros
from stream_app.domain.events import Event
from stream_app.domain.rules import FoldRules
from stream_app.domain.thread import Change
from stream_app.stages.accepting import OUTCOMES, Acceptor, BatchSummary, Outcome, Stop, Taken
from stream_app.stages.cells import FIVE_MINUTES_KEPT_US, CellStore, has_expired
from stream_app.stages.hearing import Hearing
from stream_app.stages.partial_records import Outputs, PartialRecords
from stream_app.stages.ports import OutRecord, Patience, Publish, SourceRecord, State, WallClock
from stream_app.stages.threads import ThreadStore
from stream_app.stages.turns import others, parts
from stream_app.wire.cloudevent import Ignored, Rejection, Rules, decode
from stream_app.wire.partial import (
    CLOCK,
    FIVE_MINUTES_END,
    HEARD,
    READY,
)

FAR_BEHIND: Final = 2_000
"""Records between a batch and the end of the log from which on only what lasts is published."""

_PUBLISH_CHUNK: Final = 5_000
_HEARD: Final = f"{HEARD}|".encode()
_NAME_BARS: Final = 2  # a cell's name is dimension|member|bucket


class Measurer:
    """Stage one for one partition, as long as this worker owns it."""

    def __init__(
        self,
        state: State,
        *,
        rules: FoldRules,
        accepted: Rules,
        outputs: Outputs,
        publish: Publish,
        patiently: Patience,
        cached_threads: int,
        event_clock: bool,
        wall_clock_us: WallClock | None = None,
        poison_stop: bool = False,
        hears: Sequence[str] = (),
    ) -> None:
        """Continue from what is committed.

        Args:
            state: of the source partition.
            rules: how events are folded.
            accepted: which input is good.
            outputs: where partials and dead letters go.
            publish: sends records and waits for their acknowledgement.
            patiently: repeats a commit while Redis is away.
            cached_threads: how many threads stay in memory.
            event_clock: "now" follows the newest event, so this stage is a clock.
            wall_clock_us: where "now" is the time of day: five minutes that may still be asked for
                outlive an event from a producer that is ahead of its time. Decides what is kept,
                never a value.
            poison_stop: a bad record is not rejected: the partition stops before it.
            hears: sources that may not be silent (`silent_sources`).

        Attributes:
            stopped: what the partition stopped before; it takes nothing any more.
        """
        self._state = state
        self.stopped: Stop | None = None
        self._accepted = accepted
        self._publish = publish
        self._patiently = patiently
        self._lock = asyncio.Lock()
        self._event_clock = event_clock
        self._wall_clock_us = wall_clock_us
        self._splitter = CellSplitter(rules)
        self._threads = ThreadStore(state, rules, cached_threads)
        self._acceptor = Acceptor(self._threads, poison_stop=poison_stop)
        self._partials = PartialRecords(state, outputs)
        self._cells = CellStore(state)
        self._newest_us = int(state.meta.get("newest_us", 0))
        self._hearing = Hearing(hears, state.partition)
        self._hearing.restore(state.meta.get(HEARD, ""))
        self.publications = 0
        self.backlog = 0  # records between the last batch and the end of the log
        self._ready_is_news = self._rebuild_is_news = False
        self._before_ready: set[bytes] = set()

    # -- taking a batch --------------------------------------------------------------------------

    async def take(self, records: Sequence[SourceRecord], next_offset: int) -> BatchSummary:
        """Count a contiguous run of records that begins at the stored offset, and commit it.

        Nothing is kept of a batch that could not be committed.

        Raises:
            Fenced: another worker owns the partition.
            StoreUnavailable: Redis could not be read; take the same records again later.
        """
        if self.stopped is not None:
            return BatchSummary()
        async with self._lock:
            try:
                return await self._take(records, next_offset)
            except BaseException:
                self.forget()
                raise

    def forget(self) -> None:
        """Drop all memory of the partition; what is needed is read from the state again."""
        with suppress(Exception):  # a claim that is over has nothing to discard
            self._state.discard()
        self._threads.forget()
        self._cells.forget()
        self._newest_us = int(self._state.meta.get("newest_us", 0))
        self._hearing.restore(self._state.meta.get(HEARD, ""))

    async def let_go(self) -> None:
        """Forget all that is kept in memory: the claim is over."""
        async with self._lock:
            self.forget()

    async def _take(self, records: Sequence[SourceRecord], next_offset: int) -> BatchSummary:
        state = self._state
        decoded = await self._decode(records)
        keys = {
            record.key: None
            for record, event in zip(records, decoded, strict=True)
            if type(event) is Event and record.key is not None
        }
        await self._threads.load(keys)
        may_repeat = (state.offset or 0) < state.log_end
        taken = Taken(next_offset)
        for pairs in parts(zip(records, decoded, strict=True)):
            self._acceptor.accept(taken, pairs, may_repeat=may_repeat)
            await others()
        if taken.stop is not None and not taken.summary.dead:
            self.forget()  # there is nothing before it
            self.stopped = taken.stop
            return taken.summary
        summary, outbox, lengths_before = taken.summary, taken.outbox, taken.lengths_before
        next_offset = taken.next_offset
        batch_us, newest_us = taken.newest_us, max(taken.newest_us, self._newest_us)
        asked_us = self._asked_us(newest_us)
        oldest = five_minute_bucket(asked_us)
        deltas = await self._differences(taken, oldest, keep_cells=may_repeat)
        changed = await self._cells.change(deltas, next_offset, batch_us, taken.newest_ms)
        for lengths in parts(lengths_before.items()):
            self._threads.write(lengths)
            await others()
        expired = await self._cells.expire(asked_us)
        version = b"%d" % next_offset
        heard = self._hearing.take(records, decoded, next_offset)
        told = (*changed, *expired, *map(self._hearing.key, heard))
        # In this order: a source that says it is ready has said all that was counted before.
        for name in (*told, *self._control_names(newest_us, next_offset)):
            outbox[name] = version
        counts = self._counts(summary, newest_us)
        if heard:
            counts[HEARD] = self._hearing.stored(heard)
        # Only the commit itself may be repeated once it was tried: whether it was applied is found
        # out by repeating it, and reading again could read what it wrote.
        await self._patiently(lambda: state.commit(state.offset, next_offset, counts, outbox))
        self._newest_us = newest_us
        self._hearing.committed(heard)
        self._cells.committed()
        self._threads.trim()
        if taken.stop is not None:
            self.backlog = 0  # what comes later will not come soon: publish all there is
            self.stopped = taken.stop
        return summary

    async def _decode(self, records: Sequence[SourceRecord]) -> list[Event | Rejection | Ignored]:
        accepted = self._accepted
        decoded: list[Event | Rejection | Ignored] = []
        for part in parts(records):
            decoded += [decode(r.key, r.value, r.timestamp, accepted) for r in part]
            await others()
        return decoded

    async def _differences(
        self, taken: Taken, oldest_five_minutes: int, *, keep_cells: bool
    ) -> Deltas:
        """What the threads count now and did not before; also cells in which it cancelled out."""
        deltas: Deltas = {}
        threads, steps, add = self._threads, taken.steps, self._splitter.add
        for keys in parts(taken.lengths_before):
            for key in keys:
                changes: Iterable[Change] = threads[key].changes()
                if key in steps:
                    changes = chain(steps[key], changes)
                add(deltas, changes, oldest_five_minutes, keep_cells=keep_cells)
            await others()
        return without_zeros(deltas, keep_cells=keep_cells)

    def _control_names(self, newest_us: int, next_offset: int) -> Iterator[bytes]:
        if self._event_clock and newest_us > self._newest_us:
            yield CLOCK.encode()
        if not self.is_ready and next_offset >= self._ready_at:
            yield READY.encode()

    def _asked_us(self, newest_us: int) -> int:
        """Five minutes before this instant are asked for by no window any more."""
        if self._wall_clock_us is not None:
            newest_us = min(newest_us, self._wall_clock_us())
        return newest_us - FIVE_MINUTES_KEPT_US

    def _counts(self, summary: BatchSummary, newest_us: int) -> dict[str, str | int]:
        """The absolute counts of conservation (contract.md, rule 10) after this batch."""
        meta = self._state.meta
        counts: dict[str, str | int] = {"newest_us": newest_us}
        for outcome in OUTCOMES:
            here = sum(n for (_, o), n in summary.outcomes.items() if o == outcome)
            counts[outcome] = int(meta.get(outcome, 0)) + here
        return counts

    @property
    def partition(self) -> int:
        """The source partition."""
        return self._state.partition

    @property
    def offset(self) -> int:
        """The offset of the next record to take."""
        return self._state.offset or 0

    @property
    def counts(self) -> dict[Outcome, int]:
        """The committed counts by outcome."""
        return {outcome: int(self._state.meta.get(outcome, 0)) for outcome in OUTCOMES}

    # -- readiness -------------------------------------------------------------------------------

    @property
    def is_ready(self) -> bool:
        """Whether the log was read up to where it ended when the state was begun."""
        return (self._state.offset or 0) >= self._ready_at

    @property
    def _ready_at(self) -> int:
        return int(self._state.meta.get("rebuild_until", 0))

    # -- publishing ------------------------------------------------------------------------------

    async def begin(self) -> None:
        """Learn which hours have cells, and say again whether we are ready.

        Who is not says so before anything else: it counts again from the beginning, and what it
        says of a cell may be all that compaction leaves, although more had been counted before.
        """
        await self._cells.load_hours()
        # A stored outbox has no order, and whoever is ready has said all that was counted.
        self._before_ready = {name for name in self._state.outbox if name != READY.encode()}
        self._ready_is_news = self.is_ready
        self._rebuild_is_news = not self.is_ready

    @property
    def has_words(self) -> bool:
        """Whether something is to be published now."""
        return self._readiness_is_news or next(self._due(), None) is not None

    @property
    def _readiness_is_news(self) -> bool:
        return self._ready_is_news or self._rebuild_is_news

    async def publish_outbox(self) -> bool:
        """Publish what is committed and not yet acknowledged; True when something was.

        Raises:
            BrokerUnavailable: nothing is lost, publish again.
        """
        if not (self._state.outbox or self._readiness_is_news):
            return False
        sent: dict[bytes, int] = {}
        async with self._lock:  # a batch under way has written cells that are not committed yet
            names = list(islice(self._due(), _PUBLISH_CHUNK))
            if not (names or self._readiness_is_news):
                return False
            records = self._readiness_records()
            if self._before_ready:
                names = [name for name in names if name != READY.encode()]
            if await self._cells.load(name for name in names if name.count(b"|") == _NAME_BARS):
                self._state.discard()
            asked_us = self._asked_us(self._newest_us)
            for name in names:
                version, _, payload = self._state.outbox[name].partition(b":")
                sent[name] = int(version)
                if self._cells.came_and_went(name):
                    continue
                if name.startswith(_HEARD):
                    records.extend(self._partials.heard(self._hearing.said(name)))
                    continue
                is_cell = name.count(b"|") == _NAME_BARS
                cell = self._cells[name] if is_cell else None
                if is_cell and cell is None and not has_expired(name, asked_us):
                    continue  # Redis was emptied under our hands; whoever is next says the truth
                records.extend(self._partials.of(name, payload, cell, self._newest_us))
        await self._publish(records)
        self._rebuild_is_news = False
        self._ready_is_news = self._ready_is_news and bool(self._before_ready)
        self._before_ready.difference_update(names)
        await self._state.acknowledge(sent)
        self.publications += 1
        return True

    def _readiness_records(self) -> list[OutRecord]:
        if self._rebuild_is_news:
            return self._partials.rebuild(self._ready_at)
        if self._ready_is_news and not self._before_ready:
            return self._partials.control(READY, self._newest_us)
        return []

    def farewell(self) -> list[OutRecord]:
        """Nothing: whatever of ours arrives late has an old version."""
        return []

    def _due(self) -> Iterator[bytes]:
        """Names to publish now.

        Far behind the end of the log, five-minute cells wait: nearly all of them expire before
        anybody could ask for them, and are then neither sent nor taken back.
        """
        far_behind = self.backlog > FAR_BEHIND
        for name in self._state.outbox:
            if far_behind and name.endswith(FIVE_MINUTES_END) and self._cells.exists(name):
                continue
            yield name
