"""Who is said first, when more changed than one publication takes."""

from hypothesis import given
from hypothesis import strategies as st

from stream_app.stages.dirty import DirtyScopes

ROOM = 8


def said(dirty: DirtyScopes, room: int = ROOM) -> list[str]:
    chosen = dirty.first(room)
    for scope in chosen:
        dirty.take(scope)
    return chosen


def dirty_with(*scopes: str) -> DirtyScopes:
    dirty = DirtyScopes()
    for scope in scopes:
        dirty.soil(scope)
    return dirty


def many(dimension: str, count: int = 1_000) -> list[str]:
    return [f"{dimension}|m{number}" for number in range(count)]


def test_the_company_and_the_teams_come_first() -> None:
    dirty = dirty_with("rep|a", "team|x", "source|b", "company|all")
    assert said(dirty)[:2] == ["company|all", "team|x"]
    assert not dirty


def test_a_dimension_with_very_many_members_leaves_the_others_their_turns() -> None:
    dirty = dirty_with(*many("source"), "technique|x", "rep|a")
    assert {"technique|x", "rep|a"} <= {*said(dirty), *said(dirty)}


def test_very_many_teams_leave_the_others_a_quarter() -> None:
    dirty = dirty_with(*many("team"), "rep|a")
    assert "rep|a" in said(dirty)


def test_who_keeps_changing_does_not_hold_up_who_waits() -> None:
    sources = many("source", 20)
    dirty = dirty_with(*sources)
    heard: set[str] = set()
    for _ in range(5):
        chosen = said(dirty)
        heard.update(chosen)
        for scope in chosen:
            dirty.soil(scope)
    assert heard == set(sources)


def test_what_changed_is_gathered_until_it_is_said() -> None:
    dirty = DirtyScopes()
    dirty.soil("rep|a").note(5, {"leads"})
    dirty.soil("rep|a").note(6, {"deals_won"})
    dirt = dirty.take("rep|a")
    assert (dirt.days, dirt.measures) == ({5, 6}, {"leads", "deals_won"})
    assert not dirty
    dirty.soil("rep|a")
    dirty.soil_all_of("rep|a")
    assert dirty.take("rep|a").everything


names = st.builds(
    "{}|{}".format,
    st.sampled_from(["company", "team", "rep", "source", "source+technique"]),
    st.integers(0, 30),
)


@given(scopes=st.lists(names), room=st.integers(1, 12))
def test_everything_is_said_once_and_never_more_than_there_is_room_for(
    scopes: list[str], room: int
) -> None:
    dirty = dirty_with(*scopes)
    heard: list[str] = []
    while dirty:
        chosen = said(dirty, room)
        assert 0 < len(chosen) <= room
        heard += chosen
    assert sorted(heard) == sorted(set(scopes))
