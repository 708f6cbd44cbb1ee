"""Round by round: read what came, recompute, compare, until it agrees or patience is over."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from stream_app.company import Company
from stream_app.metrics.board import TargetState
from stream_app.settings import Topics
from stream_app.transport.publisher import Publisher
from stream_app.transport.reading import Progress
from stream_app.verification.committed import CommittedState
from stream_app.verification.compare import Comparison, Difference, compare_values
from stream_app.verification.conservation import Committed, conservation_differences
from stream_app.verification.evidence import Evidence
from stream_app.verification.gauges import ExpectedGauges, Page
from stream_app.verification.letters import letter_differences, surplus_letters
from stream_app.verification.mending import mending_records, mending_results, write
from stream_app.verification.pages import Address, read_pages
from stream_app.verification.recompute import Recomputation
from stream_app.verification.report import Report
from stream_app.verification.results import ResultRounds
from stream_app.verification.settling import (
    CONSERVATION,
    EXPERIMENTS,
    LETTERS,
    METRICS,
    Round,
    Settling,
)
from stream_app.wire.published import decode_published
from stream_app.wire.value import Said

_PAUSE_SECONDS: Final = 0.5
_ENTITIES_NAMED: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """Whose metrics are looked at.

    Attributes:
        addresses: none: nobody's.
        all_workers: these are all workers there are.
    """

    addresses: tuple[Address, ...] = ()
    all_workers: bool = False


Told = Callable[[str], Progress | None]
"""Called when something else begins, with what; returns who wants to know how far it is."""


def _nothing(_key: bytes) -> tuple[float, ...]:
    return ()


def _untold(_doing: str) -> Progress | None:
    return None


@dataclass(slots=True)
class Audit:
    """One verification.

    Attributes:
        partials_partitions: how many partitions `kpi.partials` has; None: it does not exist.
        told: hears what is being done.
        now_us: the "now" of the latest round.
        grew_by: records the log gained since the first round.
    """

    company: Company
    topics: Topics
    evidence: Evidence
    committed: CommittedState
    partials_partitions: int | None
    metrics: Metrics = Metrics()
    told: Told = _untold
    recomputation: Recomputation = field(init=False)
    settling: Settling = field(default_factory=Settling)
    now_us: int | None = None
    grew_by: int = 0
    warnings: list[str] = field(default_factory=list)
    _results: ResultRounds = field(default_factory=ResultRounds)
    _pass_seconds: float = 0.0
    _began_s: float = field(default_factory=time.monotonic)
    _gauges: int | None = None
    _records: int = 0
    _unsaid: int = 0
    _ends_before: dict[int, int] = field(default_factory=dict)
    _is_first: bool = True

    def __post_init__(self) -> None:
        company = self.company
        self.recomputation = Recomputation(
            company.config, company.catalogue, company.goals, company.working_days
        )
        self.evidence.announce(self.recomputation)

    async def run(self, wait_seconds: float) -> Report:
        """Rounds until nothing differs any more, or so many seconds after the first are over.

        Raises:
            BrokerUnavailable, StoreUnavailable: something stopped answering.
        """
        await self.round()
        until_s = time.monotonic() + wait_seconds
        while not self.settling.is_settled and (
            time.monotonic() < until_s or (wait_seconds and self.settling.is_young)
        ):
            left = sum(map(len, self.settling.differences().values()))
            moving = len(self.settling.undecided)
            self.told(f"{left:,} differences, {moving:,} values in motion; waiting for the worker")
            await asyncio.sleep(min(_PAUSE_SECONDS, max(0.0, until_s - time.monotonic())))
            await self.round()
        return self.report()

    async def round(self) -> None:
        """Read what came since the last round and compare everything."""
        evidence, recomputation = self.evidence, self.recomputation
        began_s = time.monotonic()
        # In this order: what the worker has committed and published lies in the log by then.
        committed = await self.committed.of_events(evidence.partitions)
        self._unsaid = await self.committed.unsaid(
            evidence.partitions, self.partials_partitions or 0
        )
        await evidence.read_ticks()
        pages, unreadable = await self._pages()
        grown = await evidence.read_log(recomputation, self._told("reading the log"))
        self._told("folding")
        self.now_us = recomputation.now_us(await self._clock_us())
        if self.now_us is not None:
            recomputation.fold(self.now_us)
        if self._is_first:
            self._pass_seconds = time.monotonic() - began_s
            self._ends_before = evidence.log_ends
        await evidence.read_values(self._told("reading the values"))
        await evidence.read_results()
        await evidence.read_letters()
        self._told("comparing")
        gauges = ExpectedGauges(self.partials_partitions)
        values = self._compared(gauges)
        self._records = values.records
        caught_up = all(
            (state.offset or 0) >= self._ends_before[partition]
            for partition, state in enumerate(committed)
        )
        self.settling.add(
            Round(
                grown=0 if self._is_first else grown,
                caught_up=caught_up,
                published=evidence.published,
                values=values,
                others={
                    EXPERIMENTS: self._experiments(moving=bool(grown)),
                    CONSERVATION: list(self._conservation(committed)),
                    LETTERS: list(self._letters(committed)),
                    METRICS: [*unreadable, *self._metrics(gauges, pages, unreadable, grown)],
                },
            )
        )
        self.grew_by += 0 if self._is_first else grown
        self._ends_before = evidence.log_ends
        self._is_first = False

    def _told(self, doing: str) -> Progress | None:
        return self.told(doing) if self._is_first else None

    async def _clock_us(self) -> int | None:
        """The last tick; where ticks have expired, the last that the worker has taken in."""
        tick_us = self.evidence.last_tick_us
        if tick_us is not None or self.partials_partitions is None:
            return tick_us
        return await self.committed.clock_us(self.partials_partitions)

    # -- comparing -------------------------------------------------------------------------------

    def _compared(self, gauges: ExpectedGauges) -> Comparison:
        def expected() -> Iterator[tuple[bytes, Said]]:
            if self.now_us is None:
                return
            for key, said in self.recomputation.values(self.now_us):
                if self.metrics.addresses:
                    gauges.note(key, said)
                yield key, said
            if self.metrics.addresses:
                for scope, goal, target in self.recomputation.unrecorded_targets(self.now_us):
                    gauges.allow(scope, goal, target)

        return compare_values(expected(), self.evidence.values)

    def _experiments(self, *, moving: bool) -> list[Difference]:
        recomputation, evidence = self.recomputation, self.evidence
        expected = () if self.now_us is None else recomputation.results(self.now_us)
        published = evidence.published_results if moving else {}
        return self._results.compare(expected, evidence.results, published)

    def _conservation(self, committed: Sequence[Committed]) -> Iterator[Difference]:
        for partition, end in self.evidence.log_ends.items():
            state, end_before = committed[partition], self._ends_before[partition]
            outcomes = self.recomputation.outcomes[partition]
            name = f"{self.topics.events}/{partition}"
            for difference in conservation_differences(name, outcomes, end, state):
                is_new = end > end_before and (state.offset or 0) >= end_before
                if difference.field != "offset" or not is_new:
                    yield difference

    def _letters(self, committed: Sequence[Committed]) -> Iterator[Difference]:
        topic, expected = self.topics.events, self.recomputation.dead_letters
        evidence = self.evidence
        yield from letter_differences(topic, expected, evidence.letters)
        surplus = list(
            surplus_letters(
                topic, expected, evidence.letters, evidence.log_ends, evidence.log_begins
            )
        )
        counts_agree = all(
            state.counts.get("dead_letter")
            == self.recomputation.outcomes[p].counts(state.offset or 0)["dead_letter"]
            for p, state in enumerate(committed)
        )
        self.warnings = []
        if surplus and counts_agree:
            # The worker does not count them either: they were written under other rules.
            self.warnings.append(
                f"{len(surplus):,} dead letters are about records that today's configuration "
                f"accepts, the first about {surplus[0].key}: written before the configuration was "
                "changed, or about a log that was replaced"
            )
        else:
            yield from surplus

    async def _pages(self) -> tuple[list[Page], list[Difference]]:
        if not self.metrics.addresses:
            return [], []
        units = {kpi.name: kpi.definition.unit for kpi in self.company.catalogue.kpis}
        return await read_pages(self.metrics.addresses, units)

    def _metrics(
        self,
        expected: ExpectedGauges,
        pages: Sequence[Page],
        unreadable: Sequence[Difference],
        grown: int,
    ) -> Iterator[Difference]:
        if not self.metrics.addresses:
            return iter(())
        self._gauges = len(expected)
        return expected.differences(
            pages,
            all_workers=self.metrics.all_workers and not unreadable,
            published=self._published if grown else _nothing,
            moved=self.evidence.published if grown else (),
        )

    def _published(self, key: bytes) -> Iterator[float]:
        """What was published last: while the log moves the gauges may be a moment older."""
        evidence = self.evidence
        standing = evidence.values.get(key), evidence.superseded.get(key)
        for raw in (*standing, *evidence.published.get(key, ())):
            if raw is None:
                continue
            record = decode_published(raw)
            numbers = [record.value]
            for target in record.targets:
                numbers += [target.value, target.attainment]
                yield float(TargetState.of(target.state))
            yield from (float(number) for number in numbers if number is not None)

    # -- mending ---------------------------------------------------------------------------------

    @property
    def mendable(self) -> int:
        """How many records of `kpi.values` and `kpi.experiments` the last round found to differ."""
        last = self.settling.last
        return 0 if last is None else len(last.values.by_key) + len(self._results.differing)

    async def mend(self, publisher: Publisher) -> int:
        """Write what the log says over what differs; how many records were written.

        Raises:
            BrokerUnavailable: not all were acknowledged; doing it again does no harm.
        """
        last = self.settling.last
        if last is None:
            return 0
        now_us, newest_us = time.time_ns() // 1000, self.recomputation.newest_us
        values, results = self.evidence.values, self.evidence.results
        records = chain(
            mending_records(
                self.topics.values, last.values, values, now_us=now_us, newest_us=newest_us
            ),
            mending_results(
                self.topics.experiments, self._results, results, now_us=now_us, newest_us=newest_us
            ),
        )
        written = await write(publisher, records)
        self.settling = Settling()
        return written

    # -- the result ------------------------------------------------------------------------------

    def report(self) -> Report:
        """What the rounds so far found."""
        return Report(
            now_us=self.now_us,
            events=self.recomputation.records,
            threads=self.recomputation.threads,
            records=self._records,
            results=len(self._results.wanted),
            letters=len(self.recomputation.dead_letters),
            gauges=self._gauges,
            pages=tuple(f"{host}:{port}" for host, port in self.metrics.addresses),
            differences=self.settling.differences(),
            grew_by=self.grew_by,
            in_motion=self.settling.in_motion,
            unsaid=self._unsaid,
            undecided=len(self.settling.undecided) if self.settling.in_motion else 0,
            seconds=time.monotonic() - self._began_s,
            pass_seconds=self._pass_seconds,
            warnings=(*self.evidence.warnings, *self.warnings, *self._strange_keys()),
        )

    def _strange_keys(self) -> Iterator[str]:
        strangers = self.recomputation.under_two_keys()
        for (kind, name), keys in list(strangers.items())[:_ENTITIES_NAMED]:
            yield (
                f"{kind} {name!r} is seen under {len(keys)} keys: what is said under one is not "
                "known under the other; its producer must keep to the key of its first event"
            )
        if len(strangers) > _ENTITIES_NAMED:
            more = len(strangers) - _ENTITIES_NAMED
            yield f"{more:,} more leads or deals are seen under several keys"
        if split := len(self.recomputation.in_two_partitions):
            yield (
                f"{split:,} keys lie in more than one partition: producers of {self.topics.events} "
                "use different partitioners (or the partitions were changed), so that threads are "
                "torn apart; all of them must use Kafka's default (murmur2)"
            )
        if self.now_us is None and self.recomputation.records:
            yield (
                f"nothing says what time it is ({self.topics.ticks} is empty and Redis holds no "
                "clock), so no value is expected; has a worker with this configuration run?"
            )
        if repeats := self.evidence.letters.repeats:
            yield f"{repeats:,} dead letters are repeats (after a restart); they do no harm"
        if strange := self.evidence.letters.unreadable:
            yield f"{strange:,} records of {self.topics.dead_letters} are no dead letters"
