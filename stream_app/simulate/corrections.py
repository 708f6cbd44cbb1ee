"""Events that reach back: their time is old, and they change what was already counted."""

from collections.abc import Callable
from typing import Final

from stream_app.simulate.budget import Budget
from stream_app.simulate.company import Company
from stream_app.simulate.customers import Customers
from stream_app.simulate.deals import Deals
from stream_app.simulate.entities import Deal
from stream_app.simulate.leads import Leads
from stream_app.simulate.pricing import Pricing
from stream_app.simulate.spelling import amount_text
from stream_app.simulate.timeline import Timeline

_TRIES: Final = 8


class Corrections:
    """Picks something told before and tells it differently."""

    def __init__(
        self,
        timeline: Timeline,
        *,
        company: Company,
        leads: Leads,
        deals: Deals,
        customers: Customers,
        budget: Budget,
        pricing: Pricing,
    ) -> None:
        self._timeline = timeline
        self._company = company
        self._leads = leads
        self._deals = deals
        self._customers = customers
        self._budget = budget
        self._pricing = pricing
        amended, moved = self._amend, self._hand_over
        self._kinds: tuple[Callable[[], bool], ...] = (
            *(amended, amended, amended, moved, moved),
            *(self._technique, self._technique, self._clear, self._stage),
            *(self._reopen, self._delete, self._delete_lead, self._spend, self._survey),
        )

    def tell(self) -> bool:
        """Tell one correction; False: there is nothing yet that could be corrected."""
        for _ in range(_TRIES):
            kind = self._kinds[int(self._timeline.rng.random() * len(self._kinds))]
            if kind():
                return True
        return False

    def _since(self, instant_ms: int) -> int:
        """Return an instant after this one, but before now."""
        width = self._timeline.now_ms - instant_ms
        return instant_ms + 1 + int(self._timeline.rng.random() * (width - 1))

    def _deal(self, *statuses: str) -> Deal | None:
        recent, rng = self._deals.recent, self._timeline.rng
        if not len(recent):
            return None
        deal = recent.any(rng)
        told_ms = deal.created_ms if deal.status == "open" else deal.closed_ms
        old = self._timeline.now_ms - told_ms > 1
        return deal if old and deal.status in statuses else None

    def _say(self, deal: Deal, what: str, time_ms: int, **fields: object) -> bool:
        data = {"deal_id": deal.id, **fields}
        self._timeline.say(f"crm.deal.{what}.v1", deal.thread, data, time_ms=time_ms)
        return True

    def _amend(self) -> bool:
        deal = self._deal("won")
        if deal is None:
            return False
        amount = self._pricing.haggle(deal, 0.6, 1.3)
        return self._say(deal, "updated", self._since(deal.closed_ms), amount=amount)

    def _hand_over(self) -> bool:
        deal = self._deal("open", "won", "lost")
        if deal is None:
            return False
        time_ms = self._since(deal.created_ms)
        return self._say(deal, "updated", time_ms, **self._deals.hand_over(deal))

    def _clear(self) -> bool:
        deal = self._deal("open", "won", "lost")
        if deal is None:
            return False
        return self._say(deal, "updated", self._since(deal.created_ms), technique=None)

    def _stage(self) -> bool:
        deal = self._deal("won", "lost")
        if deal is None or deal.closed_ms - deal.created_ms <= 1:
            return False
        rng = self._timeline.rng
        stages = deal.pipeline[1]
        width = deal.closed_ms - deal.created_ms
        time_ms = deal.created_ms + 1 + int(rng.random() * (width - 1))
        stage = stages[int(rng.random() * len(stages))]
        return self._say(deal, "stage_changed", time_ms, stage=stage)

    def _reopen(self) -> bool:
        deal = self._deal("won", "lost")
        if deal is None:
            return False
        self._say(deal, "reopened", self._since(deal.closed_ms), stage=deal.pipeline[1][-1])
        self._deals.resume(deal)
        return True

    def _delete(self) -> bool:
        deal = self._deal("won", "lost")
        if deal is None:
            return False
        deal.status = "deleted"
        return self._say(deal, "deleted", self._since(deal.closed_ms))

    def _technique(self) -> bool:
        leads, rng = self._leads.recent, self._timeline.rng
        lead = leads.any(rng) if len(leads) else None
        if lead is None or lead.deleted or self._timeline.now_ms - lead.created_ms <= 1:
            return False
        techniques = self._company.techniques
        data: dict[str, object] = {
            "lead_id": lead.id,
            "technique": techniques[int(rng.random() * len(techniques))].name,
            "source": lead.channel.source,
        }
        time_ms = self._since(lead.created_ms)
        self._timeline.say("crm.lead.updated.v1", lead.thread, data, time_ms=time_ms)
        return True

    def _delete_lead(self) -> bool:
        leads = self._leads.recent
        lead = leads.any(self._timeline.rng) if len(leads) else None
        if lead is None or lead.deleted or self._timeline.now_ms - lead.created_ms <= 1:
            return False
        lead.deleted = True
        time_ms = self._since(lead.created_ms)
        data: dict[str, object] = {"lead_id": lead.id}
        self._timeline.say("crm.lead.deleted.v1", lead.thread, data, time_ms=time_ms)
        return True

    def _spend(self) -> bool:
        spends, rng = self._budget.spends, self._timeline.rng
        spend = spends.any(rng) if len(spends) else None
        if spend is None or self._timeline.now_ms - spend.time_ms <= 1:
            return False
        data = {**spend.data, "amount": amount_text(10_000 + int(rng.random() * 500_000), 2)}
        time_ms = self._since(spend.time_ms)
        self._timeline.say("crm.spend.recorded.v1", spend.thread, data, time_ms=time_ms)
        return True

    def _survey(self) -> bool:
        surveys = self._customers.surveys
        survey = surveys.any(self._timeline.rng) if len(surveys) else None
        if survey is None or self._timeline.now_ms - survey.time_ms <= 1:
            return False
        data = {**survey.data, "score": self._customers.score(survey.data)}
        time_ms = self._since(survey.time_ms)
        self._timeline.say("crm.survey.submitted.v1", survey.thread, data, time_ms=time_ms)
        return True
