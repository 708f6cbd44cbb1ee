"""Targets in stage two: at every tick each alert that may have changed is looked at once.

    tick → scopes that changed, or whose time has come → sights → transitions → the batch's commit

Transitions are made while a batch is taken and committed with it, as outbox entries that hold the
whole record. So a crash neither repeats nor loses one, and how the log is cut into batches does not
matter: nothing but a tick moves an alert.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from stream_app.domain.alerts import Alert, Sight, Tick, Transition, advance, end
from stream_app.domain.calendar import FIVE_MINUTES_US, five_minute_bucket
from stream_app.domain.coaching import coach, streak
from stream_app.domain.goal import Goal
from stream_app.domain.placement import partition_of_scope
from stream_app.domain.scopes import COMPANY, split_scope
from stream_app.domain.standings import Goals, GoalWindows, Look
from stream_app.domain.targets import Standing
from stream_app.stages.alert_memory import NUMBER, AlertMemory
from stream_app.stages.alert_mending import AlertMending, end_of
from stream_app.stages.alert_outbox import AlertOutbox
from stream_app.stages.alert_plan import AlertPlan
from stream_app.stages.alert_words import AlertWords
from stream_app.stages.listening import LISTENED, Listening, Silence
from stream_app.stages.ports import OutRecord, State
from stream_app.stages.scopes import ScopeStore
from stream_app.wire.alert import (
    AlertKey,
    alert_of,
    decode_alert,
    encode_alert,
    encode_notice,
)
from stream_app.wire.partial import Heard


class Alerting:
    """The alerts of one partition's scopes."""

    def __init__(self, state: State, plan: AlertPlan, store: ScopeStore) -> None:
        self._state = state
        self._plan = plan
        self._store = store
        self._goals = Goals(plan.goals, plan.working, plan.windows.kinds)
        asked = self._goals.kinds
        kinds = tuple(kind for kind in plan.windows.kinds if kind in asked)
        self._windows = GoalWindows(replace(plan.windows, kinds=kinds))
        owns_company = partition_of_scope(COMPANY, plan.partitions) == state.partition
        self._listening = Listening(
            plan.silence if owns_company else Silence(), plan.working, plan.calendar
        )
        self.outbox = AlertOutbox(state, plan.topic, plan.log)
        self._memory = AlertMemory(state, self.outbox)
        self._mending = AlertMending(
            state,
            plan,
            store,
            self._memory,
            self.outbox,
            windows=self._windows,
            listening=self._listening,
            goal_of=self._goal_of,
            is_ours=self._is_ours,
        )
        self.words = AlertWords(self._goals, self._memory, self._listening.keys)
        self._reset()

    def _reset(self) -> None:
        """Nothing was looked at since the last commit that counts."""
        self._listening.restore(self._state.meta.get(LISTENED, ""))
        self._news: dict[str, set[str]] = {}
        self._soiled: set[str] = set()
        self._bucket = self._day = -1

    # -- beginning -------------------------------------------------------------------------------

    async def begin(self) -> None:
        """Remember what was committed; without a state, what `kpi.alerts` says last."""
        self.words.begin()
        self._reset()
        await self._memory.begin(self._is_asked, self._is_ours, self._continued)

    def _is_ours(self, key: AlertKey) -> bool:
        return partition_of_scope(key.scope, self._plan.partitions) == self._state.partition

    def _continued(self, key: AlertKey, value: bytes) -> Alert | None:
        goal = self._goal_of(key)
        return alert_of(decode_alert(value), moves=goal is None or goal.moves)

    def _is_asked(self, key: AlertKey) -> bool:
        """Whether the configuration still asks for it."""
        return key in self._listening.keys or self._goal_of(key) is not None

    def _goal_of(self, key: AlertKey) -> Goal | None:
        """What is asked of the member, if anything still is."""
        goal = self._goals.by_name.get(key.target)
        dimension, member = split_scope(key.scope)
        if goal is None or goal.dimension != dimension or not goal.concerns(member):
            return None
        if key.kind == "coaching" and goal.target.repeat_misses is None:
            return None
        return goal

    # -- a tick ----------------------------------------------------------------------------------

    def soil(self, scope: str) -> None:
        """A scope's numbers changed."""
        self._soiled.add(scope)

    @property
    def is_new(self) -> bool:
        """Whether nothing was looked at yet."""
        return self._bucket < 0

    async def step(self, now_us: int) -> None:
        """Look at what may have changed by now.

        Raises:
            StoreUnavailable: Redis could not be read; take the batch again later.
        """
        today, bucket = self._plan.calendar.day_of(now_us), five_minute_bucket(now_us)
        self._windows.refresh(now_us, today, bucket)
        due = self._due(today, bucket)
        await self._store.load(due)
        for key, raw in self._memory.take_gone():
            self._end_unknown(key, raw, now_us)
        if today != self._day:
            self._end_missing(now_us)
        for scope in due:
            self._look_at(scope, now_us, today)
        self._listen(now_us)
        self._day, self._bucket = today, bucket
        self._soiled = set()

    def hear(self, news: Iterable[tuple[str, Heard]]) -> None:
        """Sources of events were heard."""
        self._listening.hear(news)

    def _listen(self, now_us: int) -> None:
        known = {key: self._memory[key] for key in self._listening.keys}
        for key, after, notice in self._listening.step(now_us, known):
            self._memory[key] = after
            if notice is not None:
                self._memory.say(key, encode_notice(notice))

    def _due(self, today: int, bucket: int) -> list[str]:
        """The scopes to look at, in their own order."""
        known, concerned = self._store.known, self._goals.has_dimension_of
        if today != self._day:
            return sorted(scope for scope in known if concerned(scope))
        due = {scope for scope in self._soiled if concerned(scope)}
        due.update(key.scope for key, alert in self._memory if alert.state == "pending")
        if bucket != self._bucket:
            hurried = {
                goal.dimension
                for goal in self._goals.by_name.values()
                if goal.target.window in ("hour", "day") or goal.target.no_data_us is not None
            }
            due.update(scope for scope in known if split_scope(scope)[0] in hurried)
        return sorted(scope for scope in due if scope in known)

    def _look_at(self, scope: str, now_us: int, today: int) -> None:
        loaded = self._store[scope]
        look = Look.at(scope, loaded.totals, today, self._plan.working)
        for goal in self._goals.of_scope(scope):
            tick = self._tick(goal, now_us, today)
            window = self._windows.running[goal.target.window]
            is_there = look.is_there(goal, (window, *self._windows.closed(goal)))
            running = look.standing(goal, window)
            self._level(goal, look, tick, running, loaded.event_us, is_there=is_there)
            if goal.target.repeat_misses is not None:
                self._coaching(goal, look, tick, is_there=is_there)

    def _tick(self, goal: Goal, now_us: int, today: int) -> Tick:
        window = self._windows.running[goal.target.window]
        return Tick(now_us, today, window.key, window.start)

    def _level(
        self,
        goal: Goal,
        look: Look,
        tick: Tick,
        running: Standing | None,
        event_us: int,
        *,
        is_there: bool,
    ) -> None:
        key = AlertKey(goal.name, "level", look.scope)
        before = self._memory[key]
        if not is_there and before is None:
            return
        closed = self._windows.closed(goal)
        sight = Sight(
            at=tick,
            running=running,
            closed=look.standing(goal, closed[0]) if closed else None,
            is_silent=is_there and self._is_silent(goal, event_us, tick.us),
            for_us=0 if self._plan.clock_stands else goal.target.for_us,
        )
        after, made = advance(goal, key.scope, before, sight)
        self._keep(goal, key, after, made)
        if not (is_there or after.held_on):
            self._end(goal, key, after, tick)

    def _coaching(self, goal: Goal, look: Look, tick: Tick, *, is_there: bool) -> None:
        key = AlertKey(goal.name, "coaching", look.scope)
        before = self._memory[key]
        if not is_there:
            if before is not None:
                self._end(goal, key, before, tick)
            return
        kept = getattr(self._plan.windows.history, goal.target.window)
        windows = self._windows.closed(goal, kept)
        found = streak(
            (look.standing(goal, window) for window in windows), goal.target.repeat_misses or 1
        )
        after, made = coach(goal, key.scope, before, tick, found)
        if made or before is not None:
            self._keep(goal, key, after, made)

    def _is_silent(self, goal: Goal, event_us: int, now_us: int) -> bool:
        """Whether nothing came for too long, as of the last full five minutes."""
        allowed_us = goal.target.no_data_us
        if allowed_us is None:
            return False
        until_us = now_us // FIVE_MINUTES_US * FIVE_MINUTES_US
        passed_us = self._plan.working.days_us(event_us, until_us, self._plan.calendar)
        return passed_us > allowed_us

    # -- ending ----------------------------------------------------------------------------------

    def _end_missing(self, now_us: int) -> None:
        """Alerts of members that are not counted any more, after a rebuild."""
        for key, alert in list(self._memory):
            goal = self._goal_of(key)
            if goal is not None and key.scope not in self._store.known:
                today = self._plan.calendar.day_of(now_us)
                self._end(goal, key, alert, self._tick(goal, now_us, today))

    def _end(self, goal: Goal, key: AlertKey, alert: Alert, tick: Tick) -> None:
        after, made = end(goal, key.kind, key.scope, alert, tick)
        self._keep(goal, key, after, made)
        if after.told:
            self._memory.say(key, None)
        self._memory[key] = None

    def _end_unknown(self, key: AlertKey, last: bytes | None, now_us: int) -> None:
        """The target is gone: all that is known of it is its last record."""
        for _, value in end_of(key, last, now_us):
            self._memory.say(key, value)
        self._memory[key] = None

    def _keep(self, goal: Goal, key: AlertKey, after: Alert, made: Sequence[Transition]) -> None:
        before = self._memory[key]
        if after != before:
            self._memory[key] = after
        for change in made:
            self._memory.say(key, encode_alert(change))
        if made or before is None or after.reason != before.reason:
            self._news.setdefault(key.scope, set()).update(goal.kpi.measures)

    # -- telling ---------------------------------------------------------------------------------

    async def records(self, now_us: int) -> tuple[list[OutRecord], dict[bytes, int]]:
        """What to send, in its order, and what to acknowledge then.

        Raises:
            BrokerUnavailable: it cannot be found out what the topic says.
            StoreUnavailable: Redis could not be read.
        """
        mended = await self._mending.records(now_us) if self.outbox.must_compare else []
        records, sent = await self.outbox.records()
        return records + mended, sent

    # -- the commit ------------------------------------------------------------------------------

    @property
    def meta(self) -> Mapping[str, str | int]:
        """What to commit of the alerts and of the sources of events."""
        listened = {LISTENED: self._listening.stored} if self._listening.keys else {}
        return {NUMBER: self._memory.number, **listened}

    def write(self, version: int) -> dict[bytes, bytes]:
        """Write what is remembered; the outbox entries of new transitions."""
        return self._memory.write(version)

    def committed(self) -> Mapping[str, set[str]]:
        """What was made is in the state; scope → measures of the KPIs whose records change."""
        self._memory.committed()
        news, self._news = self._news, {}
        return news

    def forget(self) -> None:
        """The batch failed: what it made was not."""
        self._reset()
        self._memory.forget()
