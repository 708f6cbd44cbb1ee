"""The fold once more: slow, plain, and written from contract.md and kpis.md alone.

Everything is recomputed from scratch for every question that is asked. Nothing is shared with
`stream_app.domain` but the types of events and of the configuration and the table of currencies.
Where the contract leaves a choice, the comment starts with AMBIGUOUS.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from stream_app.config.model import Config
from stream_app.domain.events import Event, EventType
from tests.oracle.reference_deals import (
    created_deal,
    open_deal,
    result_of_deal,
    stages_of_deal,
    stocks_of_deal,
)
from tests.oracle.reference_leads import conversions, created_lead, new_customers
from tests.oracle.reference_life import life_of
from tests.oracle.reference_records import customers, recorded, spending, surveys
from tests.oracle.reference_split import Measured
from tests.oracle.reference_terms import DEALS, LEADS, Cells
from tests.oracle.reference_thread import Thread


def measured(thread: Thread) -> Measured:
    """Everything that a thread adds to the numbers."""
    for lead in thread.identities(LEADS, "lead_id"):
        yield from created_lead(thread, lead)
    deals = [d for d in thread.identities(DEALS, "deal_id") if not thread.is_deleted(d)]
    wins = sorted(
        (result, deal)
        for deal in deals
        if (result := life_of(thread, deal, thread.end).result) is not None
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


def thread_cells(events: Sequence[Event], config: Config) -> Cells:
    """Every measure of one thread, exactly."""
    cells: Cells = {}
    for cell, count, when, value in measured(Thread(events, config)):
        row = cells.setdefault(cell, {}).setdefault(count, defaultdict(int))
        row[when] += value
    return without_zeros(cells)


def log_cells(threads: Iterable[Sequence[Event]], config: Config) -> Cells:
    """The sum over all threads."""
    total: Cells = {}
    for events in threads:
        for cell, counts in thread_cells(events, config).items():
            for count, values in counts.items():
                row = total.setdefault(cell, {}).setdefault(count, defaultdict(int))
                for when, value in values.items():
                    row[when] += value
    return without_zeros(total)


def without_zeros(cells: Cells) -> Cells:
    kept: Cells = {}
    for cell, counts in cells.items():
        for count, values in counts.items():
            left = {when: value for when, value in values.items() if value}
            if left:
                kept.setdefault(cell, {})[count] = left
    return kept
