"""What a thread counts across its leads and deals: leads, conversions, new customers."""

from collections.abc import Callable, Iterator, Mapping
from typing import ClassVar

from stream_app.domain.deal import WON, Deal
from stream_app.domain.facts import Fact, Members
from stream_app.domain.lead import Lead, filled
from stream_app.domain.rules import FoldRules


class Winners:
    """The leads of a thread and the first standing wins among its deals."""

    KINDS: ClassVar = frozenset({"lead", "conversion", "trial", "new_customer", "gain"})

    __slots__ = ("_deals", "_leads", "_rules")

    def __init__(
        self, leads: Mapping[str, Lead], deals: Mapping[str, Deal], rules: FoldRules
    ) -> None:
        self._leads = leads
        self._deals = deals
        self._rules = rules

    def facts(
        self, lead_id_of: Callable[[Deal], str | None]
    ) -> Iterator[tuple[tuple[str, str], Members, tuple[Fact, ...]]]:
        """(unit, members known last, facts) for everything that stands at present.

        Args:
            lead_id_of: which lead a deal has. Asked for here, not held: a fold that its winners
                held would be a cycle, and stay in memory until somebody looks for those.
        """
        deals_of: dict[str, list[Deal]] = {}
        wins: list[Deal] = []
        for deal in self._deals.values():
            if deal.deleted:
                continue
            lead_id = lead_id_of(deal)
            if lead_id is not None:
                deals_of.setdefault(lead_id, []).append(deal)
            if deal.status == WON:
                wins.append(deal)
        wins.sort(key=lambda deal: deal.result_index)
        for lead in self._leads.values():
            if lead.created_at is not None and not lead.deleted:
                yield self._lead_facts(lead, deals_of.get(lead.id, ()))
        for lead_id, deals in deals_of.items():
            won = next((deal for deal in wins if deal in deals), None) if wins else None
            known = self._leads.get(lead_id)
            if won is not None and not (known is not None and known.deleted):
                yield self._conversion_facts(lead_id, known, deals, won)
        if self._rules.trials:
            yield from self._trial_facts(deals_of, wins)
        yield from self._customer_facts(wins)

    def _lead_facts(
        self,
        lead: Lead,
        deals: "list[Deal] | tuple[()]",
    ) -> tuple[tuple[str, str], Members, tuple[Fact, ...]]:
        at_creation = self._members(lead.created_raw, deals)
        created_at = lead.created_at or 0
        fact = Fact(created_at, self._rules.at_time_only(at_creation), (("leads", 1),))
        return ("lead", lead.id), self._members(lead.raw, deals), (fact,)

    def _conversion_facts(
        self,
        lead_id: str,
        lead: Lead | None,
        deals: list[Deal],
        won: Deal,
    ) -> tuple[tuple[str, str], Members, tuple[Fact, ...]]:
        nobody: Members = (None,) * len(self._rules.dimensions)
        at_win = self._rules.at_time_only(self._members(won.result_lead_raw, deals))
        facts = [Fact(won.result_at or 0, at_win, (("conversions", 1),))]
        lead_created_at = next(
            (
                instant
                for instant in (deal.lead_created_at() for deal in (won, *deals))
                if instant is not None
            ),
            None,
        )
        if lead_created_at is not None:
            facts.append(Fact(lead_created_at, at_win, (("leads_converted", 1),)))
        known_last = self._members(nobody if lead is None else lead.raw, deals)
        return ("conversion", lead_id), known_last, tuple(facts)

    def _trial_facts(
        self,
        deals_of: Mapping[str, list[Deal]],
        wins: list[Deal],
    ) -> Iterator[tuple[tuple[str, str], Members, tuple[Fact, ...]]]:
        """Every lead once in the arm of each experiment that it is in."""
        nobody: Members = (None,) * len(self._rules.dimensions)
        for lead in self._leads.values():
            if lead.created_at is None or lead.deleted:
                continue
            deals = deals_of.get(lead.id, ())
            first = lead.first
            if deals:
                lent = min(deals, key=lambda deal: deal.first_index).first_raw
                first = filled(first, self._rules.with_directory_team(lent))
            won_at = next((deal.result_at for deal in wins if deal in deals), None)
            facts = (trial.fact(first, lead.created_at, won_at) for trial in self._rules.trials)
            told = tuple(fact for fact in facts if fact is not None)
            if told:
                yield ("trial", lead.id), nobody, told

    def _customer_facts(
        self,
        wins: list[Deal],
    ) -> Iterator[tuple[tuple[str, str], Members, tuple[Fact, ...]]]:
        if wins and wins[0].attributes.get("new_business") is not False:
            yield self._first_win("new_customer", wins[0], (("new_customers", 1),))
        if self._rules.activate_on_win:
            gains = (deal for deal in wins if deal.attributes.get("new_business") is not False)
            first = next(gains, None)
            if first is not None:
                gained = (("customers_gained", 1), ("customers_active", 1))
                yield self._first_win("gain", first, gained)

    @staticmethod
    def _first_win(
        kind: str,
        deal: Deal,
        measures: tuple[tuple[str, int], ...],
    ) -> tuple[tuple[str, str], Members, tuple[Fact, ...]]:
        fact = deal.fact(deal.result_at or 0, deal.result_members, measures)
        return (kind, ""), deal.members, (fact,)

    def _members(self, raw: Members, deals: "list[Deal] | tuple[()]") -> Members:
        """A lead's members; one that it lacks is its first deal's, as of that one's first event."""
        if deals and None in raw:
            first = deals[0] if len(deals) == 1 else min(deals, key=lambda deal: deal.first_index)
            raw = filled(raw, first.first_raw)
        return self._rules.with_directory_team(raw)
