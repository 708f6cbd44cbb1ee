"""Laws of stage two, over all measures and KPIs: only what is counted counts, not how it came."""

from collections.abc import Sequence
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stream_app.config.model import Config
from stream_app.domain.calendar import FIVE_MINUTES_US
from stream_app.domain.cells import CellSplitter, Deltas
from stream_app.domain.evaluation import Evaluator, KpiValue
from stream_app.domain.events import Event
from stream_app.domain.ledger import ThreadLedger
from stream_app.domain.rates import Rates
from stream_app.domain.rules import FoldRules
from stream_app.domain.totals import ScopeTotals
from stream_app.domain.windows import WindowRules
from stream_app.kpis import catalogue
from tests.oracle.threads import a_config, a_log, a_now

RANDOM = st.randoms(use_true_random=False)
LOOKS = settings(
    deadline=None,
    max_examples=30,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
)
Partials = list[tuple[str, int, str, int, dict[str, int]]]
"""(scope, bucket, source, version, what it counts by then)."""


class Partition:
    """Stage one of one source partition, told in memory: cells are absolute and versioned."""

    def __init__(self, rules: FoldRules, source: str) -> None:
        self.rules = rules
        self.source = source
        self.version = 0
        self.cells: Deltas = {}
        self.threads: dict[int, ThreadLedger] = {}

    def take(self, thread: int, events: Sequence[Event]) -> Partials:
        """What a batch of one thread publishes."""
        ledger = self.threads.setdefault(thread, ThreadLedger(self.rules))
        for event in events:
            ledger.accept(event)
        deltas: Deltas = {}
        CellSplitter(self.rules).add(deltas, ledger.changes(), 0)
        self.version += 1
        partials = []
        for (scope, bucket), added in deltas.items():
            cell = self.cells.setdefault((scope, bucket), {})
            for key, value in added.items():
                cell[key] = cell.get(key, 0) + value
            counted = {key: value for key, value in cell.items() if value}
            partials.append((scope, bucket, self.source, self.version, counted))
        return partials

    def restart(self) -> None:
        """Threads are loaded anew from their accepted events."""
        self.threads = {
            key: ThreadLedger(self.rules, ledger.arrived) for key, ledger in self.threads.items()
        }


class StageTwo:
    """Totals of all scopes and what they say."""

    def __init__(self, config: Config, now_us: int) -> None:
        rules = FoldRules.from_config(config)
        self.calendar = rules.calendar
        self.rates = Rates.from_config(config)
        windows = WindowRules.from_config(config, self.calendar)
        self.evaluator = Evaluator(catalogue(config), windows)
        self.at_now = self.evaluator.windows_at(now_us)
        self.totals: dict[str, ScopeTotals] = {}

    def put(self, partials: Partials) -> None:
        for scope, bucket, source, version, counted in partials:
            totals = self.totals.get(scope)
            if totals is None:
                totals = self.totals[scope] = ScopeTotals(self.rates, self.day_of_bucket)
            totals.put(bucket, source, version, counted)

    def day_of_bucket(self, bucket: int) -> int:
        return self.calendar.day_of(bucket * FIVE_MINUTES_US)

    def says(self) -> dict[tuple[str, str, str, str], tuple[object, ...]]:
        return {
            (value.kpi.name, value.window.kind, value.window.key, scope): shown(value)
            for scope, totals in self.totals.items()
            for value in self.evaluator.values(scope, totals, self.at_now)
        }


def shown(value: KpiValue) -> tuple[object, ...]:
    return value.value, value.numerator, value.denominator, value.previous


def pieces(rnd: Random, log: Sequence[Sequence[Event]]) -> list[tuple[int, list[Event]]]:
    """Threads in batches, some events twice, in any order of arrival."""
    batches = []
    for thread, events in enumerate(log):
        order = [*events, *rnd.sample(list(events), rnd.randint(0, len(events)))]
        rnd.shuffle(order)
        while order:
            size = rnd.randint(1, 5)
            batches.append((thread, order[:size]))
            order = order[size:]
    rnd.shuffle(batches)
    return batches


@LOOKS
@given(RANDOM)
def test_arrival_repeats_batches_partitions_and_restarts_do_not_matter(rnd: Random) -> None:
    config = a_config(rnd)
    now_us = a_now(rnd, config)
    log = a_log(rnd, config, now_us)
    rules = FoldRules.from_config(config)
    plain, other = StageTwo(config, now_us), StageTwo(config, now_us)

    for thread, events in enumerate(log):
        plain.put(Partition(rules, str(thread)).take(thread, events))
    partitions = [Partition(rules, str(number)) for number in range(rnd.randint(1, 3))]
    published: Partials = []
    for thread, events in pieces(rnd, log):
        partition = partitions[thread % len(partitions)]
        published += partition.take(thread, events)
        if rnd.random() < 0.3:
            partition.restart()
    published += rnd.sample(published, len(published) // 3)
    rnd.shuffle(published)  # versions decide, whatever comes last
    other.put(published)

    assert nothing_empty(other.says()) == nothing_empty(plain.says())


@LOOKS
@given(RANDOM)
def test_what_is_taken_back_leaves_nothing(rnd: Random) -> None:
    config = a_config(rnd)
    now_us = a_now(rnd, config)
    first, more = a_log(rnd, config, now_us), a_log(rnd, config, now_us)
    rules = FoldRules.from_config(config)
    before, after = StageTwo(config, now_us), StageTwo(config, now_us)
    for stage in (before, after):
        for thread, events in enumerate(first):
            stage.put(Partition(rules, f"a{thread}").take(thread, events))

    for thread, events in enumerate(more):
        added = Partition(rules, f"b{thread}").take(thread, events)
        after.put(added)
        after.put([(scope, bucket, source, 9, {}) for scope, bucket, source, _, _ in added])

    assert nothing_empty(after.says()) == nothing_empty(before.says())


def nothing_empty(
    says: dict[tuple[str, str, str, str], tuple[object, ...]],
) -> dict[tuple[str, str, str, str], tuple[object, ...]]:
    """Without records that say nothing: 0 or undefined, like absent ones."""
    return {key: value for key, value in says.items() if any(value)}
