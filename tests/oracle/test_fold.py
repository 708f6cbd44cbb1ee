"""The core's cells are those of the reference, however and in whatever pieces the events arrive."""

from collections.abc import Sequence
from random import Random
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stream_app.domain.cells import CellSplitter, Deltas, without_zeros
from stream_app.domain.events import Event, EventType
from stream_app.domain.ledger import ThreadLedger
from stream_app.domain.rules import FoldRules
from tests.oracle.core import by_scope, counted, expected, expected_staged, staged, told
from tests.oracle.reference import thread_cells
from tests.oracle.reference_terms import DEALS, in_order
from tests.oracle.threads import a_config, a_thread

RANDOM = st.randoms(use_true_random=False)
LOOKS = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
)


def pieces(rnd: Random, events: Sequence[Event]) -> list[list[Event]]:
    """The events with some repeats, in some order, cut into batches."""
    order = [*events, *rnd.sample(events, rnd.randint(0, len(events)))]
    if rnd.random() < 0.5:
        rnd.shuffle(order)
    else:
        order.sort(key=lambda event: event.time)
    batches = []
    while order:
        size = rnd.randint(1, 4)
        batches.append(order[:size])
        order = order[size:]
    return batches


@settings(LOOKS, max_examples=400)
@given(RANDOM)
def test_the_core_counts_what_the_contract_says(rnd: Random) -> None:
    config = a_config(rnd)
    events = a_thread(rnd, config)
    cells = thread_cells(events, config)
    deltas = counted(config, [events])
    assert by_scope(deltas) == expected(cells, config)
    assert staged(deltas, config) == expected_staged(cells, config)


@settings(LOOKS, max_examples=250)
@given(RANDOM)
def test_order_of_arrival_repeats_and_batches_do_not_matter(rnd: Random) -> None:
    config = a_config(rnd)
    events = a_thread(rnd, config, 14)
    rules = FoldRules.from_config(config)
    assert told(rules, pieces(rnd, events)) == counted(config, [events])


@settings(LOOKS, max_examples=150)
@given(RANDOM)
def test_a_thread_read_back_from_storage_goes_on_as_if_it_had_stayed(rnd: Random) -> None:
    config = a_config(rnd)
    events = a_thread(rnd, config)
    rules = FoldRules.from_config(config)
    splitter = CellSplitter(rules)
    stored: list[Event] = []
    deltas: Deltas = {}
    for batch in pieces(rnd, events):
        ledger = ThreadLedger(rules, stored)
        for event in batch:
            ledger.accept(event)
        splitter.add(deltas, ledger.changes(), 0)
        stored = msgspec.json.decode(msgspec.json.encode(ledger.arrived), type=list[Event])
    assert without_zeros(deltas) == counted(config, [events])


@settings(LOOKS, max_examples=150)
@given(RANDOM)
def test_deleting_a_deal_takes_back_all_it_counted(rnd: Random) -> None:
    config = a_config(rnd)
    events = a_thread(rnd, config)
    rules = FoldRules.from_config(config)
    deals = sorted({event.data["deal_id"] for event in events if event.type in DEALS})
    last = in_order(events)[-1].time
    deletions = [
        Event(EventType.DEAL_DELETED, last + 1, None, "crm", f"x{deal}", "x", {"deal_id": deal})
        for deal in deals
    ]
    others = {"leads", "customers_gained", "customers_lost", "customers_active", "defects"}
    others |= {"features", "spend", "expense"}
    for measures in told(rules, [events, deletions]).values():
        for key in measures:
            name = key.partition("/")[0]
            assert name in others or name.startswith(("nps_", "csat"))


@settings(LOOKS, max_examples=150)
@given(RANDOM)
def test_a_deal_brought_back_has_its_history(rnd: Random) -> None:
    config = a_config(rnd)
    events = a_thread(rnd, config)
    rules = FoldRules.from_config(config)
    created = {e.data["deal_id"] for e in events if e.type == EventType.DEAL_CREATED}
    deleted = {e.data["deal_id"] for e in events if e.type == EventType.DEAL_DELETED}
    last = in_order(events)[-1].time
    away_and_back = [
        Event(kind, last + place, None, "crm", f"{kind} {deal}", "x", {"deal_id": deal})
        for deal in sorted(created - deleted)
        for place, kind in enumerate((EventType.DEAL_DELETED, EventType.DEAL_CREATED), start=1)
    ]
    assert told(rules, [events, away_and_back]) == counted(config, [events])


@settings(LOOKS, max_examples=100)
@given(RANDOM)
def test_null_is_as_if_never_said_and_an_absent_field_as_if_said_again(rnd: Random) -> None:
    """Whole objects or only what changed: a producer may send either."""
    config = a_config(rnd)
    events = in_order([e for e in a_thread(rnd, config) if e.type < EventType.SURVEY_SUBMITTED])
    known: dict[str, dict[str, Any]] = {}
    whole = []
    for event in events:
        entity = event.data.get("deal_id") or event.data["lead_id"]
        place = f"{event.type in DEALS} {entity}"
        was = known.get(place)
        if event.type == EventType.DEAL_CREATED and was is not None:
            filled = {name: value for name, value in event.data.items() if was.get(name) is None}
            known[place] = was | {name: v for name, v in filled.items() if v is not None}
        else:
            known[place] = (was or {}) | event.data
        said = dict(known[place])
        if "stage" not in event.data:
            said.pop("stage", None)  # a stage said again may reopen, or enter, so it is no repeat
        whole.append(msgspec.structs.replace(event, data=said))
    assert counted(config, [whole]) == counted(config, [events])
