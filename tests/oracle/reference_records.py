"""The measures of surveys, spend, expenses, customers and what companies declare themselves."""

from datetime import date, timedelta

from stream_app.domain.events import EventType
from tests.oracle.reference_split import Counts, Measured, split
from tests.oracle.reference_terms import (
    CUSTOMERS,
    UNASSIGNED,
    first_instant,
    local_day,
    minor,
)
from tests.oracle.reference_thread import Thread


def last_ones(thread: Thread, kind: int, field: str) -> list[int]:
    """Rule 7: the same id again replaces the earlier one whole."""
    last: dict[object, int] = {}
    for place, event in enumerate(thread.events):
        if event.type == kind:
            identity = event.data.get(field)
            last[(event.source, event.id) if identity is None else identity] = place
    return sorted(last.values())


def surveys(thread: Thread) -> Measured:
    for place in last_ones(thread, EventType.SURVEY_SUBMITTED, "survey_id"):
        data = thread.events[place].data
        yield from split(
            thread,
            answer(data["kind"], data["score"], data["scale_max"]),
            thread.events[place].time,
            thread.credited(thread.survey_says(place), place),
            extra={"theme": data.get("theme") or UNASSIGNED},
        )


def answer(kind: str, score: int, scale_max: int) -> Counts:
    if kind == "nps":
        group = "promoters" if score >= 9 else "passives" if score >= 7 else "detractors"
        return {(f"nps_{group}", None): 1}
    scale = "csat" if scale_max == 5 else "csat10"
    satisfied = score >= (4 if scale_max == 5 else 9)
    return {
        (f"{scale}_responses", None): 1,
        (f"{scale}_satisfied", None): int(satisfied),
        (f"{scale}_score", None): score,
    }


def spending(thread: Thread) -> Measured:
    for kind, field, measure in (
        (EventType.SPEND_RECORDED, "spend_id", "spend"),
        (EventType.EXPENSE_RECORDED, "expense_id", "expense"),
    ):
        for place in last_ones(thread, kind, field):
            event = thread.events[place]
            today = local_day(event.time, thread.zone).toordinal()
            first = event.data.get("first_day") or event.data.get("last_day") or today
            last = event.data.get("last_day") or first
            currency = thread.currency(event.data)
            amount = minor(event.data["amount"], currency)
            days = last - first + 1
            # AMBIGUOUS: a negative amount is spread like its positive counterpart.
            share, remainder = divmod(abs(amount), days)
            for number in range(days):
                day = date.fromordinal(first) + timedelta(days=number)
                units = (share + (number < remainder)) * (-1 if amount < 0 else 1)
                yield from split(
                    thread,
                    {(measure, currency): units},
                    first_instant(day, thread.zone),
                    thread.credited(thread.record_says(place), place),
                )


def customers(thread: Thread) -> Measured:
    for customer in thread.identities(CUSTOMERS, "customer_id"):
        active = False
        for place in thread.positions(CUSTOMERS, "customer_id", customer):
            activated = thread.events[place].type == EventType.CUSTOMER_ACTIVATED
            if thread.config.activate_on == "win":
                if activated:
                    continue  # the first win is the gain; every churn is a loss
            elif activated == active:
                continue
            active = activated
            measure = "customers_gained" if activated else "customers_lost"
            # AMBIGUOUS: a second activation changes no number, but says its attributes.
            yield from split(
                thread,
                {(measure, None): 1, ("customers_active", None): 1 if activated else -1},
                thread.events[place].time,
                thread.credited(thread.customer_says(customer), place),
            )


def recorded(thread: Thread) -> Measured:
    for place in last_ones(thread, EventType.MEASURE_RECORDED, "measure_id"):
        event = thread.events[place]
        yield from split(
            thread,
            {(event.data["measure"], None): event.data["value"]},
            event.time,
            thread.credited(thread.record_says(place), place),
        )
