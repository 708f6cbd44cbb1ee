"""Customers: active from their first win on, asked for their opinion, and some leave."""

from typing import Final

from stream_app.simulate.company import THEMES, Company
from stream_app.simulate.entities import Deal, dimensions
from stream_app.simulate.timeline import Recent, Thread, Timeline

_LEAVES: Final = 0.4
_COMES_BACK: Final = 0.08
_UNDER_OWN_KEY: Final = 0.35
_NPS: Final = 0.6
_CSAT_OF_TEN: Final = 0.25
_TEN: Final = 10


class Survey:
    """A survey as it was sent, so that it can be sent again with another score."""

    __slots__ = ("data", "thread", "time_ms")

    def __init__(self, data: dict[str, object], thread: Thread, time_ms: int) -> None:
        self.data = data
        self.thread = thread
        self.time_ms = time_ms


class Customers:
    """Activations, churn and surveys.

    Attributes:
        surveys: the last surveys answered.
    """

    def __init__(self, timeline: Timeline, company: Company) -> None:
        self.surveys: Recent[Survey] = Recent(256)
        self._timeline = timeline
        self._company = company

    def activate(self, deal: Deal) -> None:
        """Tell that the deal's lead, which has a customer id by now, became a customer."""
        timeline = self._timeline
        customer_id = deal.lead.customer_id or ""
        thread = Thread(customer_id)
        data = {"customer_id": customer_id, **dimensions(deal.lead, deal.rep)}
        timeline.say("crm.customer.activated.v1", thread, data)
        if timeline.maybe(_LEAVES):
            days = timeline.rng.lognormvariate(4.6, 0.8)
            timeline.after(days, self._leave, (customer_id, thread))

    def _leave(self, customer: tuple[str, Thread]) -> None:
        timeline = self._timeline
        customer_id, thread = customer
        timeline.say("crm.customer.churned.v1", thread, {"customer_id": customer_id})
        if timeline.maybe(_COMES_BACK):
            timeline.after(5.0 + 40.0 * timeline.rng.random(), self._return, customer)

    def _return(self, customer: tuple[str, Thread]) -> None:
        customer_id, thread = customer
        self._timeline.say("crm.customer.activated.v1", thread, {"customer_id": customer_id})

    def answer(self, deal: Deal) -> None:
        """Step: the customer of a won deal answers a survey, NPS or CSAT."""
        if deal.status == "deleted":
            return
        timeline = self._timeline
        survey_id = timeline.new_id("survey")
        data: dict[str, object] = {"survey_id": survey_id}
        if timeline.maybe(_NPS):
            data["kind"] = "nps"
        else:
            data["kind"] = "csat"
            scale = _TEN if timeline.maybe(_CSAT_OF_TEN) else 5
            if scale == _TEN or timeline.maybe(0.5):  # five is the default
                data["scale_max"] = scale
        data["score"] = self.score(data)
        if timeline.maybe(0.7):
            data["theme"] = THEMES[int(timeline.rng.random() * len(THEMES))]
        if deal.lead.customer_id is not None:
            data["customer_id"] = deal.lead.customer_id
        if timeline.maybe(_UNDER_OWN_KEY):
            thread = Thread(survey_id)
            data.update(dimensions(deal.lead, deal.rep))
        else:
            thread = deal.thread
            data["deal_id"] = deal.id
        timeline.say("crm.survey.submitted.v1", thread, data)
        self.surveys.add(Survey(data, thread, timeline.now_ms))

    def score(self, data: dict[str, object]) -> int:
        """Return a score on the scale of a survey with this data: mostly content, some not."""
        rng = self._timeline.rng
        if data["kind"] == "nps":
            return max(0, min(_TEN, round(rng.gauss(8.3, 1.9))))
        if data.get("scale_max") == _TEN:
            return max(1, min(_TEN, round(rng.gauss(8.2, 1.6))))
        return max(1, min(5, round(rng.gauss(4.2, 0.9))))
