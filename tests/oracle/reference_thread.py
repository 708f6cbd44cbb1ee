"""A thread's leads and deals: their attributes over time, their credit, their money."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from stream_app.config.model import Config
from stream_app.domain.events import Event, EventType
from tests.oracle.reference_terms import (
    CUSTOMERS,
    DEALS,
    LEADS,
    UNASSIGNED,
    Credited,
    Data,
    Money,
    in_order,
    minor,
)

Question = TypeVar("Question", bound=Callable[..., Any])


def remembered(question: Question) -> Question:
    """Answer the same question of the same thread once; nothing else depends on it."""

    def answer(self: "Thread", *about: Any) -> Any:
        key = (question.__name__, *about)
        if key not in self.memory:
            self.memory[key] = question(self, *about)
        return self.memory[key]

    return cast("Question", answer)


class Thread:
    """All questions about the accepted events of one Kafka key."""

    def __init__(self, events: Sequence[Event], config: Config) -> None:
        self.memory: dict[tuple[Any, ...], Any] = {}
        self.config = config
        self.zone = config.business.timezone
        self.events = in_order(events)
        self.end = len(self.events) - 1

    @remembered
    def positions(self, types: frozenset[int], field: str, identity: str) -> list[int]:
        return [
            place
            for place, event in enumerate(self.events)
            if event.type in types and event.data[field] == identity
        ]

    @remembered
    def identities(self, types: frozenset[int], field: str) -> list[str]:
        return sorted({event.data[field] for event in self.events if event.type in types})

    # --- rule 2 and 3: attributes

    @remembered
    def lead_at(self, lead: str, place: int) -> Data:
        merged: dict[str, Any] = {}
        for each in self.positions(LEADS, "lead_id", lead):
            if each <= place:
                merged |= self.events[each].data
        return merged

    @remembered
    def deal_at(self, deal: str, place: int) -> Data:
        merged: dict[str, Any] = {}
        for number, each in enumerate(self.positions(DEALS, "deal_id", deal)):
            event = self.events[each]
            if each > place:
                continue
            for name, value in event.data.items():
                late = event.type == EventType.DEAL_CREATED and number > 0
                if not late or (value is not None and merged.get(name) is None):
                    merged[name] = value
        return merged

    def customer_at(self, customer: str, place: int) -> Data:
        merged: dict[str, Any] = {}
        for each in self.positions(CUSTOMERS, "customer_id", customer):
            if each <= place:
                merged |= self.events[each].data
        return merged

    @remembered
    def lead_of(self, deal: str) -> str | None:
        # AMBIGUOUS: the lead is the one named last, for the whole history of the deal.
        named: str | None = self.deal_at(deal, self.end).get("lead_id")
        leads = self.identities(LEADS, "lead_id")
        return named if named is not None else leads[0] if len(leads) == 1 else None

    @remembered
    def deals_of(self, lead: str) -> list[str]:
        """By first event, the earliest first; without the deleted ones."""
        deals = [
            deal
            for deal in self.identities(DEALS, "deal_id")
            if self.lead_of(deal) == lead and not self.is_deleted(deal)
        ]
        return sorted(deals, key=lambda deal: self.positions(DEALS, "deal_id", deal)[0])

    def as_of(self, dimension: str, place: int) -> int:
        """Up to which event a dimension of what happened at `place` is credited."""
        rule = self.config.credit.get(
            dimension, "at_time" if dimension in {"rep", "team"} else "latest"
        )
        if rule == "latest":
            return self.end
        # AMBIGUOUS: in force at its place in the order; what sorts after it at the very instant
        # is not in force yet.
        return place

    def credited(self, said: Callable[[str, int], str | None], place: int) -> Credited:
        def member(dimension: str) -> str:
            value = said(dimension, self.as_of(dimension, place))
            if value is None and dimension == "team":
                # AMBIGUOUS: where rep and team are credited differently, the rep of that moment.
                rep = self.config.directory.get(said("rep", self.as_of("team", place)) or "")
                value = rep.team if rep else None
            return UNASSIGNED if value is None else value

        return member

    def record_says(self, place: int) -> Callable[[str, int], str | None]:
        """A record says all of it at once, and what it replaces says nothing any more."""
        data = self.events[place].data
        return lambda dimension, _: data.get(dimension)

    def customer_says(self, customer: str) -> Callable[[str, int], str | None]:
        return lambda dimension, place: self.customer_at(customer, place).get(dimension)

    def survey_says(self, survey: int) -> Callable[[str, int], str | None]:
        data = self.events[survey].data
        deal: str = data.get("deal_id") or ""
        events = self.positions(DEALS, "deal_id", deal)

        def said(dimension: str, place: int) -> str | None:
            own: str | None = data.get(dimension)
            # A deal that has said nothing yet inherits all from its lead, as at any other time.
            if own is None and events:
                return self.deal_says(deal)(dimension, place)
            return own

        return said

    def deal_says(self, deal: str) -> Callable[[str, int], str | None]:
        lead = self.lead_of(deal)

        def said(dimension: str, place: int) -> str | None:
            own: str | None = self.deal_at(deal, place).get(dimension)
            if own is None and lead is not None:
                return self.lead_at(lead, place).get(dimension)
            return own

        return said

    def lead_says(self, lead: str) -> Callable[[str, int], str | None]:
        deals = self.deals_of(lead)

        def said(dimension: str, place: int) -> str | None:
            own: str | None = self.lead_at(lead, place).get(dimension)
            if own is None and deals:
                # AMBIGUOUS: what the deal itself says, not what it inherits in turn.
                first = self.positions(DEALS, "deal_id", deals[0])[0]
                return self.deal_at(deals[0], first).get(dimension)
            return own

        return said

    # --- what the life of a deal needs

    @remembered
    def is_deleted(self, deal: str) -> bool:
        deleted = False
        for place in self.positions(DEALS, "deal_id", deal):
            kind = self.events[place].type
            if kind in {EventType.DEAL_DELETED, EventType.DEAL_CREATED, EventType.DEAL_REOPENED}:
                deleted = kind == EventType.DEAL_DELETED
        return deleted

    def pipeline(self, attributes: Data) -> str | None:
        # AMBIGUOUS: a deal that names no pipeline is in `default`, or in the only one.
        named: str | None = attributes.get("pipeline")
        pipelines = self.config.pipelines
        if named is not None or "default" in pipelines:
            return named or "default"
        return next(iter(pipelines)) if len(pipelines) == 1 else None

    def stages(self, attributes: Data) -> list[str]:
        pipeline = self.config.pipelines.get(self.pipeline(attributes) or "")
        return [stage.name for stage in pipeline.stages] if pipeline is not None else []

    # --- rule 6: money

    def currency(self, attributes: Data) -> str:
        return attributes.get("currency") or self.config.business.currency

    def lines(self, attributes: Data) -> dict[str, Money]:
        """Money by product line; two lines of one product line are one member."""
        currency = self.currency(attributes)
        money: dict[str, Money] = {}
        for product_line, amount, cost in attributes.get("lines") or []:
            # AMBIGUOUS: every line is rounded by itself, also inside the deal's sum.
            units = minor(amount or 0, currency)
            member = UNASSIGNED if product_line is None else product_line
            total, costs, costed = money.get(member, (0, None, 0))
            if cost is not None:
                costs, costed = (costs or 0) + minor(cost, currency), costed + units
            money[member] = (total + units, costs, costed)
        return money

    def money(self, attributes: Data) -> Money:
        currency = self.currency(attributes)
        lines = self.lines(attributes).values()
        if attributes.get("amount") is not None:
            amount = minor(attributes["amount"], currency)
        else:
            amount = sum(line[0] for line in lines)
        cost: int | None = None
        if attributes.get("cost") is not None:
            cost = minor(attributes["cost"], currency)
        elif any(line[1] is not None for line in lines):
            cost = sum(line[1] or 0 for line in lines)
        return amount, cost, amount if cost is not None else 0


def first_created(thread: Thread, lead: str) -> int | None:
    """The place of the first lead.created."""
    return next(
        (
            place
            for place in thread.positions(LEADS, "lead_id", lead)
            if thread.events[place].type == EventType.LEAD_CREATED
        ),
        None,
    )


def lead_is_deleted(thread: Thread, lead: str) -> bool:
    kinds = [thread.events[place].type for place in thread.positions(LEADS, "lead_id", lead)]
    decisive = [kind for kind in kinds if kind != EventType.LEAD_UPDATED]
    return bool(decisive) and decisive[-1] == EventType.LEAD_DELETED


def created_instant(thread: Thread, deal: str, lead: str | None) -> int | None:
    """When the lead of a deal was created, as far as this thread knows."""
    place = first_created(thread, lead) if lead is not None else None
    if place is not None:
        return thread.events[place].time
    # AMBIGUOUS: `lead_created_at` of the very deal, also if it names no lead.
    said: int | None = thread.deal_at(deal, thread.end).get("lead_created_at")
    return said
