"""Where `kpi.alerts` does not say what is remembered, because others had a word in it.

Two state versions each move their own alerts, and only the one that speaks tells them. What the
other made in silence may not continue what stands; what a version says while it loses the word may
come last. So whoever gets the word, or a partition, compares once it was told to look, and tells
what differs: a change from what stands to what is remembered, made now.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from stream_app.domain.alerts import Alert, Tick, alert_id, restate
from stream_app.domain.calendar import five_minute_bucket
from stream_app.domain.goal import Goal
from stream_app.domain.standings import GoalWindows, Look
from stream_app.domain.targets import Standing
from stream_app.stages.alert_memory import AlertMemory
from stream_app.stages.alert_outbox import AlertOutbox, Saying
from stream_app.stages.alert_plan import AlertPlan
from stream_app.stages.listening import Listening
from stream_app.stages.ports import OutRecord, State
from stream_app.stages.scopes import ScopeStore
from stream_app.wire.alert import AlertKey, decode_alert, encode_alert, encode_notice, ended

_WRONG = ("pending", "firing")
_OVER = ("ok", "resolved")


class AlertMending:
    """Finds what differs in one partition's alerts, and says it."""

    def __init__(
        self,
        state: State,
        plan: AlertPlan,
        store: ScopeStore,
        memory: AlertMemory,
        outbox: AlertOutbox,
        *,
        windows: GoalWindows,
        listening: Listening,
        goal_of: Callable[[AlertKey], Goal | None],
        is_ours: Callable[[AlertKey], bool],
    ) -> None:
        """Take what is remembered, what waits to be sent, what is asked, and whose it is."""
        self._state = state
        self._plan = plan
        self._store = store
        self._memory = memory
        self._outbox = outbox
        self._windows = windows
        self._listening = listening
        self._goal_of = goal_of
        self._is_ours = is_ours

    async def records(self, now_us: int) -> list[OutRecord]:
        """What makes the topic say what is remembered, after what waits in the outbox.

        Raises:
            BrokerUnavailable: it cannot be found out what the topic says.
            StoreUnavailable: Redis could not be read.
        """
        self._outbox.begin_comparison()
        last = await self._outbox.read_log()
        differing = self._differing(last)
        known = self._store.known
        await self._store.load(dict.fromkeys(k.scope for k in differing if k.scope in known))
        # What a zombie remembers, or was read of an emptied Redis, is nobody's: that raises.
        await self._state.acknowledge({})
        self._windows.refresh(
            now_us, self._plan.calendar.day_of(now_us), five_minute_bucket(now_us)
        )
        return [
            OutRecord(self._plan.topic, *saying)
            for key in differing
            for saying in self._sayings(key, last.get(key), now_us)
        ]

    def _differing(self, last: Mapping[AlertKey, bytes]) -> list[AlertKey]:
        """The alerts of which the topic will not say what is remembered, by what it says last.

        What waits in the outbox is sent if it continues what stands. If it does not it never will
        be: it tells of changes from something that nobody was told of.
        """
        differing, waiting = [], self._outbox.unsent()
        memory = self._memory
        told = (key for key, alert in memory.standing.items() if alert.told)
        for key in sorted({*told, *last, *waiting}, key=AlertKey.encoded):
            if not self._is_ours(key) or key in memory.gone:
                continue
            stands, changes = last.get(key), waiting.get(key, [])
            if changes and _continues(changes, stands):
                continue
            self._outbox.leave_out(key)
            if self._differs(key, _state(stands)):
                differing.append(key)
        return differing

    def _differs(self, key: AlertKey, told: str | None) -> bool:
        """Whether what is told is not what is remembered; that nothing is wrong has many names."""
        alert = self._memory.standing.get(key)
        if alert is None or not alert.told:
            return told is not None
        if alert.state in _OVER:
            return told is not None and told not in _OVER
        return alert.state != told

    def _sayings(self, key: AlertKey, stands: bytes | None, now_us: int) -> Iterator[Saying]:
        """What makes the topic say what is remembered of an alert, made now."""
        alert, goal = self._memory.standing.get(key), self._goal_of(key)
        is_source = key in self._listening.keys
        if alert is None or not alert.told or not (goal or is_source):
            yield from end_of(key, stands, now_us)
            return
        told = None if stands is None else decode_alert(stands)
        # Not to look like what stands, or like the change that somebody overwrote.
        at_us = max(now_us, alert.since_us + 1, 0 if told is None else told.since_us + 1)
        before = "ok" if told is None else told.state
        if goal is None:
            notice = self._listening.restated(key, alert, before, at_us)
            yield key.encoded(), encode_notice(notice)
            return
        today = self._plan.calendar.day_of(now_us)
        running = self._windows.running[goal.target.window]
        tick = Tick(at_us, today, running.key, running.start)
        standing = self._standing(goal, key.scope, alert, today)
        for change in restate(
            goal, key.kind, key.scope, alert, told=before, at=tick, standing=standing
        ):
            yield key.encoded(), encode_alert(change)

    def _standing(self, goal: Goal, scope: str, alert: Alert, today: int) -> Standing | None:
        """What there is now in the window that the alert is about."""
        if scope not in self._store.known:
            return None
        look = Look.at(scope, self._store[scope].totals, today, self._plan.working)
        kind = goal.target.window
        closed = self._windows.closed(goal, max(1, getattr(self._plan.windows.history, kind, 1)))
        for window in (self._windows.running[kind], *closed):
            if window.key == alert.about:
                return look.standing(goal, window)
        return None


def end_of(key: AlertKey, stands: bytes | None, now_us: int) -> Iterator[Saying]:
    """The end of an alert of which nothing is known but its last record."""
    if stands is None:
        return
    about = decode_alert(stands).start or ""
    new_id = alert_id(key.target, key.kind, key.scope, about, "ended", now_us)
    value = ended(stands, new_id=new_id, at_us=now_us)
    if value is not None:
        yield key.encoded(), value
    yield key.encoded(), None


def _state(value: bytes | None) -> str | None:
    return None if value is None else decode_alert(value).state


def _continues(changes: Sequence[bytes | None], stands: bytes | None) -> bool:
    """Whether changes begin where the topic stands."""
    first = changes[0]
    if first is None:
        return _state(stands) not in _WRONG
    return decode_alert(first).previous == (_state(stands) or "ok")
