"""What is booked at regular intervals: spend per campaign, expenses, the company's own measures."""

from dataclasses import dataclass
from math import ceil
from typing import Final

from stream_app.simulate.company import CHANNELS, EXPENSES, Channel, Company
from stream_app.simulate.spelling import amount_text, day_text
from stream_app.simulate.timeline import Recent, Thread, Timeline

_REVENUE_PER_LEAD: Final = 620.0  # euros; only to give expenses a plausible size
_SHARE_OF_EVENTS: Final = 0.06
_LONGEST_DAYS: Final = 300


@dataclass(slots=True)
class Spend:
    """A spend as it was booked, so that it can be booked again with another amount."""

    data: dict[str, object]
    thread: Thread
    time_ms: int


class Budget:
    """Books every stream once per interval.

    Attributes:
        streams: how many streams there are.
        interval: business days between two bookings of one stream, at least 1.
        leads_per_day: what the amounts are sized for.
        spends: the last bookings of spend.
    """

    def __init__(self, timeline: Timeline, company: Company, measures: tuple[str, ...]) -> None:
        self.interval = 1.0
        self.leads_per_day = 1.0
        self.spends: Recent[Spend] = Recent(64)
        self._timeline = timeline
        self._company = company
        self._measures = measures
        self._campaigns = [(channel, name) for channel in CHANNELS for name in channel.campaigns]
        self.streams = len(self._campaigns) + len(EXPENSES) + len(measures)

    def plan(self, events: int, days: float) -> None:
        """Choose the interval so that bookings stay a small share of so many events in so long."""
        self.interval = max(1.0, self.streams * days / max(1.0, _SHARE_OF_EVENTS * events))

    def keep_booking(self) -> None:
        """Put the first booking of every stream on the agenda."""
        first = self._timeline.rng.random
        for campaign in self._campaigns:
            self._timeline.after(first() * self.interval, self._spend, campaign)
        for expense in EXPENSES:
            self._timeline.after(first() * self.interval, self._expense, expense)
        for measure in self._measures:
            self._timeline.after(first() * self.interval, self._measure, measure)

    def _spend(self, campaign: tuple[Channel, str | None]) -> None:
        timeline = self._timeline
        chance = timeline.rng.random
        channel, name = campaign
        spend_id = timeline.new_id("spend")
        leads = self.leads_per_day * self.interval * channel.weight / len(channel.campaigns)
        cents = round(100 * channel.lead_cost * leads * (0.7 + 0.6 * chance()))
        techniques = self._company.techniques
        data: dict[str, object] = {
            "spend_id": spend_id,
            "amount": amount_text(cents, 2),
            "source": channel.source,
            "technique": techniques[int(chance() * len(techniques))].name,
        }
        if name is not None:
            data["campaign"] = name
        if self.interval > 1.0 or timeline.maybe(0.3):  # else: the day of the event
            data["first_day"], data["last_day"] = self._span()
        thread = Thread(spend_id)
        timeline.say("crm.spend.recorded.v1", thread, data)
        self.spends.add(Spend(data, thread, timeline.now_ms))
        timeline.after(self.interval, self._spend, campaign)

    def _expense(self, expense: tuple[str, float]) -> None:
        timeline = self._timeline
        category, share = expense
        expense_id = timeline.new_id("expense")
        cents = round(100 * _REVENUE_PER_LEAD * share * self.leads_per_day * self.interval)
        first_day, last_day = self._span()
        data: dict[str, object] = {
            "expense_id": expense_id,
            "amount": amount_text(cents, 2),
            "category": category,
            "first_day": first_day,
            "last_day": last_day,
        }
        timeline.say("crm.expense.recorded.v1", Thread(expense_id), data)
        timeline.after(self.interval, self._expense, expense)

    def _measure(self, name: str) -> None:
        timeline = self._timeline
        chance = timeline.rng.random
        measure_id = timeline.new_id("measure")
        count = 1 + int(9 * chance())
        data: dict[str, object] = {
            "measure": name,
            "value": count if timeline.maybe(0.5) else f"{count}.5",
            "product_line": self._company.products[int(chance() * 50) % 50].name,
        }
        if timeline.maybe(0.8):  # else: the event's own identity
            data["measure_id"] = measure_id
        timeline.say("crm.measure.recorded.v1", Thread(measure_id), data)
        timeline.after(self.interval, self._measure, name)

    def _span(self) -> tuple[str, str]:
        """Return the first and last day since about the stream's previous booking."""
        back = min(_LONGEST_DAYS, ceil(self.interval * 7 / 5) - 1)
        now_ms = self._timeline.now_ms
        return day_text(now_ms, -back), day_text(now_ms)
