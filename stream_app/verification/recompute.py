"""One plain pass over `crm.events`: what every KPI must be (pure)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from stream_app.config.model import Config
from stream_app.domain.alert_states import possible_states
from stream_app.domain.asked import Asked
from stream_app.domain.calendar import DAY_US, FIVE_MINUTES_US, five_minute_bucket
from stream_app.domain.catalogue import Catalogue
from stream_app.domain.cells import CellSplitter, Deltas, without_zeros
from stream_app.domain.currencies import MINOR_UNIT_EXPONENTS
from stream_app.domain.evaluation import Evaluator, KpiValue
from stream_app.domain.events import Event, EventType
from stream_app.domain.experiment import results
from stream_app.domain.goal import Goal
from stream_app.domain.ledger import ThreadLedger, Verdict
from stream_app.domain.rates import Rates
from stream_app.domain.rules import FoldRules
from stream_app.domain.standings import Goals, GoalWindows, Look
from stream_app.domain.totals import ScopeTotals
from stream_app.domain.trial import is_trial_scope, trial_scope
from stream_app.domain.windows import WindowRules, last_instant_of
from stream_app.domain.workdays import WorkingDays
from stream_app.stages.ports import SourceRecord
from stream_app.verification.compare import STATES_BETWEEN
from stream_app.verification.outcomes import Outcomes
from stream_app.wire.cloudevent import Ignored, Rejection, Rules, decode
from stream_app.wire.experiment import SaidResult, result_key, said_result
from stream_app.wire.value import Said, TargetSaid, said, target_said, value_key

_DEAL_TYPES: Final = range(EventType.DEAL_CREATED, EventType.DEAL_DELETED + 1)
_LEAD_TYPES: Final = range(EventType.LEAD_CREATED, EventType.LEAD_DELETED + 1)

_ANY_STATE: Final = STATES_BETWEEN.join(("ok", "pending", "firing", "achieved"))

_FIVE_MINUTES_ASKED_US: Final = 4 * DAY_US
"""No window asks for five minutes longer ago: the running `day` reaches back three days."""

Coordinates = tuple[int, int]
"""(partition, offset) in `crm.events`."""


class Rejected(NamedTuple):
    """A record that must have become a dead letter; `timestamp_ms` is its own."""

    reason: str
    timestamp_ms: int


class Recomputation:
    """Takes in the log, in each partition's order, and says what must have come of it.

    What comes later may be taken in later: `values` then speaks of all that was taken in so far.

    Attributes:
        newest_us: time of the newest accepted event, 0 before the first.
        records: how many records were taken in.
        outcomes: partition → what became of its records.
        dead_letters: where dead letters must come from.
        in_two_partitions: keys met in more than one partition: producers place keys differently.
    """

    def __init__(
        self,
        config: Config,
        catalogue: Catalogue,
        goals: Sequence[Goal],
        working: WorkingDays,
    ) -> None:
        """Begin empty.

        Args:
            config: what is counted.
            catalogue: its KPIs.
            goals: its targets.
            working: its working days.
        """
        self._config = config
        self._rules = FoldRules.from_config(config)
        self._accepted = Rules.from_config(config)
        windows = WindowRules.from_config(config, self._rules.calendar)
        self._evaluator = Evaluator(catalogue, windows)
        self._goals = Goals(goals, working, windows.kinds)
        self._goal_windows = GoalWindows(windows)
        exponent = MINOR_UNIT_EXPONENTS[config.business.currency]
        self._asked = Asked(self._goals, windows, exponent)
        self._rates = Rates.from_config(config)
        self._splitter = CellSplitter(self._rules)
        self._open: dict[bytes, ThreadLedger] = {}
        self._told: dict[bytes, list[Event]] = {}
        self._home: dict[bytes, int] = {}
        self._totals: dict[str, ScopeTotals] = {}
        self._oldest_five_minutes: int | None = None
        self._folds = 0
        self._key_of_entity: dict[tuple[str, str], bytes] = {}
        self._more_keys: dict[tuple[str, str], set[bytes]] = {}
        self.newest_us = 0
        self.records = 0
        self.outcomes: dict[int, Outcomes] = {}
        self.dead_letters: dict[Coordinates, Rejected] = {}
        self.in_two_partitions: set[bytes] = set()

    @property
    def threads(self) -> int:
        """How many threads were met."""
        return len(self._home)

    # -- taking in -------------------------------------------------------------------------------

    def begin(self, partition: int, offset: int) -> None:
        """Announce a partition, and the first offset that its log still has."""
        self.outcomes[partition] = Outcomes(offset)

    def add(self, partition: int, record: SourceRecord) -> None:
        """Take in the next record of an announced partition."""
        self.records += 1
        outcomes = self.outcomes[partition]
        event = decode(record.key, record.value, record.timestamp, self._accepted)
        if isinstance(event, Ignored):
            outcomes.note(record.offset, "ignored")
            return
        reason = (
            event.reason.value
            if isinstance(event, Rejection)
            else self._accept(partition, record.key or b"", event, outcomes, record.offset)
        )
        if reason is not None:
            outcomes.note(record.offset, "dead_letter")
            self.dead_letters[partition, record.offset] = Rejected(reason, record.timestamp)

    def _accept(
        self, partition: int, key: bytes, event: Event, outcomes: Outcomes, offset: int
    ) -> str | None:
        """Give an event to its thread; why it is refused, if it is."""
        if self._home.setdefault(key, partition) != partition:
            self.in_two_partitions.add(key)
        thread = self._open.get(key)
        if thread is None:
            thread = self._open[key] = ThreadLedger(self._rules, self._told.get(key, ()))
        verdict = thread.accept(event)
        if verdict not in (Verdict.APPLIED, Verdict.DUPLICATE):
            return str(verdict.value)
        outcomes.note(offset, verdict.value)
        if verdict is Verdict.APPLIED:
            self.newest_us = max(self.newest_us, event.time)
            self._note_entity(event, key)
        return None

    def _note_entity(self, event: Event, key: bytes) -> None:
        if event.type in _DEAL_TYPES:
            entity = ("deal", event.data["deal_id"])
        elif event.type in _LEAD_TYPES:
            entity = ("lead", event.data["lead_id"])
        else:
            return
        first = self._key_of_entity.setdefault(entity, key)
        if first != key:
            self._more_keys.setdefault(entity, {first}).add(key)

    def under_two_keys(self) -> Mapping[tuple[str, str], set[bytes]]:
        """(`deal` or `lead`, id) → its keys, where there are more than one."""
        return self._more_keys

    # -- saying ----------------------------------------------------------------------------------

    def now_us(self, last_tick_us: int | None) -> int | None:
        """What "now" is: fixed, the newest event, or the last tick; None: there is none yet."""
        business = self._config.business
        if business.as_of is not None:
            return last_instant_of(business.as_of.toordinal(), self._rules.calendar)
        if business.clock == "event":
            return self.newest_us or None
        return last_tick_us

    def fold(self, now_us: int) -> None:
        """Count what was taken in since the last call.

        Args:
            now_us: "now", at least that of the last call: five minutes that no window asks for any
                more are not kept, for they would need more memory than everything else.
        """
        if self._oldest_five_minutes is None:
            self._oldest_five_minutes = five_minute_bucket(now_us - _FIVE_MINUTES_ASKED_US)
        deltas: Deltas = {}
        while self._open:
            key, thread = self._open.popitem()
            self._splitter.add(deltas, thread.changes(), self._oldest_five_minutes)
            self._told[key] = thread.arrived  # a tenth of the fold's memory, and enough to go on
        self._folds += 1
        source = str(self._folds)  # partials of different sources add up
        deltas = without_zeros(deltas)
        while deltas:
            (scope, bucket), measures = deltas.popitem()
            totals = self._totals.get(scope)
            if totals is None:
                totals = self._totals[scope] = ScopeTotals(self._rates, self._day_of_bucket)
                totals.asked = self._asked.of(scope, totals)
            totals.put(bucket, source, 1, measures)

    def _day_of_bucket(self, bucket: int) -> int:
        return self._rules.calendar.day_of(bucket * FIVE_MINUTES_US)

    def values(self, now_us: int) -> Iterator[tuple[bytes, Said]]:
        """Every record that must stand in `kpi.values` at that moment, with its key."""
        self.fold(now_us)
        at_now = self._evaluator.windows_at(now_us)
        today = self._rules.calendar.day_of(now_us)
        self._goal_windows.refresh(now_us, today, five_minute_bucket(now_us))
        self._asked.refresh(at_now, today)
        for scope, totals in self._totals.items():
            if is_trial_scope(scope):
                continue
            for value in self._evaluator.values(scope, totals, at_now):
                window = value.window
                key = value_key(value.kpi.name, window.kind, window.key, scope)
                yield key, said(value, tuple(self._targets(value, totals, today)))

    def unrecorded_targets(self, now_us: int) -> Iterator[tuple[str, Goal, TargetSaid]]:
        """(scope, goal, how it stands) where a gauge may say so though no record does.

        Somebody who is named and has counted nothing has no record, and may be behind all the same;
        and what a closed window made known stands until its day is over. Call it after `values`.
        """
        today = self._rules.calendar.day_of(now_us)
        for scope, totals in self._totals.items():
            goals = () if is_trial_scope(scope) else self._goals.of_scope(scope)
            look = Look.at(scope, totals, today, self._goals.working) if goals else None
            for goal in goals:
                window = self._goal_windows.running[goal.target.window]
                assert look is not None  # noqa: S101 - there are goals
                standing = look.standing(goal, window)
                if standing is None:
                    yield scope, goal, TargetSaid(goal.name, None, None, _ANY_STATE)
                elif not look.has_record(goal, window):
                    yield scope, goal, target_said(standing, _ANY_STATE)

    def results(self, now_us: int) -> Iterator[tuple[bytes, SaidResult]]:
        """Every record that must stand in `kpi.experiments` at that moment, with its key."""
        self.fold(now_us)
        today = self._rules.calendar.day_of(now_us)
        for experiment in self._config.experiments:
            totals = self._totals.get(trial_scope(experiment.name))
            for result in () if totals is None else results(experiment, totals, today):
                yield result_key(experiment.name, result.variant), said_result(result)

    def _targets(self, value: KpiValue, totals: ScopeTotals, today: int) -> Iterator[TargetSaid]:
        """How the value stands; of its alert all states that the past may have led to."""
        for standing in self._goals.beside(value, totals, today):
            closed = () if value.window.complete else self._goal_windows.closed(standing.goal)
            look = Look.at(value.scope, totals, today, self._goals.working)
            before = look.standing(standing.goal, closed[0]) if closed else None
            states = possible_states(standing, before)
            yield target_said(standing, STATES_BETWEEN.join(states))
