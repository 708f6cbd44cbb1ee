"""What moved a value between two moments adds up to how far it moved."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_app.explaining.difference import Difference, difference
from tests.explaining.stories import event, explained, log
from tests.explaining.test_sums import world


def deal(name: str, at: str, result: str) -> list[tuple[bytes, bytes, int]]:
    return [
        event("deal.created", at, key=name, deal_id=name, amount="100"),
        event(f"deal.{result}", at, key=name, deal_id=name),
    ]


def moves(found: Difference) -> dict[str, list[tuple[str, object, object]]]:
    return {
        part.side: [
            (move.unit.id if move.unit else "rounding", move.before, move.after)
            for move in part.moves
        ]
        for part in found.parts
    }


def test_a_deal_that_was_lost_moves_the_denominator_and_one_that_was_won_both() -> None:
    before = log(*deal("a", "2026-02-02T10:00:00Z", "won"))
    after = log(
        *deal("a", "2026-02-02T10:00:00Z", "won"),
        *deal("b", "2026-02-03T10:00:00Z", "won"),
        *deal("c", "2026-02-04T10:00:00Z", "lost"),
    )

    found = difference(explained(before, "win_rate"), explained(after, "win_rate"))

    assert moves(found)["numerator"] == [("b", 0, 1)]
    by_unit = [move for part in found.parts if part.side == "denominator" for move in part.moves]
    assert {move.unit and move.unit.id: move.change for move in by_unit} == {"b": 1, "c": 1}


def test_an_amended_deal_moves_by_its_change_and_one_that_stays_is_not_named() -> None:
    told = [
        *deal("a", "2026-02-02T10:00:00Z", "won"),
        *deal("b", "2026-02-02T10:00:00Z", "won"),
    ]
    amended = event("deal.updated", "2026-02-03T10:00:00Z", key="a", deal_id="a", amount="40")

    found = difference(explained(log(*told), "revenue"), explained(log(*told, amended), "revenue"))

    ((only,),) = [part.moves for part in found.parts]
    assert only.unit is not None
    assert only.cause is not None
    assert (only.unit.id, float(only.before), float(only.after)) == ("a", 100, 40)


def test_where_nothing_moved_it_is_still() -> None:
    told = log(*deal("a", "2026-02-02T10:00:00Z", "won"))

    assert difference(explained(told, "win_rate"), explained(told, "win_rate")).is_still


@pytest.mark.parametrize("seed", [2])
@settings(max_examples=15, deadline=None, derandomize=True)
@given(data=st.data())
def test_the_moves_add_up_whatever_happened_in_between(seed: int, data: st.DataObject) -> None:
    here = world(seed)
    value = data.draw(st.sampled_from(here.values))
    cut = data.draw(st.integers(0, len(here.records)))
    after = here.explained(value)
    before = here.explained(value, records=here.records[:cut])

    found = difference(before, after)

    for part in found.parts:
        if part.before is not None and part.after is not None:
            moved = sum((move.change for move in part.moves), start=0)
            assert part.before + moved == part.after  # type: ignore[operator] # of one kind
    same = (before.said.numerator, before.said.denominator, before.said.value) == (
        after.said.numerator,
        after.said.denominator,
        after.said.value,
    )
    assert same or found.parts
