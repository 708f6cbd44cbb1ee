"""What scopes have to say in `kpi.values` and `kpi.experiments`, and what they have to take back.

A record is said when it says something else than before. What may stand without being known, such
as records of an earlier configuration or of a predecessor, is taken back with the rest.
"""

from collections.abc import Iterable, Iterator, Mapping

from stream_app.domain.asked import Asked
from stream_app.domain.calendar import FIVE_MINUTES_US, five_minute_bucket, rfc3339_utc
from stream_app.domain.evaluation import Evaluator
from stream_app.domain.kpi import Kpi
from stream_app.domain.scopes import split_scope
from stream_app.domain.standings import Goals
from stream_app.domain.totals import ScopeTotals
from stream_app.domain.windows import Window, last_instant_of
from stream_app.stages.alerting import Alerting
from stream_app.stages.evaluation import Evaluation
from stream_app.stages.leftovers import Leftovers, is_remembered
from stream_app.stages.ports import OutRecord
from stream_app.stages.results import news_of
from stream_app.stages.scopes import Dirt, LoadedScope, ScopeStore
from stream_app.wire.experiment import encode_result
from stream_app.wire.value import encode_value, said, value_key


class Words:
    """The words of one partition's scopes at one instant.

    Attributes:
        leftovers: what predecessors may have left.
        running: the running windows, by kind.
        standing: scope → keys of records that may stand and of which nothing is known.
    """

    def __init__(self, plan: Evaluation, asked: Asked, store: ScopeStore, alerts: Alerting) -> None:
        self._plan = plan
        self._asked = asked
        self._store = store
        self._alerts = alerts
        self._evaluator = Evaluator(plan.catalogue, plan.windows)
        self.leftovers = Leftovers(self._windows_on)
        self.standing: dict[str, dict[bytes, None]] = {}
        self._windows: tuple[Window, ...] = ()
        self.running: Mapping[str, Window] = {}
        self._bucket: int | None = None
        self._today = 0

    def _windows_on(self, day: int) -> tuple[Window, ...]:
        return self._evaluator.windows_at(last_instant_of(day, self._plan.calendar))

    def move_to(self, now_us: int) -> None:
        """What is said next is said of this instant."""
        bucket = five_minute_bucket(now_us)
        if bucket != self._bucket:
            self._today = self._plan.calendar.day_of(now_us)
            self._windows = self._evaluator.windows_at(now_us)
            self.running = {window.kind: window for window in self._windows if not window.complete}
            self._bucket = bucket
            self._asked.refresh(self._windows, self._today)

    def strays(self, room: int) -> dict[str, list[OutRecord]]:
        """What has to be taken back of scopes that do not exist; at most so many."""
        strays = [scope for scope in self.standing if scope not in self._store.known][:room]
        topic = self._plan.values_topic
        return {
            scope: [OutRecord(topic, key, None) for key in self.standing.pop(scope)]
            for scope in strays
        }

    def of(self, scope: str, dirt: Dirt, revision: int, published_us: int) -> Iterator[OutRecord]:
        """What the scope must say now that it has not said, and what it must take back."""
        loaded = self._store[scope]
        only = None
        if dirt.measures is not None:
            only = self._plan.catalogue.touched_by(dirt.measures)
        windows = [window for window in self._windows if dirt.touches(window)]
        times = {
            "event_time": rfc3339_utc(loaded.event_us),
            "published_at": rfc3339_utc(published_us, "milliseconds"),
        }
        if scope in self._plan.experiments:
            yield from self._results(scope, loaded, times, revision)
            return
        exists: set[bytes] = set()
        for value in self._evaluator.values(scope, loaded.totals, windows, only):
            window = value.window
            key = value_key(value.kpi.name, window.kind, window.key, scope)
            exists.add(key)
            targets = self._alerts.words.beside(value, loaded.totals, self._today)
            if not window.complete:
                loaded.show(value, targets)
            says = said(value, targets)
            if loaded.said.get(key) != says:
                loaded.said[key] = says
                loaded.keys_by_window.setdefault((window.kind, window.key), {})[key] = None
                body = encode_value(says, **times, revision=revision)
                yield OutRecord(self._plan.values_topic, key, body)
        for key in self._gone(scope, loaded, windows, only, exists):
            yield OutRecord(self._plan.values_topic, key, None)

    def _results(
        self, scope: str, loaded: LoadedScope, times: Mapping[str, str], revision: int
    ) -> Iterator[OutRecord]:
        """What an experiment must say now that it has not said, and what it must take back."""
        experiment = self._plan.experiments[scope]
        for key, says in news_of(experiment, loaded.totals, self._today, loaded.said_results):
            body = None
            if says is not None:
                body = encode_result(says, **times, revision=revision)
            yield OutRecord(self._plan.experiments_topic, key, body)

    def _gone(
        self,
        scope: str,
        loaded: LoadedScope,
        windows: list[Window],
        only: frozenset[str] | None,
        exists: set[bytes],
    ) -> Iterator[bytes]:
        """Keys of records that may stand in the topic and no longer exist."""
        dimension, _ = split_scope(scope)
        existing = self._plan.catalogue.existing
        # A running day exists for every dimension, a closed one only for some.
        kept = {
            (window.kind, window.key)
            for window in self._windows
            if existing(dimension, window.kind, closed=window.complete)
        }
        yield from loaded.leave(kept)
        gone: dict[bytes, None] = {}
        for kpi, window, key in self._keys(scope, windows, only):
            if key in exists:
                continue
            if not window.complete:
                loaded.hide(kpi.name, window.kind)
            if loaded.said.pop(key, None) is not None:
                loaded.keys_by_window[window.kind, window.key].pop(key, None)
                gone[key] = None
            elif scope in self.leftovers.changed:
                gone[key] = None
        for key in self._left(scope, loaded):
            if key not in exists:
                gone[key] = None
        if scope in self.standing:  # then all of the scope was looked at
            standing = self.standing.pop(scope)
            gone |= {key: None for key in standing if key not in exists}
        yield from gone

    def _left(self, scope: str, loaded: LoadedScope) -> Iterator[bytes]:
        """Keys of records that a predecessor may have said in windows as they are no more."""
        for window in self.leftovers.windows_left(scope, self._windows):
            if scope in self.leftovers.changed or not is_remembered(window):
                yield from (key for _, _, key in self._keys(scope, (window,)))
                continue
            for value in self._evaluator.values(scope, loaded.totals, (window,)):
                yield value_key(value.kpi.name, window.kind, window.key, scope)

    def _keys(
        self, scope: str, windows: Iterable[Window], only: frozenset[str] | None = None
    ) -> Iterator[tuple[Kpi, Window, bytes]]:
        """All records that a scope may have in windows; `only` of these KPIs."""
        dimension, _ = split_scope(scope)
        for window in windows:
            for kpi in self._plan.catalogue.existing(
                dimension, window.kind, closed=window.complete
            ):
                if only is None or kpi.name in only:
                    yield kpi, window, value_key(kpi.name, window.kind, window.key, scope)


def asked_of(plan: Evaluation) -> Asked:
    """What the configuration asks totals for."""
    goals = Goals(plan.alerts.goals, plan.alerts.working, plan.windows.kinds)
    return Asked(goals, plan.windows, plan.money_exponent)


def empty_totals(plan: Evaluation, asked: Asked, scope: str) -> ScopeTotals:
    """The totals of a scope of which nothing was heard yet."""
    day_of = plan.calendar.day_of
    totals = ScopeTotals(plan.rates, lambda bucket: day_of(bucket * FIVE_MINUTES_US))
    totals.asked = asked.of(scope, totals)
    return totals
