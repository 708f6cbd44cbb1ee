"""The whole company at work: everything that happens, in the order in which it is reported."""

from collections.abc import Iterator
from random import Random
from typing import Final

from stream_app.simulate.budget import Budget
from stream_app.simulate.business_time import business_days, instant_ms
from stream_app.simulate.company import Company
from stream_app.simulate.corrections import Corrections
from stream_app.simulate.customers import Customers
from stream_app.simulate.deals import Deals
from stream_app.simulate.leads import Leads
from stream_app.simulate.options import Options
from stream_app.simulate.pace import Pace
from stream_app.simulate.pricing import Pricing
from stream_app.simulate.spelling import day_text
from stream_app.simulate.timeline import Happening, Timeline

_USUAL_CYCLE_DAYS: Final = 21.0
_PROBES: Final = 100, 1_500  # at least and at most
_SLACK: Final = 0.10  # what touches fill up, so that the past ends neither early nor late
_LEADS_PER_DAY_WITHOUT_PAST: Final = 300.0


class Story:
    """A company and its timeline; `tell` runs it."""

    def __init__(self, options: Options, *, stream: str = "story") -> None:
        self._options = options
        self._start_ms = round(options.start.timestamp() * 1000)
        self._end_ms = round(options.end.timestamp() * 1000)
        self._start_days = business_days(self._start_ms)
        self._days = business_days(self._end_ms) - self._start_days
        self._rng = Random(f"{options.seed}/{stream}")  # noqa: S311 - reproducible on purpose
        self._timeline = Timeline(
            self._rng, company=options.company, run=options.run, now_ms=self._start_ms
        )
        company = Company.founded(options)
        cycle_days = options.cycle_days or min(_USUAL_CYCLE_DAYS, options.days / 4)
        pricing = Pricing(self._rng, company, lines=options.lines)
        customers = Customers(self._timeline, company)
        self._deals = Deals(self._timeline, company, customers, pricing, cycle_days)
        self._leads = Leads(self._timeline, company, self._deals)
        self._budget = Budget(self._timeline, company, options.measures)
        self._corrections = Corrections(
            self._timeline,
            company=company,
            leads=self._leads,
            deals=self._deals,
            customers=customers,
            budget=self._budget,
            pricing=pricing,
        )

    def tell(self) -> Iterator[Happening]:
        """Yield the past and then the live part: happenings in the order of `at_ms`."""
        pace = self._prepare()
        yield from self._past(pace)
        if self._options.live_events != 0:
            yield from self._live()

    def _prepare(self) -> Pace | None:
        """Choose how many leads arrive, and put the first steps on the agenda."""
        events, days = self._options.events, self._days
        pace = None
        self._leads.per_day = _LEADS_PER_DAY_WITHOUT_PAST
        if events:
            self._budget.plan(events, days)
            pace = Pace(
                ages=Story(self._options, stream="probe").ages(),
                leads=self._probes(),
                booked_per_day=self._budget.streams / self._budget.interval,
                days=days,
                events=events,
                natural=1.0 - _SLACK - self._options.corrections,
            )
            self._leads.per_day = pace.leads_per_day
        self._budget.leads_per_day = self._leads.per_day
        self._budget.keep_booking()
        self._timeline.after(0.0, self._leads.keep_arriving, None)
        return pace

    def _probes(self) -> int:
        least, most = _PROBES
        return max(least, min(most, self._options.events // 4))

    def ages(self) -> list[float]:
        """Return after how many business days each event of a sample of leads comes."""
        timeline = self._timeline
        for _ in range(self._probes()):
            timeline.after(0.0, self._leads.arrive, None)
        ages = []
        while timeline.next_days() <= self._days:
            timeline.days, step, subject = timeline.take_step()
            step(subject)
            ages.extend([timeline.days] * len(timeline.said))
            timeline.said.clear()
        return ages

    def _past(self, pace: Pace | None) -> Iterator[Happening]:
        if pace is None:
            return
        timeline, said = self._timeline, self._timeline.said
        chance = self._rng.random
        corrections, wanted = self._options.corrections, 0
        unpaced = self._options.live_events != 0 or self._options.rate == 0
        gap = 0.0 if unpaced else 1.0 / self._options.rate
        for told in range(self._options.events):
            while not said:
                if wanted and self._corrections.tell():
                    wanted -= 1
                    break
                expected = pace.days_at(told)
                if timeline.next_days() <= expected:
                    timeline.days, step, subject = timeline.take_step()
                    self._set_clock()
                    step(subject)
                else:
                    timeline.days = max(timeline.days, expected)
                    self._set_clock()
                    self._touch()
            happening = said.popleft()
            happening.due_seconds = told * gap
            if corrections and chance() < corrections:
                wanted += 1
            yield happening

    def _set_clock(self) -> None:
        timeline = self._timeline
        reached = min(self._end_ms, instant_ms(self._start_days + timeline.days))
        timeline.now_ms = max(timeline.now_ms, reached)

    def _live(self) -> Iterator[Happening]:
        options, timeline, said = self._options, self._timeline, self._timeline.said
        chance = self._rng.random
        now_ms = self._end_ms if options.now is None else round(options.now.timestamp() * 1000)
        timeline.days = max(timeline.days, self._days)
        wanted = told = 0
        while options.live_events is None or told < options.live_events:
            told += 1
            due_seconds = told / options.rate
            simulated = self._end_ms + int(1000 * options.speed * due_seconds)
            timeline.now_ms = max(timeline.now_ms, min(simulated, now_ms + int(1000 * due_seconds)))
            while not said:
                if wanted and self._corrections.tell():
                    wanted -= 1
                else:
                    timeline.days, step, subject = timeline.take_step()
                    step(subject)
            happening = said.popleft()
            happening.due_seconds = due_seconds
            if options.corrections and chance() < options.corrections:
                wanted += 1
            yield happening

    def _touch(self) -> None:
        """Tell one of the small changes that every CRM is full of, or let a lead arrive."""
        timeline, chance = self._timeline, self._rng.random
        deals = self._deals.recent
        for _ in range(3):
            if not len(deals):
                break
            deal = deals.any(self._rng)
            if deal.status == "open":
                later = 3 + int(60 * chance())
                data: dict[str, object] = {
                    "deal_id": deal.id,
                    "expected_close_on": day_text(timeline.now_ms, later),
                }
                timeline.say("crm.deal.updated.v1", deal.thread, data)
                return
        if len(self._leads.recent) and timeline.maybe(0.5):
            self._leads.change_technique(self._leads.recent.any(self._rng))
        if not timeline.said:
            self._leads.arrive()
