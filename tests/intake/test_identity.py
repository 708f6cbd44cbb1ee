"""Names that last."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from stream_app.domain.events import EVENT_TYPE_BY_NAME
from stream_app.intake.identity import event_id, qualified, row_identity, sequence

NAMES = st.text(alphabet="ab/%5-", min_size=1, max_size=6)
GENERATIONS = st.integers(0, 10**13 - 1)
TYPES = st.sampled_from(sorted(EVENT_TYPE_BY_NAME))


def test_ids_are_qualified_by_source_and_kind() -> None:
    assert qualified("//crm/sales", "deal", "501") == "crm/sales/deal/501"
    assert qualified("//crm/sales", "lead", "501") == "crm/sales/lead/501"


@given(st.tuples(NAMES, NAMES), st.tuples(NAMES, NAMES))
def test_different_entities_of_a_source_have_different_ids(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    kinds = [part.replace("/", "-") for part in (one[0], other[0])]

    ids = [qualified("//s", kinds[0], one[1]), qualified("//s", kinds[1], other[1])]

    assert (ids[0] == ids[1]) == ((kinds[0], one[1]) == (kinds[1], other[1]))


def test_one_column_identifies_as_it_is_and_several_as_a_hash() -> None:
    assert row_identity(["501"]) == "501"
    assert row_identity(["a", "bc"]) != row_identity(["ab", "c"])
    assert row_identity(["a", None]) != row_identity([None, "a"])


def test_an_event_is_named_by_row_type_and_content() -> None:
    said = event_id("501", "crm.deal.won.v1", "2017-03-01T00:00:00Z", {"a": "1", "b": "2"}, "")

    assert said == "501/deal.won/e103599ceb53e8fc"
    same = event_id("501", "crm.deal.won.v1", "2017-03-01T00:00:00Z", {"b": "2", "a": "1"}, "")
    assert said == same
    for time, data, revision in (
        ("2017-03-02T00:00:00Z", {"a": "1", "b": "2"}, ""),
        ("2017-03-01T00:00:00Z", {"a": "1", "b": "3"}, ""),
        ("2017-03-01T00:00:00Z", {"a": "1", "b": "2"}, "again"),
    ):
        assert event_id("501", "crm.deal.won.v1", time, data, revision) != said


@given(TYPES, GENERATIONS, st.integers(0, 99))
def test_a_sequence_is_a_number_that_json_carries(kind: str, generation: int, step: int) -> None:
    assert 0 <= sequence(kind, generation, step) < 2**53


@given(TYPES, GENERATIONS, GENERATIONS, st.integers(0, 99), st.integers(0, 99))
def test_later_imports_sort_after_earlier_ones_except_creations(
    kind: str, one: int, other: int, step: int, other_step: int
) -> None:
    if one == other:
        return
    later_is_greater = sequence(kind, max(one, other), step) > sequence(
        kind, min(one, other), other_step
    )

    assert later_is_greater == (kind != "crm.deal.created.v1")


@given(GENERATIONS, GENERATIONS, st.integers(0, 99), st.integers(0, 99))
def test_of_one_instant_creation_comes_before_changes_and_these_before_results(
    one: int, other: int, step: int, other_step: int
) -> None:
    order = ("lead.created", "deal.created", "deal.updated", "deal.won", "deal.deleted")
    types = [f"crm.{name}.v1" for name in order]

    for before, after in itertools.pairwise(types):
        assert sequence(before, one, step) < sequence(after, other, other_step)
