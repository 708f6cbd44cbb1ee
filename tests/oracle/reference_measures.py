"""The measures of kpis.md, one function per kind of entity, over `reference.Thread`."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from stream_app.domain.events import Event, EventType
from tests.oracle.reference import (
    BY_STAGE,
    DEALS,
    LEADS,
    UNASSIGNED,
    Cell,
    Count,
    Credited,
    Data,
    Money,
    Thread,
    When,
    first_instant,
    local_day,
    minor,
)

Measured = Iterator[tuple[Cell, Count, When, int]]
Counts = Mapping[Count, int]
SECOND_US = 1_000_000


def measured(thread: Thread) -> Measured:
    """Everything that a thread adds to the numbers."""
    for lead in thread.identities(LEADS, "lead_id"):
        yield from created_lead(thread, lead)
    deals = [d for d in thread.identities(DEALS, "deal_id") if not thread.is_deleted(d)]
    wins = sorted(
        (result, deal)
        for deal in deals
        if (result := thread.life(deal, thread.end).result) is not None
        and thread.events[result].type == EventType.DEAL_WON
    )
    yield from conversions(thread, wins)
    yield from new_customers(thread, wins)
    for deal in deals:
        yield from created_deal(thread, deal)
        yield from result_of_deal(thread, deal)
        yield from open_deal(thread, deal)
        yield from stages_of_deal(thread, deal)
        yield from stocks_of_deal(thread, deal)
    yield from surveys(thread)
    yield from spending(thread)
    yield from customers(thread)
    yield from recorded(thread)


def split(
    thread: Thread,
    counts: Counts,
    when: When,
    credited: Credited,
    extra: Mapping[str, str] | None = None,
    lines: Mapping[str, Counts] | None = None,
) -> Measured:
    """One counted thing under every dimension; `lines` replace its counts under product_line."""
    extra = extra or {}
    splits = list(thread.config.dimensions)
    if "stage" in extra:
        splits += [("stage",), ("team", "stage"), ("rep", "stage")]
    splits += [(name,) for name in ("loss_reason", "theme", "pipeline") if name in extra]
    for count, value in counts.items():
        yield ("company", "all"), count, when, value
    for names in splits:
        by_product = lines if lines and "product_line" in names else {"": counts}
        for product_line, row in by_product.items():
            member = "+".join(
                product_line
                if lines and name == "product_line"
                else extra[name]
                if name in extra
                else credited(name)
                for name in names
            )
            for count, value in row.items():
                if "stage" not in names or count[0] in BY_STAGE:
                    yield ("+".join(names), member), count, when, value


# --- leads


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


def created_lead(thread: Thread, lead: str) -> Measured:
    place = first_created(thread, lead)
    if place is not None and not lead_is_deleted(thread, lead):
        # AMBIGUOUS: a lead that is brought back counts where it was first created.
        credited = thread.credited(thread.lead_says(lead), place)
        yield from split(thread, {("leads", None): 1}, thread.events[place].time, credited)


def created_instant(thread: Thread, deal: str, lead: str | None) -> int | None:
    """When the lead of a deal was created, as far as this thread knows."""
    place = first_created(thread, lead) if lead is not None else None
    if place is not None:
        return thread.events[place].time
    # AMBIGUOUS: `lead_created_at` of the very deal, also if it names no lead.
    said: int | None = thread.deal_at(deal, thread.end).get("lead_created_at")
    return said


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
        created = created_instant(thread, deal, lead)
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


# --- deals


def of_deal(
    thread: Thread,
    deal: str,
    counts: Counts,
    place: int,
    *,
    when: When | None = None,
    extra: Mapping[str, str] | None = None,
    lines: Mapping[str, Counts] | None = None,
) -> Measured:
    """A flow of a deal: under product_line once for each of the lines known last."""
    products = thread.lines(thread.deal_at(deal, thread.end))
    yield from split(
        thread,
        counts,
        thread.events[place].time if when is None else when,
        thread.credited(thread.deal_says(deal), place),
        extra,
        lines if lines is not None else dict.fromkeys(products, counts),
    )


def created_deal(thread: Thread, deal: str) -> Measured:
    places = thread.positions(DEALS, "deal_id", deal)
    created = [p for p in places if thread.events[p].type == EventType.DEAL_CREATED]
    yield from of_deal(thread, deal, {("deals_created", None): 1}, (created or places)[0])


def result_of_deal(thread: Thread, deal: str) -> Measured:
    life = thread.life(deal, thread.end)
    if life.result is None:
        return
    attributes = thread.deal_at(deal, thread.end)
    currency = thread.currency(attributes)
    money = thread.money(attributes)
    lines = thread.lines(attributes)
    if thread.events[life.result].type == EventType.DEAL_LOST:
        yield from of_deal(
            thread,
            deal,
            {("deals_lost", None): 1, ("lost_value", currency): money[0]},
            life.result,
            extra={"loss_reason": attributes.get("loss_reason") or UNASSIGNED},
            lines={
                product: {("deals_lost", None): 1, ("lost_value", currency): line[0]}
                for product, line in lines.items()
            },
        )
        return
    yield from of_deal(
        thread,
        deal,
        won_counts(money, currency),
        life.result,
        # AMBIGUOUS: under a product line the deal is sized when its line is.
        lines={product: won_counts(line, currency) for product, line in lines.items()},
    )
    places = thread.positions(DEALS, "deal_id", deal)
    created = [p for p in places if thread.events[p].type == EventType.DEAL_CREATED]
    start = created_instant(thread, deal, thread.lead_of(deal))
    if start is None and created:
        start = thread.events[created[0]].time
    if start is not None:
        seconds = max(0, (thread.events[life.result].time - start) // SECOND_US)
        cycle = {
            ("cycle_seconds", None): seconds,
            ("cycle_deals", None): 1,
            (f"cycle={seconds}", None): 1,
        }
        yield from of_deal(thread, deal, cycle, life.result)


def won_counts(money: Money, currency: str) -> Counts:
    amount, cost, costed = money
    counts: dict[Count, int] = {("deals_won", None): 1, ("revenue", currency): amount}
    if amount > 0:
        counts |= {("deals_won_sized", None): 1, ("revenue_sized", currency): amount}
    if cost is not None:
        counts |= {("cost", currency): cost, ("revenue_costed", currency): costed}
    return counts


def staged(thread: Thread, stage: str | None, attributes: Data) -> dict[str, str]:
    """The members of stage and, with several pipelines, pipeline."""
    if len(thread.config.pipelines) < 2:
        return {"stage": stage or UNASSIGNED}
    pipeline = attributes.get("pipeline") or UNASSIGNED
    return {"stage": f"{pipeline}:{stage or UNASSIGNED}", "pipeline": pipeline}


def open_deal(thread: Thread, deal: str) -> Measured:
    """What is counted of a deal only while it is open: where it should close, where it is stuck."""
    life = thread.life(deal, thread.end)
    for place in life.slips:
        yield from of_deal(thread, deal, {("slipped_deals", None): 1}, place)
    if life.result is not None:
        return
    attributes = thread.deal_at(deal, thread.end)
    currency = thread.currency(attributes)
    amount = thread.money(attributes)[0]
    lines = thread.lines(attributes)
    stage = staged(thread, life.stage, attributes)
    stage.pop("pipeline", None)
    expected = attributes.get("expected_close_on")
    if expected is not None:
        yield from of_deal(
            thread,
            deal,
            {("closing_value", currency): amount},
            thread.end,  # AMBIGUOUS: at_time is now, for the day itself may lie ahead
            when=date.fromordinal(expected),
            extra=stage,
            lines={product: {("closing_value", currency): m[0]} for product, m in lines.items()},
        )
    if life.stage is not None:
        yield from of_deal(
            thread,
            deal,
            {("still_open", None): 1, ("still_open_value", currency): amount},
            life.entered,
            extra=stage,
            lines={
                product: {("still_open", None): 1, ("still_open_value", currency): m[0]}
                for product, m in lines.items()
            },
        )


def stages_of_deal(thread: Thread, deal: str) -> Measured:
    life = thread.life(deal, thread.end)
    attributes = thread.deal_at(deal, thread.end)
    for place, stage in life.entries:
        extra = staged(thread, stage, attributes)
        extra.pop("pipeline", None)
        yield from of_deal(thread, deal, {("stage_entered", None): 1}, place, extra=extra)
    for place, stage, entered, advanced in life.exits:
        seconds = (thread.events[place].time - thread.events[entered].time) // SECOND_US
        extra = staged(thread, stage, attributes)
        extra.pop("pipeline", None)
        counts = {
            ("stage_left", None): 1,
            ("stage_advanced", None): int(advanced),
            ("dwell_seconds", None): seconds,
        }
        yield from of_deal(thread, deal, counts, place, extra=extra)


def stocks_of_deal(thread: Thread, deal: str) -> Measured:
    """The stock after every event of the thread, less the stock before it."""
    for place, event in enumerate(thread.events):
        for sign, until in ((1, place), (-1, place - 1)):
            # The same instant as the event's, so that at_time members are those in force then.
            life = thread.life(deal, until)
            if not life.seen or life.result is not None:
                continue
            attributes = thread.deal_at(deal, until)
            currency = thread.currency(attributes)
            lines = {
                product: {("open_deals", None): sign, ("open_value", currency): sign * line[0]}
                for product, line in thread.lines(attributes).items()
            }
            yield from split(
                thread,
                {
                    ("open_deals", None): sign,
                    ("open_value", currency): sign * thread.money(attributes)[0],
                },
                event.time,
                thread.credited(thread.deal_says(deal), until),
                staged(thread, life.stage, attributes),
                lines,
            )


# --- other entities


def last_ones(thread: Thread, kind: int, field: str) -> list[int]:
    """Rule 7: the same id again replaces the earlier one whole."""
    last: dict[object, int] = {}
    for place, event in enumerate(thread.events):
        if event.type == kind:
            identity = event.data.get(field)
            last[(event.source, event.id) if identity is None else identity] = place
    return sorted(last.values())


def says(event: Event) -> Credited:
    def said(dimension: str) -> str:
        value: str = event.data[dimension]
        return value

    return said


def surveys(thread: Thread) -> Measured:
    for place in last_ones(thread, EventType.SURVEY_SUBMITTED, "survey_id"):
        data = thread.events[place].data
        deal = data.get("deal_id")
        deal_says = (
            thread.deal_says(deal) if deal in thread.identities(DEALS, "deal_id") else None
        )

        def said(
            dimension: str, until: int, data: Data = data, deal_says: object = deal_says
        ) -> str | None:
            own: str | None = data.get(dimension)
            return deal_says(dimension, until) if own is None and callable(deal_says) else own

        yield from split(
            thread,
            answer(data["kind"], data["score"], data["scale_max"]),
            thread.events[place].time,
            thread.credited(said, place),
            {"theme": data.get("theme") or UNASSIGNED},
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
                    thread.credited(lambda name, _, data=event.data: data.get(name), place),
                )


def customers(thread: Thread) -> Measured:
    kinds: set[int] = {EventType.CUSTOMER_ACTIVATED, EventType.CUSTOMER_CHURNED}
    for customer in thread.identities(kinds, "customer_id"):
        active = False
        for place in thread.positions(kinds, "customer_id", customer):
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
                thread.credited(
                    lambda name, until, customer=customer: (
                        thread.customer_at(customer, until).get(name)
                    ),
                    place,
                ),
            )


def recorded(thread: Thread) -> Measured:
    for place in last_ones(thread, EventType.MEASURE_RECORDED, "measure_id"):
        event = thread.events[place]
        yield from split(
            thread,
            {(event.data["measure"], None): event.data["value"]},
            event.time,
            thread.credited(lambda name, _, data=event.data: data.get(name), place),
        )
