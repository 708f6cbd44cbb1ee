"""The measures of leads, and of what the deals of a thread make of it together."""

from tests.oracle.reference_deals import of_deal
from tests.oracle.reference_split import Measured, split
from tests.oracle.reference_thread import (
    Thread,
    created_instant,
    first_created,
    lead_is_deleted,
)


def created_lead(thread: Thread, lead: str) -> Measured:
    place = first_created(thread, lead)
    if place is not None and not lead_is_deleted(thread, lead):
        # AMBIGUOUS: a lead that is brought back counts where it was first created.
        credited = thread.credited(thread.lead_says(lead), place)
        yield from split(thread, {("leads", None): 1}, thread.events[place].time, credited)


def conversions(thread: Thread, wins: list[tuple[int, str]]) -> Measured:
    converted: set[str] = set()
    for place, deal in wins:
        lead = thread.lead_of(deal)
        if lead is None or lead in converted:
            continue
        converted.add(lead)
        if lead_is_deleted(thread, lead):
            continue  # what the lead counts is retracted
        # AMBIGUOUS: "the same" thing in another bucket, so with the same members.
        credited = thread.credited(thread.lead_says(lead), place)
        yield from split(thread, {("conversions", None): 1}, thread.events[place].time, credited)
        # AMBIGUOUS: any deal of the lead may say when it was created, the won one first.
        known = (created_instant(thread, each, lead) for each in (deal, *thread.deals_of(lead)))
        created = next((instant for instant in known if instant is not None), None)
        if created is not None:
            yield from split(thread, {("leads_converted", None): 1}, created, credited)


def new_customers(thread: Thread, wins: list[tuple[int, str]]) -> Measured:
    new = [thread.deal_at(deal, thread.end).get("new_business") is not False for _, deal in wins]
    if wins and new[0]:
        yield from of_deal(thread, wins[0][1], {("new_customers", None): 1}, wins[0][0])
    if thread.config.activate_on == "win" and any(new):
        place, deal = wins[new.index(True)]
        yield from of_deal(thread, deal, {("customers_gained", None): 1}, place)
        yield from of_deal(thread, deal, {("customers_active", None): 1}, place)
