"""Entities that are not leads or deals: surveys, spend, expenses, customers, own measures.

All but customers follow one rule: the same id again replaces the earlier record whole, last in
order (contract.md, rule 7).
"""

from stream_app.domain.deal import Deal
from stream_app.domain.events import Event, EventType
from stream_app.domain.facts import Fact, Measures, Members
from stream_app.domain.lead import raw_members
from stream_app.domain.measures import measure_key
from stream_app.domain.money import spread, to_minor
from stream_app.domain.rules import FoldRules

_NPS_PROMOTER, _NPS_PASSIVE = 9, 7
_CSAT_SATISFIED_FROM = {5: 4, 10: 9}


class Record:
    """The last record of one id, with the members in force when it was made.

    Attributes:
        deal: the deal of the thread that a survey names, once it is known.
        members: own members, filled from those of the deal in force at the time (before its first
            event: from its lead's), then from the directory.
        raw: own members only.
    """

    __slots__ = ("deal", "event", "members", "raw", "rules")

    def __init__(
        self, event: Event, deal: Deal | None, rules: FoldRules, inherited: Members | None
    ) -> None:
        self.event = event
        self.deal = deal
        self.rules = rules
        self.raw = raw_members(event.data, rules)
        self.members = self._filled(inherited)

    def final_members(self) -> Members:
        """Own members, filled from what the deal says last."""
        return self._filled(self.deal.said if self.deal is not None else None)

    def facts(self) -> tuple[Fact, ...]:
        """What the record counts."""
        kind = self.event.type
        if kind == EventType.SURVEY_SUBMITTED:
            return (self._survey(),)
        if kind == EventType.MEASURE_RECORDED:
            data = self.event.data
            return (self._fact(self.event.time, ((data["measure"], data["value"]),)),)
        name = "spend" if kind == EventType.SPEND_RECORDED else "expense"
        return self._spread(name)

    def _filled(self, inherited: Members | None) -> Members:
        members = self.raw
        if inherited is not None:
            members = tuple(
                own if own is not None else from_deal
                for own, from_deal in zip(members, inherited, strict=True)
            )
        return self.rules.with_directory_team(members)

    def _fact(self, instant: int, measures: Measures) -> Fact:
        return Fact(instant, self.rules.at_time_only(self.members), measures)

    def _survey(self) -> Fact:
        data = self.event.data
        score, scale_max = data["score"], data["scale_max"]
        measures: Measures
        if data["kind"] == "nps":
            if score >= _NPS_PROMOTER:
                measures = (("nps_promoters", 1),)
            elif score >= _NPS_PASSIVE:
                measures = (("nps_passives", 1),)
            else:
                measures = (("nps_detractors", 1),)
        else:
            prefix = "csat" if scale_max == 5 else "csat10"  # noqa: PLR2004 - the two scales
            measures = ((f"{prefix}_responses", 1), (f"{prefix}_score", score))
            if score >= _CSAT_SATISFIED_FROM[scale_max]:
                measures += ((f"{prefix}_satisfied", 1),)
        fact = self._fact(self.event.time, measures)
        return fact._replace(extra=(("theme", data.get("theme")),))

    def _spread(self, name: str) -> tuple[Fact, ...]:
        data = self.event.data
        calendar = self.rules.calendar
        first, last = data.get("first_day"), data.get("last_day")
        if first is None:
            first = last if last is not None else calendar.day_of(self.event.time)
        if last is None:
            last = first
        currency = data.get("currency") or self.rules.currency
        total = to_minor(data["amount"], self.rules.exponents[currency])
        key = measure_key(name, currency)
        return tuple(
            self._fact(calendar.day_start(first + index), ((key, share),))
            for index, share in enumerate(spread(total, last - first + 1))
            if share
        )


class Customer:
    """One customer's activations and churns; only changes of state count.

    With `customers.activate_on: win` gains come from wins and every churn event is a loss.
    """

    __slots__ = ("active", "attributes", "raw", "rules", "sealed")

    def __init__(self, rules: FoldRules) -> None:
        self.rules = rules
        self.attributes: dict[str, object] = {}
        self.raw: Members = (None,) * len(rules.dimensions)
        self.active = False
        self.sealed: list[Fact] = []

    def apply(self, event: Event) -> None:
        """Continue with the customer's next event."""
        for name, value in event.data.items():
            if value is None:
                self.attributes.pop(name, None)
            else:
                self.attributes[name] = value
        self.raw = raw_members(self.attributes, self.rules)
        churned = event.type == EventType.CUSTOMER_CHURNED
        if self.rules.activate_on_win:
            if churned:
                self._seal(event.time, "customers_lost", -1)
        elif churned == self.active:
            self.active = not churned
            self._seal(
                event.time,
                "customers_lost" if churned else "customers_gained",
                -1 if churned else 1,
            )

    def final_members(self) -> Members:
        """The members known last."""
        return self.rules.with_directory_team(self.raw)

    def _seal(self, instant: int, measure: str, change: int) -> None:
        members = self.rules.at_time_only(self.rules.with_directory_team(self.raw))
        self.sealed.append(Fact(instant, members, ((measure, 1), ("customers_active", change))))
