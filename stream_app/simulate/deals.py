"""Deals: opened, moved through stages, won or lost, amended, reopened, handed over, deleted."""

from math import log
from typing import Final

from stream_app.simulate.company import LOSS_REASONS, Company
from stream_app.simulate.customers import Customers
from stream_app.simulate.entities import Deal, Lead, dimensions
from stream_app.simulate.pricing import Pricing
from stream_app.simulate.spelling import day_text, time_text
from stream_app.simulate.timeline import Recent, Thread, Timeline

_UNDER_OWN_KEY: Final = 0.06
_NEVER_CREATED: Final = 0.015  # the producer began in the middle: no deal.created, or a late one
_SAME_INSTANT: Final = 0.04  # created and moved on in one go: one instant, order by sequence
_BASE_ODDS: Final = 0.62  # won : lost of an average deal
_ON_THE_WAY: Final = ((0.10, "slips"), (0.05, "other amount"), (0.04, "hand-over"))
_AFTER_WIN: Final = (
    (0.04, "amended"),
    (0.015, "reopened"),
    (0.007, "deleted"),
    (0.004, "set right"),
    (0.10, "bought again"),
)
_AFTER_LOSS: Final = ((0.03, "reopened"), (0.01, "deleted"), (0.006, "set right"))
_CALENDAR_PER_BUSINESS_DAY: Final = 7 / 5


class Deals:
    """Runs the life of every deal.

    Attributes:
        recent: the last deals opened, whatever became of them.
    """

    def __init__(
        self,
        timeline: Timeline,
        company: Company,
        customers: Customers,
        pricing: Pricing,
        cycle_days: float,
    ) -> None:
        self.recent: Recent[Deal] = Recent(2048)
        self._timeline = timeline
        self._company = company
        self._customers = customers
        self._pricing = pricing
        self._log_cycle = log(cycle_days / _CALENDAR_PER_BUSINESS_DAY)

    def open_first(self, lead: Lead) -> None:
        """Step: the lead becomes a deal."""
        self._open(lead, new_business=True)

    def open_another(self, lead: Lead) -> None:
        """Step: a customer buys again; a second deal in the lead's thread."""
        self._open(lead, new_business=False)

    def _open(self, lead: Lead, *, new_business: bool) -> None:
        if lead.deleted:
            return
        timeline = self._timeline
        chance = timeline.rng.random
        id_ = timeline.new_id("deal")
        apart = not lead.id or chance() < _UNDER_OWN_KEY
        thread = Thread(id_) if apart else lead.thread
        pipelines = self._company.pipelines
        pipeline = pipelines[int(chance() * len(pipelines))]
        deal = Deal(id_, thread, lead=lead, created_ms=timeline.now_ms, pipeline=pipeline)
        deal.new_business = new_business
        data = self._opening_fields(deal, apart=apart)
        cycle = self._plan(deal)
        if timeline.maybe(0.85):  # the others never say when they expect it
            later = 1 + int(cycle * _CALENDAR_PER_BUSINESS_DAY * (0.7 + 0.6 * chance()))
            data["expected_close_on"] = day_text(timeline.now_ms, later)
        self.recent.add(deal)
        self._tell_opening(deal, data)
        timeline.after(deal.path[-1][0], self.move_on, deal)

    def _opening_fields(self, deal: Deal, *, apart: bool) -> dict[str, object]:
        maybe = self._timeline.maybe
        lead = deal.lead
        data: dict[str, object] = {"deal_id": deal.id}
        if apart:
            if lead.id:
                data["lead_id"] = lead.id
                data["lead_created_at"] = time_text(lead.created_ms)
            data.update(dimensions(lead, deal.rep))
        elif maybe(0.3):  # the thread's only lead needs no name
            data["lead_id"] = lead.id
        if len(self._company.pipelines) > 1 or maybe(0.5):  # the only one needs no name
            data["pipeline"] = deal.pipeline[0]
        if maybe(0.92):  # the others say no stage until the first move
            data["stage"] = deal.stage
        if not deal.new_business or maybe(0.2):  # true need not be said
            data["new_business"] = deal.new_business
        if lead.customer_id is not None:
            data["customer_id"] = lead.customer_id
        data.update(self._pricing.size(deal))
        return data

    def _tell_opening(self, deal: Deal, data: dict[str, object]) -> None:
        timeline = self._timeline
        draw = timeline.rng.random()
        if draw < _NEVER_CREATED:
            timeline.say("crm.deal.stage_changed.v1", deal.thread, {**data, "stage": deal.stage})
            if draw < _NEVER_CREATED / 2:
                timeline.after(timeline.rng.random(), self._tell_late, (deal, data))
        elif draw < _SAME_INSTANT and deal.path[-1][1] is not None:
            deal.stage = deal.path.pop()[1] or deal.stage
            moved: dict[str, object] = {"deal_id": deal.id, "stage": deal.stage}
            first, second = (1, 2) if draw < _SAME_INSTANT / 2 else (None, None)
            timeline.say("crm.deal.created.v1", deal.thread, data, sequence=first)
            timeline.say("crm.deal.stage_changed.v1", deal.thread, moved, sequence=second)
        else:
            timeline.say("crm.deal.created.v1", deal.thread, data)

    def _tell_late(self, opening: tuple[Deal, dict[str, object]]) -> None:
        deal, data = opening
        if deal.status != "deleted":
            self._timeline.say("crm.deal.created.v1", deal.thread, data)

    def _plan(self, deal: Deal) -> float:
        """Decide the deal's visits and result; return its length in business days."""
        timeline = self._timeline
        chance = timeline.rng.random
        lead = deal.lead
        odds = _BASE_ODDS * lead.channel.quality * lead.technique.effect * deal.rep.skill
        deal.wins = timeline.maybe(odds / (1 + odds))
        stages = deal.pipeline[1]
        visited = len(stages) if deal.wins else 1 + int(chance() * len(stages))
        route: list[str | None] = []
        for place in range(1, visited):
            if timeline.maybe(0.92):  # the others are skipped
                route.append(stages[place])
            if timeline.maybe(0.04):  # it falls back
                route.append(stages[place - 1])
        route.append(None)
        cycle = timeline.rng.lognormvariate(self._log_cycle, 0.65) * deal.rep.pace
        if not deal.wins:
            cycle *= 0.8
        shares = [0.15 + chance() for _ in route]
        whole = sum(shares)
        deal.path = [
            (cycle * share / whole, stage) for share, stage in zip(shares, route, strict=True)
        ][::-1]
        return cycle

    def move_on(self, deal: Deal) -> None:
        """Step: the deal enters its next stage, or is won or lost."""
        if deal.status != "open" or not deal.path:
            return
        timeline = self._timeline
        _, stage = deal.path.pop()
        if stage is None:
            self._close(deal)
            return
        deal.stage = stage
        data: dict[str, object] = {"deal_id": deal.id, "stage": stage}
        fate = timeline.fate(_ON_THE_WAY)
        if fate == "slips":
            later = 7 + int(30 * timeline.rng.random())
            data["expected_close_on"] = day_text(timeline.now_ms, later)
        elif fate == "other amount":
            data["amount"] = self._pricing.haggle(deal)
        elif fate == "hand-over":
            data.update(self.hand_over(deal))
        timeline.say("crm.deal.stage_changed.v1", deal.thread, data)
        timeline.after(deal.path[-1][0], self.move_on, deal)

    def hand_over(self, deal: Deal) -> dict[str, object]:
        """Give the deal to another rep; return the fields that say so."""
        reps = self._company.reps
        deal.rep = reps[int(self._timeline.rng.random() * len(reps))]
        return {"rep": deal.rep.id, "team": deal.rep.team}

    def _close(self, deal: Deal) -> None:
        timeline = self._timeline
        chance = timeline.rng.random
        deal.closed_ms = timeline.now_ms
        data: dict[str, object] = {"deal_id": deal.id}
        if deal.wins:
            deal.status = "won"
            if timeline.maybe(0.3):  # the price was negotiated
                data["amount"] = self._pricing.haggle(deal)
            if not deal.costed and timeline.maybe(0.35):  # some costs are known only now
                data["cost"] = self._pricing.cost(deal)
            if deal.new_business and deal.lead.customer_id is None:
                deal.lead.customer_id = timeline.new_id("customer")
                data["customer_id"] = deal.lead.customer_id
            timeline.say("crm.deal.won.v1", deal.thread, data)
            self._after_win(deal, first="customer_id" in data)
            return
        deal.status = "lost"
        if timeline.maybe(0.92):  # the others do not say why
            data["loss_reason"] = LOSS_REASONS[int(chance() * chance() * len(LOSS_REASONS))]
        timeline.say("crm.deal.lost.v1", deal.thread, data)
        self._go_on(deal, timeline.fate(_AFTER_LOSS))

    def _after_win(self, deal: Deal, *, first: bool) -> None:
        timeline = self._timeline
        if first:
            self._customers.activate(deal)
        if timeline.maybe(0.45):  # not everybody answers
            timeline.after(timeline.rng.lognormvariate(1.6, 0.7), self._customers.answer, deal)
        self._go_on(deal, timeline.fate(_AFTER_WIN))

    def _go_on(self, deal: Deal, fate: str | None) -> None:
        """Put on the agenda what becomes of a closed deal."""
        timeline = self._timeline
        chance = timeline.rng.random
        match fate:
            case "amended":
                timeline.after(1.0 + 15.0 * chance(), self.amend, deal)
            case "reopened":
                timeline.after(1.0 + 12.0 * chance(), self.reopen, deal)
            case "deleted":
                timeline.after(0.5 + 6.0 * chance(), self.delete, deal)
            case "set right":
                timeline.after(chance(), self._set_right, deal)
            case "bought again":
                days = timeline.rng.lognormvariate(3.4, 0.6)
                timeline.after(days, self.open_another, deal.lead)

    def amend(self, deal: Deal) -> None:
        """Step: the amount of a won deal changes; one in ten becomes a credit note."""
        if deal.status != "won":
            return
        amount = self._pricing.haggle(deal, 0.6, 1.3)
        if self._timeline.maybe(0.1):
            amount = self._pricing.credit(deal)
        data: dict[str, object] = {"deal_id": deal.id, "amount": amount}
        self._timeline.say("crm.deal.updated.v1", deal.thread, data)

    def reopen(self, deal: Deal) -> None:
        """Step: a closed deal is open again, and on its way to another result."""
        if deal.status not in ("won", "lost"):
            return
        stages = deal.pipeline[1]
        deal.stage = stages[int(self._timeline.rng.random() * len(stages))]
        data: dict[str, object] = {"deal_id": deal.id, "stage": deal.stage}
        if self._timeline.maybe(0.3):  # a stage alone reopens as well
            self._timeline.say("crm.deal.stage_changed.v1", deal.thread, data)
        else:
            if self._timeline.maybe(0.25):  # without a stage: the one visited last
                del data["stage"]
            self._timeline.say("crm.deal.reopened.v1", deal.thread, data)
        self.resume(deal)

    def resume(self, deal: Deal) -> None:
        """Put a deal that was reopened back on its way."""
        deal.status = "open"
        self._plan(deal)
        self._timeline.after(deal.path[-1][0] / 2, self.move_on, deal)

    def delete(self, deal: Deal) -> None:
        """Step: the deal is deleted; one in five comes back."""
        if deal.status == "deleted":
            return
        deal.status = "deleted"
        self._timeline.say("crm.deal.deleted.v1", deal.thread, {"deal_id": deal.id})
        if self._timeline.maybe(0.2):
            self._timeline.after(0.5 + self._timeline.rng.random() * 3, self._restore, deal)

    def _restore(self, deal: Deal) -> None:
        data: dict[str, object] = {"deal_id": deal.id, "stage": deal.stage}
        self._timeline.say("crm.deal.reopened.v1", deal.thread, data)
        self.resume(deal)

    def _set_right(self, deal: Deal) -> None:
        """Step: the other result replaces the first, without a reopening."""
        if deal.status not in ("won", "lost"):
            return
        deal.status = "lost" if deal.status == "won" else "won"
        deal.closed_ms = self._timeline.now_ms
        kind = f"crm.deal.{deal.status}.v1"
        self._timeline.say(kind, deal.thread, {"deal_id": deal.id})
