"""Rule 1: the order of a thread's events."""

from itertools import permutations

import pytest

from stream_app.domain.events import EVENT_TYPE_BY_NAME, Event
from stream_app.domain.ledger import in_order
from tests.domain.stories import Story, event


def named(events: list[Event]) -> list[str]:
    return [each.id.lstrip("0") or "0" for each in in_order(events)]


def test_time_comes_first():
    events = [event("deal.won", "02 10:00", 1), event("deal.created", "02 11:00", 2)]
    assert named(events) == ["1", "2"]


def test_within_an_instant_the_rank_of_the_type_decides():
    ranked = [
        "lead.created", "lead.updated", "lead.deleted", "deal.created", "deal.updated",
        "deal.stage_changed", "deal.reopened", "deal.lost", "deal.won", "deal.deleted",
    ]  # fmt: skip
    events = [event(kind, "02 10:00", place) for place, kind in enumerate(ranked)]
    assert named(events[::-1]) == [str(place) for place in range(len(ranked))]


def test_all_other_types_share_the_last_rank():
    kinds = [name.split(".", 1)[1].removesuffix(".v1") for name in EVENT_TYPE_BY_NAME][10:]
    events = [
        event(kind, "02 10:00", place, kind="nps", score=9)
        for place, kind in enumerate(reversed(kinds))
    ]
    assert named(events) == [str(place) for place in range(len(kinds))]


def test_of_one_rank_the_source_and_then_the_id_decides():
    one, two, three = (event("deal.updated", "02 10:00", place) for place in (1, 2, 3))
    elsewhere = Event(two.type, two.time, None, "a-crm", two.id, two.digest, two.data)
    assert named([three, one, elsewhere]) == ["2", "1", "3"]


def test_a_sequence_decides_where_all_of_the_instant_have_one():
    events = [event("deal.won", "02 10:00", 1, sequence=1), event("deal.created", "02 10:00", 2, 2)]
    assert named(events) == ["1", "2"]


def test_a_sequence_is_compared_as_a_number():
    events = [event("deal.updated", "02 10:00", n, sequence=n) for n in (10, 9)]
    assert named(events) == ["9", "10"]


def test_one_event_of_the_instant_without_sequence_makes_the_rank_decide_for_all():
    events = [
        event("deal.won", "02 10:00", 1, sequence=1),
        event("deal.created", "02 10:00", 2, sequence=2),
        event("survey.submitted", "02 10:00", 3, kind="nps", score=9),
    ]
    assert named(events) == ["2", "1", "3"]


def test_what_has_no_sequence_at_another_instant_does_not_matter():
    events = [
        event("deal.won", "02 10:00", 1, sequence=1),
        event("deal.created", "02 10:00", 2, sequence=2),
        event("deal.updated", "02 11:00", 3),
    ]
    assert named(events) == ["1", "2", "3"]


def test_equal_sequences_leave_it_to_the_rank():
    events = [event("deal.won", "02 10:00", 1, 5), event("deal.created", "02 10:00", 2, 5)]
    assert named(events) == ["2", "1"]


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_the_order_of_arrival_does_not_matter(order: tuple[int, ...]):
    told = [
        ("deal.created", "02 10:00", {"stage": "qualified", "rep": "ann"}),
        ("deal.stage_changed", "03 10:00", {"stage": "proposal"}),
        ("deal.updated", "03 10:00", {"rep": "bob"}),
        ("deal.won", "04 10:00", {"amount": "100"}),
    ]
    straight, shuffled = Story(), Story()
    for kind, when, data in told:
        straight.tell(kind, when, **data)
    for place in order:
        shuffled.events.append(straight.events[place])
    assert shuffled.cells() == straight.cells()
