"""What stage two says of one partition: dirty scopes → values, results, alerts → their topics.

A record is published when it says something else than before. A new owner says everything again,
with higher revisions than any its predecessor may have used, so that a zombie's late send cannot
stay the last word. What else stands in the topic, such as records of an earlier configuration, it
mends once it has looked (`standing`).
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from stream_app.domain.calendar import five_minute_bucket
from stream_app.domain.trial import is_trial_scope
from stream_app.stages.alert_outbox import OUTBOX
from stream_app.stages.alert_words import TargetShown
from stream_app.stages.alerting import Alerting
from stream_app.stages.dirty import DirtyScopes
from stream_app.stages.evaluation import Evaluation, Flushed
from stream_app.stages.ports import OutRecord, Publish, State, WallClock
from stream_app.stages.readiness import Readiness
from stream_app.stages.revisions import RESERVED, Revisions
from stream_app.stages.scopes import ScopeStore
from stream_app.stages.standing import Standing
from stream_app.stages.turns import others
from stream_app.stages.words import Words
from stream_app.wire.partial import AGAIN, REVISION, Again, Control, control_key, encode_value

_SCOPES_PER_FLUSH: Final = 64


class Speaker:
    """Says what changed, and makes sure that nothing else stays said.

    Attributes:
        publications: how many there were.
        was_too_late: something was sent, and when it arrived others may have had the word. They are
            to be told; whoever does so sets it back, and says then that the doubt is over.
        leftovers: what predecessors may have left.
        reign_in_log: the reign that is to be committed. A successor goes by it: before anything was
            said in it, the successor must look itself, not knowing what to outdo.
    """

    def __init__(
        self,
        state: State,
        plan: Evaluation,
        store: ScopeStore,
        *,
        alerts: Alerting,
        words: Words,
        readiness: Readiness,
        lock: asyncio.Lock,
        publish: Publish,
        wall_clock_us: WallClock,
        may_speak: Callable[[], int | None],
    ) -> None:
        """Nothing was said yet.

        Args:
            state: of the partition of `kpi.partials`.
            plan: what the configuration says.
            store: the partition's scopes.
            alerts: their alerts.
            words: what scopes have to say.
            readiness: whether anything may be said yet.
            lock: held by whoever changes or reads the scopes.
            publish: sends to `kpi.values`, `kpi.experiments` and `kpi.alerts`.
            wall_clock_us: only for `published_at` and `revision`, never for a value.
            may_speak: the reign (`state.speaking`) in which values may be published now, or None.
                In a reign that the state does not know nothing is said before a `look`.
        """
        self._state = state
        self._plan = plan
        self._store = store
        self._alerts = alerts
        self._words = words
        self._readiness = readiness
        self._lock = lock
        self._publish = publish
        self._wall_clock_us = wall_clock_us
        self._granted = may_speak
        self._dirty = DirtyScopes()
        self._reign = self.reign_in_log = int(state.meta.get("reign", 0))
        self._revisions = Revisions(int(state.meta.get("revision", 0)), wall_clock_us)
        self._others_last = self._revisions.last
        self._in_doubt: dict[str, set[int]] = {}
        self._alerts_in_doubt: int | None = None
        self._is_publishing = False
        self.publications = 0
        self.was_too_late = False
        self.leftovers = words.leftovers

    # -- what is to be said ----------------------------------------------------------------------

    def say_again(self) -> None:
        """It is not known what the topic says: say all of it, and take back what may be left."""
        changed = (name.decode() for name in self._state.outbox if not name.startswith(OUTBOX))
        self.leftovers.recall(self._state.meta.get("said_on", ""), self._store.known, changed)
        self._soil_all()

    def note(self, scope: str, day: int, measures: Iterable[str], *, is_new: bool = False) -> None:
        """Numbers of a scope, or how it stands against its targets, changed on a business day."""
        self._dirty.soil(scope, is_new=is_new).note(day, measures)

    def move_on(self, before_us: int, now_us: int) -> None:
        """The clock moved; what depends on it is to be looked at again."""
        if not before_us or five_minute_bucket(before_us) == five_minute_bucket(now_us):
            return
        day_of = self._plan.calendar.day_of
        if day_of(before_us) != day_of(now_us):
            self._soil_all()
            return
        for scope in self._store.with_five_minutes():
            dirt = self._dirty.soil(scope)
            dirt.five_minutes = True
            dirt.measures = None

    def hear(self, limit: int) -> None:
        """Somebody announced revisions up to a limit."""
        before = self._revisions.last
        self._revisions.hear(limit)
        if self._revisions.last > before:  # others may have used all up to this one
            self._others_last = self._revisions.last

    def forget_said(self, scopes: Sequence[str]) -> None:
        """It is not known any more what the topic says of these scopes."""
        for scope in scopes:
            self._may_stand(scope, self._store.forget_said(scope))
            self._dirty.soil_all_of(scope)
        self.leftovers.forget(scopes)

    def forget_all_said(self) -> None:
        """Nor what it says of any scope in memory; the store is about to drop them."""
        for scope, said in self._store.said():
            self._may_stand(scope, said)

    def _may_stand(self, scope: str, keys: Iterable[bytes]) -> None:
        """Records may stand of which nothing is known; unknown scopes have none that should."""
        if is_trial_scope(scope):  # whenever it is looked at each variant is said or ended
            keys = ()
        if keys := dict.fromkeys(keys):
            self._words.standing.setdefault(scope, {}).update(keys)
        if scope in self._store.known or scope in self._plan.experiments:
            self._dirty.soil_all_of(scope)

    def _soil_all(self) -> None:
        for scope in self._store.known:
            self._dirty.soil_all_of(scope)

    # -- whether it may be said ------------------------------------------------------------------

    @property
    def may_speak(self) -> bool:
        """Whether values may be published, in a reign whose beginning was looked at."""
        return self._granted() == self._reign

    @property
    def must_look(self) -> bool:
        """Whether it may speak, and others may have spoken since it last did."""
        return self._readiness.is_complete and self._granted() not in (None, self._reign)

    @property
    def has_words(self) -> bool:
        """Whether there is something to publish, and it is the whole truth."""
        alerts = self._alerts
        has_words = self._dirty or self._words.standing or alerts.outbox.is_due
        has_words = has_words or alerts.words.has_unshown
        return bool(has_words) and self._readiness.is_complete

    @property
    def is_dirty(self) -> bool:
        """Whether there is something to publish, and it may be."""
        return self.has_words and self.may_speak

    @property
    def is_in_doubt(self) -> bool:
        """Whether something was sent of which it is not known when it arrives."""
        return bool(self._in_doubt) or self._alerts_in_doubt is not None

    @property
    def takes_over(self) -> bool:
        """Whether some scope has no gauges yet because they were another worker's."""
        return self.leftovers.are_pending

    async def look(self, standing: Standing, reign: int) -> None:
        """Take notice of what stands in the topics: what is not our last word is to be mended.

        Args:
            standing: what stood at some instant since the reign began.
            reign: in which it was read.
        """
        async with self._lock:
            seen = standing.of(self._state.partition)
            newest = max((max(keys.values(), default=0) for keys in seen.values()), default=0)
            if reign != self._reign:
                self._reign = reign
                # Who spoke before may be about to say something still, and took revisions of any
                # partition of theirs for it.
                self._revisions.outdo(standing.newest + RESERVED)
                self._others_last = self._revisions.last
                self._soil_all()
            for scope in {**seen, **dict.fromkeys(name for name, _ in self._store.said())}:
                own = (self._others_last + 1, self._revisions.last)
                if theirs := self._store.take_back(scope, seen.get(scope, {}), own):
                    self._may_stand(scope, theirs)
            self._revisions.outdo(newest)
            self._alerts.outbox.compare()

    # -- saying it -------------------------------------------------------------------------------

    async def flush(self) -> Flushed | None:
        """Evaluate and publish what changed; None when there was nothing.

        One call takes a bounded number of scopes, the company and the teams first.

        Raises:
            BrokerUnavailable: nothing is lost, flush again.
        """
        async with self._lock:
            if not self.is_dirty:
                # Of an attempt that failed nothing is known; without the word it is not repeated.
                self.was_too_late |= self.is_in_doubt and not self.may_speak
                return None
            now_us = self._readiness.now_us
            today = self._plan.calendar.day_of(now_us)
            scopes = self._dirty.first(_SCOPES_PER_FLUSH)
            if await self._store.load(scopes):
                await self._state.acknowledge({})  # rows of a Redis that was emptied are nobody's
            records, sent = await self._alerts.records(now_us)
            await self._announce_revisions(today)
            if not self.may_speak:  # another state version was given the word meanwhile
                return None
            self._state.discard()
            sent |= self._outbox_of(scopes)
            said = await self._say(scopes, now_us, today)
            # Not when it has arrived: what is heard of them until then is not answered by it.
            self.leftovers.heard(scopes)
            records += [record for scope in said for record in said[scope]]
            flushed = Flushed(
                {scope: tuple(self._store[scope].current.values()) for scope in scopes},
                {scope: tuple(self._targets_of(scope, today)) for scope in scopes},
                len(records),
                tuple(self._take_news(scope) for scope in scopes),
                self._alerts.words.of_sources(),
            )
        for scope in said:
            self._in_doubt.setdefault(scope, set()).add(today)
        self._alerts_in_doubt = today
        self._is_publishing = True
        try:
            await self._publish(records)
            self._alerts.outbox.sent(sent)
            await self._state.acknowledge(sent)  # also asks whether we were the owner all the time
        except BaseException:
            self._doubt(scopes, said)
            raise
        finally:
            self._is_publishing = False
        self.publications += 1
        self.was_too_late |= not self.may_speak
        for scope in said:
            self._in_doubt.pop(scope, None)
        self._alerts_in_doubt = None
        self._alerts.words.show(flushed.sources)
        if not self._dirty:
            self.leftovers.heard_all(today)
        return flushed

    async def _announce_revisions(self, today: int) -> None:
        # Again if it took so long that the time of day is beyond the limit by then.
        while (limit := self._revisions.limit_to_announce(today)) is not None:
            partition = self._state.partition
            key = control_key(REVISION, str(partition))
            value = encode_value(Control(limit, self._readiness.now_us))
            await self._publish([OutRecord(self._state.topic, key, value, partition)])
            self._revisions.announced(limit, today)
        self.reign_in_log = self._reign

    def doubt_is_over(self) -> None:
        """Nothing that was sent can arrive any more, and whoever has the word looks again."""
        if not (self.was_too_late or self._is_publishing):
            self._in_doubt.clear()
            self._alerts_in_doubt = None

    def _outbox_of(self, scopes: Iterable[str]) -> dict[bytes, int]:
        """What to acknowledge once these scopes were heard."""
        outbox = self._state.outbox
        names = (scope.encode() for scope in scopes)
        return {name: int(outbox[name]) for name in names if name in outbox}

    async def _say(
        self, scopes: Sequence[str], now_us: int, today: int
    ) -> dict[str, list[OutRecord]]:
        """Scope → its records: of these scopes, and of some that do not exist any more."""
        self._words.move_to(now_us)
        self.leftovers.speak(today)
        dirt = {scope: self._dirty.take(scope) for scope in scopes}
        revision = self._revisions.next()
        published_us = self._wall_clock_us()
        said: dict[str, list[OutRecord]] = {}
        for scope in scopes:
            said[scope] = list(self._words.of(scope, dirt[scope], revision, published_us))
            await others()
        return said | self._words.strays(room=_SCOPES_PER_FLUSH - len(scopes))

    def _doubt(self, scopes: Sequence[str], said: Mapping[str, Sequence[OutRecord]]) -> None:
        """It is not known which of these arrived."""
        values = self._plan.values_topic
        self._alerts.outbox.doubt()
        for scope, unsure in said.items():
            self._may_stand(scope, (r.key for r in unsure if r.key and r.topic == values))
        self.forget_said(scopes)

    def farewell(self) -> list[OutRecord]:
        """What to tell the successor when the claim is over and nothing is on its way any more.

        What was sent and not known to have arrived in time may have come after the successor's
        first words, and would stay the last ones.
        """
        scopes_by_day: dict[int, list[str]] = {}
        if self._alerts_in_doubt is not None:
            scopes_by_day[self._alerts_in_doubt] = []  # whoever hears it looks at all alerts
        for scope, days in self._in_doubt.items():
            for day in days:
                scopes_by_day.setdefault(day, []).append(scope)
        topic, partition = self._state.topic, self._state.partition
        number = self._revisions.last
        return [
            OutRecord(
                topic,
                control_key(AGAIN, f"{number}-{day}"),
                encode_value(Again(day, scopes)),
                partition,
            )
            for day, scopes in scopes_by_day.items()
        ]

    def _targets_of(self, scope: str, today: int) -> Iterator[TargetShown]:
        loaded = self._store[scope]
        return self._alerts.words.of_scope(
            scope, loaded.standings(), loaded.totals, self._words.running, today
        )

    def _take_news(self, scope: str) -> int:
        loaded = self._store[scope]
        news_ms, loaded.news_ms = loaded.news_ms, 0
        return news_ms
