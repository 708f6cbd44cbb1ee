"""The measures of deals."""

from collections.abc import Mapping
from datetime import date

from stream_app.domain.events import EventType
from tests.oracle.reference_life import life_of
from tests.oracle.reference_split import Counts, Measured, split
from tests.oracle.reference_terms import DEALS, UNASSIGNED, Count, Data, Money, When
from tests.oracle.reference_thread import Thread, created_instant

SECOND_US = 1_000_000


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
        extra=extra,
        lines=lines if lines is not None else dict.fromkeys(products, counts),
    )


def created_deal(thread: Thread, deal: str) -> Measured:
    places = thread.positions(DEALS, "deal_id", deal)
    created = [p for p in places if thread.events[p].type == EventType.DEAL_CREATED]
    yield from of_deal(thread, deal, {("deals_created", None): 1}, (created or places)[0])


def result_of_deal(thread: Thread, deal: str) -> Measured:
    life = life_of(thread, deal, thread.end)
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
        cycle: Counts = {
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
    pipeline = thread.pipeline(attributes) or UNASSIGNED
    return {"stage": f"{pipeline}:{stage or UNASSIGNED}", "pipeline": pipeline}


def apart_by_stage(
    thread: Thread, stage: str | None, attributes: Data, measure: str, units: int
) -> Counts:
    """The same money once more, under a name that says its pipeline and stage."""
    if stage is None:
        return {}
    pipeline = thread.pipeline(attributes) or ""
    return {(f"{measure}|{pipeline}|{stage}", thread.currency(attributes)): units}


def open_deal(thread: Thread, deal: str) -> Measured:
    """What is counted of a deal only while it is open: where it should close, where it is stuck."""
    life = life_of(thread, deal, thread.end)
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

    def by_stage(measure: str, units: int) -> Counts:
        return apart_by_stage(thread, life.stage, attributes, measure, units)

    expected = attributes.get("expected_close_on")
    if expected is not None:
        yield from of_deal(
            thread,
            deal,
            {("closing_value", currency): amount, **by_stage("closing_value", amount)},
            thread.end,  # AMBIGUOUS: at_time is now, for the day itself may lie ahead
            when=date.fromordinal(expected),
            extra=stage,
            lines={
                product: {("closing_value", currency): m[0], **by_stage("closing_value", m[0])}
                for product, m in lines.items()
            },
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
    life = life_of(thread, deal, thread.end)
    attributes = thread.deal_at(deal, thread.end)
    for place, stage in life.entries:
        extra = staged(thread, stage, attributes)
        extra.pop("pipeline", None)
        yield from of_deal(thread, deal, {("stage_entered", None): 1}, place, extra=extra)
    for place, stage, entered, advanced in life.exits:
        seconds = (thread.events[place].time - thread.events[entered].time) // SECOND_US
        extra = staged(thread, stage, attributes)
        extra.pop("pipeline", None)
        counts: Counts = {
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
            life = life_of(thread, deal, until)
            if not life.seen or life.result is not None:
                continue
            attributes = thread.deal_at(deal, until)
            currency = thread.currency(attributes)

            def held(units: int) -> Counts:
                apart = apart_by_stage(thread, life.stage, attributes, "open_value", sign * units)  # noqa: B023
                return {("open_deals", None): sign, ("open_value", currency): sign * units, **apart}  # noqa: B023

            lines = {product: held(line[0]) for product, line in thread.lines(attributes).items()}
            yield from split(
                thread,
                held(thread.money(attributes)[0]),
                event.time,
                thread.credited(thread.deal_says(deal), until),
                extra=staged(thread, life.stage, attributes),
                lines=lines,
            )
