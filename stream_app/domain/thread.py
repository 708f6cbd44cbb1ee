"""The fold of one thread: everything that shares a Kafka key, in the contract's order.

`ThreadFold` holds the running state of a thread's leads, deals and records and knows what it has
told of them so far. `changes()` says what is counted now and was not before, and what no longer
is: retraction needs no special case, because a fact that is gone is simply told with sign -1.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from stream_app.domain.conversions import Winners
from stream_app.domain.deal import Deal
from stream_app.domain.events import Event, EventType
from stream_app.domain.facts import Fact, Members
from stream_app.domain.lead import Lead
from stream_app.domain.records import Customer, Record
from stream_app.domain.rules import FoldRules

UnitKey = tuple[str, str]
"""What facts belong to: (`deal`, its id), (`survey`, its id), (`conversion`, lead id) …"""

_LAST_LEAD_TYPE = EventType.LEAD_DELETED
_LAST_DEAL_TYPE = EventType.DEAL_DELETED
_RECORDS = {
    EventType.SURVEY_SUBMITTED: ("survey", "survey_id"),
    EventType.SPEND_RECORDED: ("spend", "spend_id"),
    EventType.EXPENSE_RECORDED: ("expense", "expense_id"),
    EventType.MEASURE_RECORDED: ("measure", "measure_id"),
}
_NOTHING: list[Fact] = []


class Change(NamedTuple):
    """One fact that begins (`sign` 1) or ceases (-1) to count, its unit, and the last members."""

    fact: Fact
    latest: Members
    sign: int
    unit: UnitKey


class Counted(NamedTuple):
    """What a unit counts: `sealed[:length]` and `volatile`, under the members known last."""

    latest: Members
    sealed: list[Fact]
    length: int
    volatile: tuple[Fact, ...]

    def facts(self) -> Iterator[Fact]:
        """All of it."""
        yield from self.sealed[: self.length]
        yield from self.volatile


class ThreadFold:
    """The running fold of one thread."""

    __slots__ = (
        "_counted",
        "_customers",
        "_deal_ids",
        "_deals",
        "_index",
        "_lead_ids",
        "_lead_of_deal",
        "_leads",
        "_records",
        "_touched",
        "_winners",
        "rules",
    )

    def __init__(self, rules: FoldRules, events: Sequence[Event] = ()) -> None:
        """Fold `events`, which are in the contract's order."""
        self.rules = rules
        self._index = 0
        self._leads: dict[str, Lead] = {}
        self._deals: dict[str, Deal] = {}
        self._records: dict[UnitKey, Record] = {}
        self._customers: dict[str, Customer] = {}
        self._counted: dict[UnitKey, Counted] = {}
        self._touched: dict[UnitKey, None] = {}
        self._lead_ids: set[str] = set()
        self._deal_ids: set[str] = set()
        self._lead_of_deal: dict[str, str] = {}
        self._survey_plan(events)
        self._winners = Winners(self._leads, self._deals, rules)
        for event in events:
            self._apply(event)

    def extend(self, event: Event) -> bool:
        """Continue with an event that sorts after all others.

        Returns:
            False, with nothing applied, when the event changes which lead a deal had all along, or
            is the first of a deal that a survey has named: then the thread must be folded anew from
            all its events.
        """
        if event.type <= _LAST_LEAD_TYPE:
            lead_id = event.data["lead_id"]
            if lead_id not in self._lead_ids and len(self._lead_ids) == 1 and self._deals:
                return False
            self._lead_ids.add(lead_id)
        elif event.type <= _LAST_DEAL_TYPE:
            deal = self._deals.get(event.data["deal_id"])
            before = None if deal is None else self.lead_id_of(deal)
            self._note_deal(event)
            if deal is None and self._is_named_before(event.data["deal_id"]):
                return False
            if deal is not None and self.lead_id_of(deal) != before:
                return False
        self._apply(event)
        return True

    def lead_id_of(self, deal: Deal) -> str | None:
        """The lead a deal has: the one it names, else the thread's only one."""
        return self._lead_id_of(deal.id)

    def _lead_id_of(self, deal_id: str) -> str | None:
        named = self._lead_of_deal.get(deal_id)
        if named is not None:
            return named
        return next(iter(self._lead_ids)) if len(self._lead_ids) == 1 else None

    def changes(self, since: "ThreadFold | None" = None) -> Iterator[Change]:
        """What changed since the last call, or since the last call of an earlier fold of it.

        Args:
            since: the fold that this one replaces after the thread was folded anew.
        """
        if since is not None:
            for key, counted in since._counted.items():  # noqa: SLF001 - the same class
                for fact in counted.facts():
                    yield Change(fact, counted.latest, -1, key)
        for key, now in self._touched_units():
            before = self._counted.get(key)
            if now is None:
                if before is not None:
                    del self._counted[key]
                    yield from (Change(fact, before.latest, -1, key) for fact in before.facts())
                continue
            self._counted[key] = now
            yield from _difference(key, before, now)
        self._touched.clear()

    # -- folding ---------------------------------------------------------------------------------

    def _survey_plan(self, events: Iterable[Event]) -> None:
        """Note what holds whenever it was said: which leads and deals there are, and whose."""
        for event in events:
            if event.type <= _LAST_LEAD_TYPE:
                self._lead_ids.add(event.data["lead_id"])
            elif event.type <= _LAST_DEAL_TYPE:
                self._note_deal(event)

    def _note_deal(self, event: Event) -> None:
        deal_id = event.data["deal_id"]
        self._deal_ids.add(deal_id)
        if "lead_id" not in event.data:
            return
        lead_id = event.data["lead_id"]
        if event.type == EventType.DEAL_CREATED:
            if lead_id is not None:
                self._lead_of_deal.setdefault(deal_id, lead_id)
        elif lead_id is None:
            self._lead_of_deal.pop(deal_id, None)
        else:
            self._lead_of_deal[deal_id] = lead_id

    def _apply(self, event: Event) -> None:
        index = self._index
        self._index += 1
        if event.type <= _LAST_LEAD_TYPE:
            self._apply_lead(event)
        elif event.type <= _LAST_DEAL_TYPE:
            self._apply_deal(event, index)
        elif event.type in _RECORDS:
            self._apply_record(event)
        else:
            customer_id = event.data["customer_id"]
            customer = self._customers.get(customer_id)
            if customer is None:
                customer = self._customers[customer_id] = Customer(self.rules)
            customer.apply(event)
            self._touched["customer", customer_id] = None

    def _apply_lead(self, event: Event) -> None:
        lead_id = event.data["lead_id"]
        lead = self._leads.get(lead_id)
        is_new = lead is None
        if lead is None:
            lead = self._leads[lead_id] = Lead(lead_id, self.rules)
        changed = lead.apply(event)
        self._touched["lead", lead_id] = None
        for deal in self._deals.values():
            if is_new and self.lead_id_of(deal) == lead_id:
                deal.lead = lead
            if deal.lead is lead:
                if changed:
                    deal.lead_changed(event.time)
                self._touched["deal", deal.id] = None

    def _apply_deal(self, event: Event, index: int) -> None:
        deal_id = event.data["deal_id"]
        deal = self._deals.get(deal_id)
        if deal is None:
            deal = self._deals[deal_id] = Deal(deal_id, None, self.rules)
            deal.lead = self._leads.get(self.lead_id_of(deal) or "")
            for record in self._records.values():
                if record.event.data.get("deal_id") == deal_id:
                    record.deal = deal
        deal.apply(event, index)
        self._touched["deal", deal_id] = None

    def _apply_record(self, event: Event) -> None:
        kind, id_field = _RECORDS[EventType(event.type)]
        record_id = event.data.get(id_field) or f"{event.source} {event.id}"
        deal_id = event.data.get("deal_id") or ""
        deal = self._deals.get(deal_id)
        inherited = None if deal is None else deal.said
        if deal is None and deal_id in self._deal_ids:  # it has said nothing yet, its lead may have
            lead = self._leads.get(self._lead_id_of(deal_id) or "")
            inherited = None if lead is None else lead.raw
        self._records[kind, record_id] = Record(event, deal, self.rules, inherited)
        self._touched[kind, record_id] = None

    def _is_named_before(self, deal_id: str) -> bool:
        return any(record.event.data.get("deal_id") == deal_id for record in self._records.values())

    # -- what is counted -------------------------------------------------------------------------

    def _touched_units(self) -> Iterator[tuple[UnitKey, Counted | None]]:
        touched = self._touched
        deals_touched = any(kind in ("deal", "lead") for kind, _ in touched)
        for kind, unit_id in touched:
            if kind == "deal":
                yield (kind, unit_id), self._count_deal(self._deals[unit_id])
            elif kind == "customer":
                customer = self._customers[unit_id]
                yield (kind, unit_id), self._count(customer.final_members(), customer.sealed, ())
            elif kind != "lead":
                yield (kind, unit_id), self._count_record(self._records[kind, unit_id])
        if not deals_touched:
            return
        for key, record in self._records.items():
            if key not in touched and record.deal is not None:
                yield key, self._count_record(record)
        told = {key: None for key in self._counted if key[0] in Winners.KINDS}
        for key, members, facts in self._winners.facts(self.lead_id_of):
            told.pop(key, None)
            yield key, self._count(members, _NOTHING, facts)
        for key in told:
            yield key, None

    def _count_deal(self, deal: Deal) -> Counted:
        sealed = _NOTHING if deal.deleted else deal.sealed
        return self._count(deal.members, sealed, deal.volatile())

    def _count_record(self, record: Record) -> Counted:
        return self._count(record.final_members(), _NOTHING, record.facts())

    def _count(self, members: Members, sealed: list[Fact], facts: tuple[Fact, ...]) -> Counted:
        return Counted(self.rules.latest_only(members), sealed, len(sealed), facts)


def _difference(key: UnitKey, before: Counted | None, now: Counted) -> Iterator[Change]:
    if before is None:
        yield from (Change(fact, now.latest, 1, key) for fact in now.facts())
        return
    if before.latest != now.latest or before.sealed is not now.sealed:
        yield from (Change(fact, before.latest, -1, key) for fact in before.facts())
        yield from (Change(fact, now.latest, 1, key) for fact in now.facts())
        return
    if before.volatile != now.volatile:
        gone = list(before.volatile)
        for fact in now.volatile:
            if fact in gone:
                gone.remove(fact)
            else:
                yield Change(fact, now.latest, 1, key)
        yield from (Change(fact, now.latest, -1, key) for fact in gone)
    for fact in now.sealed[before.length : now.length]:
        yield Change(fact, now.latest, 1, key)
