"""Stage two: partials and clocks of one partition of `kpi.partials` become KPI values and results.

    newest partial per cell and source wins → totals → commit → dirty scopes → values → publish

What changed is evaluated after its commit, together with all that gathered meanwhile: at once when
idle, conflated under load. A record is published when it says something else than before. A new
owner says everything again, with higher revisions than any its predecessor may have used, so that
a zombie's late send cannot stay the last word. What else stands in the topic, such as records of an
earlier configuration, it mends once it has looked (`standing`).
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

import msgspec

from stream_app.domain.calendar import (
    five_minute_bucket,
)
from stream_app.stages.alert_outbox import OUTBOX
from stream_app.stages.alert_words import TargetShown
from stream_app.stages.alerting import Alerting
from stream_app.stages.dirty import DirtyScopes
from stream_app.stages.evaluation import Evaluation, Flushed
from stream_app.stages.news import Advance, CellNews, News
from stream_app.stages.ports import OutRecord, Patience, Publish, SourceRecord, State, WallClock
from stream_app.stages.revisions import RESERVED, Revisions
from stream_app.stages.scopes import ScopeStore
from stream_app.stages.standing import Seen
from stream_app.stages.turns import others, parts
from stream_app.stages.words import Words, asked_of, empty_totals
from stream_app.wire.partial import (
    AGAIN,
    REVISION,
    WALL,
    Again,
    Control,
    control_key,
)
from stream_app.wire.partial import encode_value as encode_partial

_SCOPES_PER_FLUSH: Final = 64


class EvaluatingStage:
    """Stage two for one partition, as long as this worker owns it."""

    stopped: Final = None
    """Nothing stops it: only our own code writes its input."""

    def __init__(
        self,
        state: State,
        plan: Evaluation,
        *,
        publish: Publish,
        patiently: Patience,
        wall_clock_us: WallClock,
        may_speak: Callable[[], int | None] = lambda: 0,
    ) -> None:
        """Continue from what is committed.

        Args:
            state: of the partition of `kpi.partials`.
            plan: what the configuration says.
            publish: sends to `kpi.values` and `kpi.experiments`.
            patiently: repeats a commit while Redis is away.
            wall_clock_us: only for `published_at` and `revision`, never for a value.
            may_speak: the reign (`state.speaking`) in which values may be published now, or None.
                In a reign that the state does not know nothing is said before a `look`.
        """
        self._state = state
        self._plan = plan
        self._publish = publish
        self._patiently = patiently
        self._wall_clock_us = wall_clock_us
        asked = asked_of(plan)
        self._store = ScopeStore(state, partial(empty_totals, plan, asked), plan.calendar)
        self._alerts = Alerting(state, plan.alerts, self._store)
        self._words = Words(plan, asked, self._store, self._alerts)
        self._lock = asyncio.Lock()
        self._dirty = DirtyScopes()
        self._granted = may_speak
        self._reign = int(state.meta.get("reign", 0))
        # A successor goes by it: before that it must look itself, not knowing what to outdo.
        self._reign_in_log = self._reign
        self._in_doubt: dict[str, int] = {}
        self.publications = 0
        self._restore()
        self._revisions = Revisions(int(state.meta.get("revision", 0)), wall_clock_us)
        self._others_last = self._revisions.last

    def _restore(self) -> None:
        meta = self._state.meta
        clock, fixed = self._plan.clock, self._plan.fixed_now_us
        told_us = int(meta.get("now_us", 0)) if meta.get("clock", clock) == clock else 0
        self._now_us = fixed if fixed is not None else told_us
        self._ready = set(msgspec.json.decode(meta.get("ready", "[]"), type=list[str]))

    # -- taking a batch --------------------------------------------------------------------------

    async def begin(self) -> None:
        """Learn all scopes of the partition: each of them is to be said again."""
        async with self._lock:
            await self._store.load_names()
            await self._alerts.begin()
            self._say_again()

    async def take(self, records: Sequence[SourceRecord], next_offset: int) -> None:
        """Take in a run of records and commit it; nothing is kept if that fails.

        Raises:
            Fenced: another worker owns the partition.
            StoreUnavailable: Redis could not be read; take the same records again later.
        """
        async with self._lock:
            try:
                await self._take(records, next_offset)
            except BaseException:
                with suppress(Exception):  # a claim that is over has nothing to discard
                    self._state.discard()
                for scope, said in self._store.said():
                    self._may_stand(scope, said)
                self._store.forget()
                self._alerts.forget()
                self._restore()
                self._say_again()
                raise

    async def _take(self, records: Sequence[SourceRecord], next_offset: int) -> None:
        news = News(self._now_us, set(self._ready), self._plan.clock)
        for part in parts(records):
            for record in part:
                if record.key is not None:
                    news.add(record.key, record.value, record.offset)
            await others()
        await self._store.load(dict.fromkeys(key.scope for key, _, _ in news.cells))
        new = {key.scope for key, _, _ in news.cells if key.scope not in self._store.known}
        soiled = await self._count(news, next_offset)
        outbox = {scope.encode(): b"%d" % next_offset for scope, _, _ in soiled}
        outbox |= self._alerts.write(next_offset)
        meta = self._heard(news)
        for scope in self._doubtful(news):
            outbox[scope.encode()] = b"%d" % next_offset
        if not self._has_caught_up:
            news.scopes_known_before_us = sorted(new)
        state = self._state
        await self._patiently(lambda: state.commit(state.offset, next_offset, meta, outbox))
        self._store.committed()
        alert_news = self._alerts.committed()
        self._ready = news.ready
        for scope, day, changed in soiled:
            self._dirty.soil(scope, is_new=scope in new).note(day, changed)
            self._words.leftovers.change(scope)
        self._words.leftovers.forget(news.scopes_known_before_us)
        before = self._revisions.last
        self._revisions.hear(news.revision)
        if self._revisions.last > before:  # others may have used all up to this one
            self._others_last = self._revisions.last
        self._forget_said(self._doubtful(news))
        for scope, measures in alert_news.items():
            day = self._plan.calendar.day_of(news.now_us)
            self._dirty.soil(scope).note(day, measures)
        if self._plan.fixed_now_us is None:
            self._advance(news.now_us)

    async def _count(self, news: News, next_offset: int) -> list[tuple[str, int, set[str]]]:
        """Take in all cells, and look at the alerts at each tick; what changed.

        Nothing is said about numbers that are not the whole truth yet.
        """
        soiled: list[tuple[str, int, set[str]]] = []
        done = heard = 0
        for advance in self._ticks(news, next_offset):
            for cells in parts(news.cells[done : advance.cells]):
                soiled += self._put(cells)
                await others()
            self._alerts.hear(news.heard[heard : advance.heard])
            done, heard = advance.cells, advance.heard
            if advance.offset >= self._rebuild_until and advance.ready >= self._plan.sources:
                await self._alerts.step(advance.now_us)
        for cells in parts(news.cells[done:]):
            soiled += self._put(cells)
            await others()
        self._alerts.hear(news.heard[heard:])
        return soiled

    def _ticks(self, news: News, next_offset: int) -> Iterator[Advance]:
        """When alerts are looked at: at each tick; where none will come, at the batch's end."""
        if self._plan.fixed_now_us is None:
            yield from news.advances
        if self._plan.clock != WALL and news.now_us and (news.cells or self._alerts.is_new):
            yield news.now(next_offset)

    def _put(self, cells: Iterable[CellNews]) -> Iterator[tuple[str, int, set[str]]]:
        """Take in cells; yields scope, day and measures of each that changed."""
        for key, value, cell in cells:
            day, changed = self._store.put(key, value, cell)
            if changed:
                self._alerts.soil(key.scope)
                yield key.scope, day, changed

    def _heard(self, news: News) -> dict[str, str | int]:
        """What to commit of what is not about cells."""
        day_of = self._plan.calendar.day_of
        meta: dict[str, str | int] = {
            "now_us": news.now_us,
            "ready": msgspec.json.encode(sorted(news.ready)).decode(),
            "revision": max(int(self._state.meta.get("revision", 0)), news.revision),
            "reign": self._reign_in_log,
            "clock": self._plan.clock,
            **self._alerts.meta,
        }
        for said_us in news.said_us:
            self._words.leftovers.hear_of(day_of(said_us))
        for again in news.again:
            self._words.leftovers.speak(again.day)
            self._alerts.outbox.compare()
        if news.now_us:
            meta["said_on"] = self._words.leftovers.stored(day_of(news.now_us))
        return meta

    def _doubtful(self, news: News) -> list[str]:
        """Scopes of which a predecessor's words may have come after ours."""
        known = self._store.known
        return sorted({s for again in news.again for s in again.scopes if s in known})

    def _advance(self, now_us: int) -> None:
        """Move the clock; what depends on it is to be looked at again."""
        before, self._now_us = self._now_us, now_us
        if not before or five_minute_bucket(before) == five_minute_bucket(now_us):
            return
        day_of = self._plan.calendar.day_of
        if day_of(before) != day_of(now_us):
            self._soil_all()
            return
        for scope in self._store.with_five_minutes():
            dirt = self._dirty.soil(scope)
            dirt.five_minutes = True
            dirt.measures = None

    def _say_again(self) -> None:
        """It is not known what the topic says: say all of it, and take back what may be left."""
        changed = (name.decode() for name in self._state.outbox if not name.startswith(OUTBOX))
        self._words.leftovers.recall(
            self._state.meta.get("said_on", ""), self._store.known, changed
        )
        self._soil_all()

    def _forget_said(self, scopes: Sequence[str]) -> None:
        """It is not known any more what the topic says of these scopes."""
        for scope in scopes:
            self._may_stand(scope, self._store.forget_said(scope))
            self._dirty.soil_all_of(scope)
        self._words.leftovers.forget(scopes)

    def _soil_all(self) -> None:
        for scope in self._store.known:
            self._dirty.soil_all_of(scope)

    @property
    def partition(self) -> int:
        """The partition of `kpi.partials`."""
        return self._state.partition

    async def let_go(self) -> None:
        """Forget all that is kept in memory: the claim is over."""
        async with self._lock:
            self._store.forget()

    # -- publishing ------------------------------------------------------------------------------

    @property
    def hears_all_sources(self) -> bool:
        """Whether all sources have caught up with the log as it was when they began, and we too.

        After a loss of Redis the topic still says from before that they are ready.
        """
        has_caught_up = (self._state.offset or 0) >= self._rebuild_until
        return has_caught_up and len(self._ready) >= self._plan.sources

    @property
    def _rebuild_until(self) -> int:
        return int(self._state.meta.get("rebuild_until", 0))

    @property
    def _has_caught_up(self) -> bool:
        """Whether all was read that was there when the partition was claimed.

        Until then nothing is said: values would go back after a Redis that was rolled back, and
        revisions that predecessors announced would not be known.
        """
        return (self._state.offset or 0) >= self._state.log_end

    @property
    def is_ready(self) -> bool:
        """Whether what is said is the whole truth, and there is a "now" to say it of."""
        return self.hears_all_sources and self._has_caught_up and self._now_us > 0

    @property
    def may_speak(self) -> bool:
        """Whether values may be published, in a reign whose beginning was looked at."""
        return self._granted() == self._reign

    @property
    def must_look(self) -> bool:
        """Whether it may speak, and others may have spoken since it last did."""
        return self.is_ready and self._granted() not in (None, self._reign)

    @property
    def has_words(self) -> bool:
        """Whether there is something to publish, and it is the whole truth."""
        alerts = self._alerts
        has_words = self._dirty or self._words.standing or alerts.outbox.is_due
        has_words = has_words or alerts.words.has_unshown
        return bool(has_words) and self.is_ready

    @property
    def is_dirty(self) -> bool:
        """Whether there is something to publish, and it may be."""
        return self.has_words and self.may_speak

    async def look(self, seen: Seen, reign: int) -> None:
        """Take notice of what stands in the topic: what is not our last word is to be mended.

        Args:
            seen: what stood at some instant since the reign began.
            reign: in which it was read.
        """
        async with self._lock:
            newest = max((max(keys.values(), default=0) for keys in seen.values()), default=0)
            if reign != self._reign:
                self._reign = reign
                # Who spoke before may be about to say something still.
                self._revisions.outdo(newest + RESERVED)
                self._others_last = self._revisions.last
                self._soil_all()
            for scope in {**seen, **dict.fromkeys(name for name, _ in self._store.said())}:
                own = (self._others_last + 1, self._revisions.last)
                if theirs := self._store.take_back(scope, seen.get(scope, {}), own):
                    self._may_stand(scope, theirs)
            self._revisions.outdo(newest)
            self._alerts.outbox.compare()

    def _may_stand(self, scope: str, keys: Iterable[bytes]) -> None:
        """Records may stand of which nothing is known; unknown scopes have none that should."""
        if keys := dict.fromkeys(keys):  # an experiment's scope has none
            self._words.standing.setdefault(scope, {}).update(keys)
        if scope in self._store.known:
            self._dirty.soil_all_of(scope)

    @property
    def takes_over(self) -> bool:
        """Whether some scope has no gauges yet because they were another worker's."""
        return self._words.leftovers.are_pending

    async def flush(self) -> Flushed | None:
        """Evaluate and publish what changed; None when there was nothing.

        One call takes a bounded number of scopes, the company and the teams first.

        Raises:
            BrokerUnavailable: nothing is lost, flush again.
        """
        async with self._lock:
            if not self.is_dirty:
                return None
            today = self._plan.calendar.day_of(self._now_us)
            scopes = self._dirty.first(_SCOPES_PER_FLUSH)
            if await self._store.load(scopes):
                await self._state.acknowledge({})  # rows of a Redis that was emptied are nobody's
            records, sent = await self._alerts.records(self._now_us)
            await self._announce_revisions(today)
            if not self.may_speak:  # another state version was given the word meanwhile
                return None
            self._state.discard()
            self._words.move_to(self._now_us)
            self._words.leftovers.speak(today)
            dirt = {scope: self._dirty.take(scope) for scope in scopes}
            sent |= {
                name: int(self._state.outbox[name])
                for name in (scope.encode() for scope in scopes)
                if name in self._state.outbox
            }
            revision = self._revisions.next()
            published_us = self._wall_clock_us()
            said: dict[str, list[OutRecord]] = {}
            for scope in scopes:
                said[scope] = list(self._words.of(scope, dirt[scope], revision, published_us))
                await others()
            said |= self._words.strays(room=_SCOPES_PER_FLUSH - len(scopes))
            records += [record for scope in said for record in said[scope]]
            flushed = Flushed(
                {scope: tuple(self._store[scope].current.values()) for scope in scopes},
                {scope: tuple(self._targets_of(scope, today)) for scope in scopes},
                len(records),
                tuple(self._take_news(scope) for scope in scopes),
                self._alerts.words.of_sources(),
            )
        values = self._plan.values_topic
        self._in_doubt.update(dict.fromkeys(scopes, today))
        try:
            await self._publish(records)
            self._alerts.outbox.sent(sent)
            await self._state.acknowledge(sent)  # also asks whether we were the owner all the time
        except BaseException:
            self._alerts.outbox.doubt()
            for scope, unsure in said.items():
                self._may_stand(scope, (r.key for r in unsure if r.key and r.topic == values))
            self._forget_said(scopes)
            raise
        self.publications += 1
        for scope in scopes:
            self._in_doubt.pop(scope, None)
        self._alerts.words.show(flushed.sources)
        self._words.leftovers.heard(scopes)
        if not self._dirty:
            self._words.leftovers.heard_all(today)
        return flushed

    async def _announce_revisions(self, today: int) -> None:
        # Again if it took so long that the time of day is beyond the limit by then.
        while (limit := self._revisions.limit_to_announce(today)) is not None:
            key = control_key(REVISION, str(self.partition))
            value = encode_partial(Control(limit, self._now_us))
            await self._publish([OutRecord(self._state.topic, key, value, self.partition)])
            self._revisions.announced(limit, today)
        self._reign_in_log = self._reign

    def farewell(self) -> list[OutRecord]:
        """What to tell the successor when the claim is over and nothing is on its way any more.

        What was sent and not known to have arrived in time may have come after the successor's
        first words, and would stay the last ones.
        """
        scopes_by_day: dict[int, list[str]] = {}
        for scope, day in self._in_doubt.items():
            scopes_by_day.setdefault(day, []).append(scope)
        topic, partition, number = self._state.topic, self.partition, self._revisions.last
        return [
            OutRecord(
                topic, control_key(AGAIN, f"{number}-{day}"), encode_partial(again), partition
            )
            for day, scopes in scopes_by_day.items()
            for again in [Again(day, scopes)]
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
