"""Stage two: partials and clocks of one partition of `kpi.partials` become KPI values and results.

    newest partial per cell and source wins → totals → commit → dirty scopes → values → publish

This file takes batches in, up to the commit; `speaking` says what changed by it, after the commit
and together with all that gathered meanwhile: at once when idle, conflated under load.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

import msgspec

from stream_app.stages.alerting import Alerting
from stream_app.stages.evaluation import Evaluation
from stream_app.stages.news import Advance, CellNews, News
from stream_app.stages.ports import OutRecord, Patience, Publish, SourceRecord, State, WallClock
from stream_app.stages.readiness import Readiness
from stream_app.stages.scopes import ScopeStore
from stream_app.stages.speaking import Speaker
from stream_app.stages.turns import others, parts
from stream_app.stages.words import Words, asked_of, empty_totals
from stream_app.wire.partial import WALL


class EvaluatingStage:
    """Stage two for one partition, as long as this worker owns it.

    Attributes:
        speaker: says what changed.
    """

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
            publish: sends to `kpi.values`, `kpi.experiments` and `kpi.alerts`.
            patiently: repeats a commit while Redis is away.
            wall_clock_us: only for `published_at` and `revision`, never for a value.
            may_speak: the reign (`state.speaking`) in which values may be published now, or None.
                In a reign that the state does not know nothing is said before a `look`.
        """
        self._state = state
        self._plan = plan
        self._patiently = patiently
        asked = asked_of(plan)
        self._store = ScopeStore(state, partial(empty_totals, plan, asked), plan.calendar)
        self._alerts = Alerting(state, plan.alerts, self._store)
        self._readiness = Readiness(state, plan)
        self._lock = asyncio.Lock()
        self.speaker = Speaker(
            state,
            plan,
            self._store,
            alerts=self._alerts,
            words=Words(plan, asked, self._store, self._alerts),
            readiness=self._readiness,
            lock=self._lock,
            publish=publish,
            wall_clock_us=wall_clock_us,
            may_speak=may_speak,
        )

    # -- taking a batch --------------------------------------------------------------------------

    async def begin(self) -> None:
        """Learn all scopes of the partition: each of them is to be said again."""
        async with self._lock:
            await self._store.load_names()
            await self._alerts.begin()
            self.speaker.say_again()

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
                self.speaker.forget_all_said()
                self._store.forget()
                self._alerts.forget()
                self._readiness.restore()
                self.speaker.say_again()
                raise

    async def _take(self, records: Sequence[SourceRecord], next_offset: int) -> None:
        known = self._readiness
        news = News(known.now_us, set(known.sources), dict(known.rebuilds), self._plan.clock)
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
        if not self._readiness.has_caught_up:
            news.scopes_known_before_us = sorted(new)
        state = self._state
        await self._patiently(lambda: state.commit(state.offset, next_offset, meta, outbox))
        self._store.committed()
        alert_news = self._alerts.committed()
        self._readiness.sources, self._readiness.rebuilds = news.ready, news.rebuilds
        speaker = self.speaker
        for scope, day, changed in soiled:
            speaker.note(scope, day, changed, is_new=scope in new)
            speaker.leftovers.change(scope)
        speaker.leftovers.forget(news.scopes_known_before_us)
        speaker.hear(news.revision)
        speaker.forget_said(self._doubtful(news))
        today = self._plan.calendar.day_of(news.now_us)
        for scope, measures in alert_news.items():
            speaker.note(scope, today, measures)
        if self._plan.fixed_now_us is None:
            before_us, self._readiness.now_us = self._readiness.now_us, news.now_us
            speaker.move_on(before_us, news.now_us)

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
            if self._readiness.would_hear_all(advance.offset, advance.ready):
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
        is_news = news.cells or self._alerts.is_new or news.ready != self._readiness.sources
        if self._plan.clock != WALL and news.now_us and is_news:
            yield news.now(next_offset)

    def _put(self, cells: Iterable[CellNews]) -> Iterator[tuple[str, int, set[str]]]:
        """Take in cells; yields scope, day and measures of each that is news."""
        known = self._store.known
        for key, value, cell in cells:
            was_known = key.scope in known
            day, changed = self._store.put(key, value, cell)
            # Of a scope that comes to be known something may stand, even if it counts nothing.
            if changed or (not was_known and key.scope in known):
                self._alerts.soil(key.scope)
                yield key.scope, day, changed

    def _heard(self, news: News) -> dict[str, str | int]:
        """What to commit of what is not about cells."""
        day_of, leftovers = self._plan.calendar.day_of, self.speaker.leftovers
        meta: dict[str, str | int] = {
            "now_us": news.now_us,
            "ready": msgspec.json.encode(sorted(news.ready)).decode(),
            "rebuilds": msgspec.json.encode(news.rebuilds).decode(),
            "revision": max(int(self._state.meta.get("revision", 0)), news.revision),
            "reign": self.speaker.reign_in_log,
            "clock": self._plan.clock,
            **self._alerts.meta,
        }
        for said_us in news.said_us:
            leftovers.hear_of(day_of(said_us))
        for again in news.again:
            leftovers.speak(again.day)
            self._alerts.outbox.compare()
        if news.now_us:
            meta["said_on"] = leftovers.stored(day_of(news.now_us))
        return meta

    def _doubtful(self, news: News) -> list[str]:
        """Scopes of which a predecessor's words may have come after ours."""
        known = self._store.known
        return sorted({s for again in news.again for s in again.scopes if s in known})

    # -- what others ask -------------------------------------------------------------------------

    @property
    def partition(self) -> int:
        """The partition of `kpi.partials`."""
        return self._state.partition

    async def let_go(self) -> None:
        """Forget all that is kept in memory: the claim is over."""
        async with self._lock:
            self._store.forget()

    @property
    def hears_all_sources(self) -> bool:
        """Whether all that was to be read after a loss of Redis was read."""
        return self._readiness.hears_all_sources

    @property
    def must_say_again(self) -> bool:
        """Whether a state was lost, and not all that follows from it was said since."""
        return self._readiness.began_empty and self.speaker.takes_over

    @property
    def is_ready(self) -> bool:
        """Whether what is said is the whole truth, and there is a "now" to say it of."""
        return self._readiness.is_complete

    @property
    def has_words(self) -> bool:
        """Whether there is something to publish, and it is the whole truth."""
        return self.speaker.has_words

    @property
    def publications(self) -> int:
        """How many there were."""
        return self.speaker.publications

    def farewell(self) -> list[OutRecord]:
        """What to tell the successor when the claim is over."""
        return self.speaker.farewell()
