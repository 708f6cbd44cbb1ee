"""Leads: they arrive, are touched, and some become deals."""

from typing import Final

from stream_app.simulate.company import Company
from stream_app.simulate.deals import Deals
from stream_app.simulate.entities import Lead
from stream_app.simulate.timeline import Recent, Thread, Timeline

_WALK_INS: Final = 0.04  # deals of which no lead was ever told
_DEALS_PER_LEAD: Final = 0.36  # times the channel's quality
_MOST_LIKELY: Final = 0.8
_WITHOUT_DEAL: Final = ((0.025, "mistake"), (0.1, "other technique"))


class Leads:
    """Creates leads; `per_day` arrive on a business day.

    Attributes:
        recent: the last leads, deleted ones included.
    """

    def __init__(self, timeline: Timeline, company: Company, deals: Deals) -> None:
        self.per_day = 1.0
        self.recent: Recent[Lead] = Recent(1024)
        self._timeline = timeline
        self._company = company
        self._deals = deals

    def keep_arriving(self, _: object = None) -> None:
        """Step: one arrives, and the next one's arrival is put on the agenda."""
        self.arrive()
        self._timeline.after(self._timeline.rng.expovariate(self.per_day), self.keep_arriving, None)

    def arrive(self, _: object = None) -> None:
        """Step: a lead, or a deal nobody knew as a lead, turns up."""
        timeline, company = self._timeline, self._company
        chance = timeline.rng.random
        rep = company.reps[int(chance() * len(company.reps))]
        channel = company.channels[int(chance() * len(company.channels))]
        technique = company.techniques[int(chance() * len(company.techniques))]
        campaign = channel.campaigns[int(chance() * len(channel.campaigns))]
        region = rep.regions[int(chance() * len(rep.regions))]
        walk_in = timeline.maybe(_WALK_INS)
        id_ = "" if walk_in else timeline.new_id("lead")
        lead = Lead(
            id_,
            Thread(id_),
            timeline.now_ms,
            rep=rep,
            channel=channel,
            technique=technique,
            campaign=campaign,
            region=region,
        )
        if walk_in:
            self._deals.open_first(lead)
            return
        self._tell(lead)
        self.recent.add(lead)
        if timeline.maybe(min(_MOST_LIKELY, _DEALS_PER_LEAD * channel.quality)):
            delay = timeline.rng.lognormvariate(0.4, 0.9)
            timeline.after(delay, self._deals.open_first, lead)
            return
        fate = timeline.fate(_WITHOUT_DEAL)
        if fate == "mistake":
            timeline.after(1.0 + 5.0 * chance(), self.delete, lead)
        elif fate == "other technique":
            timeline.after(0.5 + 8.0 * chance(), self.change_technique, lead)

    def _tell(self, lead: Lead) -> None:
        data: dict[str, object] = {"lead_id": lead.id, "rep": lead.rep.id, "team": lead.rep.team}
        maybe = self._timeline.maybe
        if maybe(0.97):  # of the others nobody knows where they came from
            data["source"] = lead.channel.source
        if maybe(0.95):  # for the others it is said later or never
            data["technique"] = lead.technique.name
        if lead.campaign is not None:
            data["campaign"] = lead.campaign
        data["region"] = lead.region
        self._timeline.say("crm.lead.created.v1", lead.thread, data)

    def change_technique(self, lead: Lead) -> None:
        """Step: the lead is approached in another way."""
        if lead.deleted:
            return
        techniques = self._company.techniques
        lead.technique = techniques[int(self._timeline.rng.random() * len(techniques))]
        data: dict[str, object] = {"lead_id": lead.id, "technique": lead.technique.name}
        self._timeline.say("crm.lead.updated.v1", lead.thread, data)

    def delete(self, lead: Lead) -> None:
        """Step: the lead was a mistake."""
        if not lead.deleted:
            lead.deleted = True
            self._timeline.say("crm.lead.deleted.v1", lead.thread, {"lead_id": lead.id})
