"""Keys made of parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_app.wire.keys import decode_member, encode_member, join_key, split_key

PARTS = st.text(alphabet=st.sampled_from("%|+/25BCFbcf ä\x00") | st.characters(codec="utf-8"))
MEMBERS = st.lists(PARTS, min_size=1, max_size=4).map(tuple)


def test_a_key_of_a_combination_reads_as_the_contract_writes_it():
    key = join_key("revenue", "month", "now", ("source", "technique"), ("web", "free-trial"))

    assert key == "revenue|month|now|source+technique|web+free-trial"


@pytest.mark.parametrize(
    ("part", "encoded"),
    [
        ("a%b", "a%25b"),
        ("a|b", "a%7Cb"),
        ("a+b", "a%2Bb"),
        ("a/b", "a%2Fb"),
        ("%2F", "%252F"),
        ("2026-11-01T00:00:00+01:00", "2026-11-01T00:00:00%2B01:00"),
        ("a b:ä", "a b:ä"),
        ("", ""),
    ],
)
def test_four_characters_are_encoded_and_nothing_else(part: str, encoded: str):
    assert join_key(part) == encoded
    assert split_key(encoded) == ((part,),)


@given(st.lists(MEMBERS, min_size=1, max_size=5))
def test_a_key_gives_its_parts_back(parts: list[tuple[str, ...]]):
    assert split_key(join_key(*parts)) == tuple(parts)


@given(st.lists(PARTS, min_size=1, max_size=5))
def test_a_plain_part_is_a_combination_of_one(parts: list[str]):
    assert split_key(join_key(*parts)) == tuple((part,) for part in parts)


@given(MEMBERS, MEMBERS)
def test_different_members_never_share_a_part(one: tuple[str, ...], other: tuple[str, ...]):
    assert (encode_member(one) == encode_member(other)) == (one == other)
    assert decode_member(encode_member(one)) == one


def test_a_part_without_members_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        encode_member(())
