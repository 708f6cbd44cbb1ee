import pytest

from stream_app.dead_letters.listing import Listing, described, parse_place
from stream_app.wire.dead_letter import MAX_VALUE_BYTES, DeadLetter


def letter(offset: int, reason: str = "schema", value: bytes | None = b"x") -> DeadLetter:
    return DeadLetter(
        topic="crm.events", partition=0, offset=offset, reason=reason, detail="…", value=value
    )


def test_the_newest_come_first_and_are_counted_by_reason() -> None:
    listing = Listing()
    for offset, reason in enumerate(("schema", "future", "schema")):
        listing.take(letter(offset, reason), 1_000 + offset)
    assert [each.place for each in listing.letters()] == [
        "crm.events/0/2",
        "crm.events/0/1",
        "crm.events/0/0",
    ]
    assert listing.counts() == {"schema": 2, "future": 1}


def test_repeats_are_listed_once() -> None:
    listing = Listing()
    listing.take(letter(7, "schema"), 1)
    listing.take(letter(7, "future"), 2)
    assert [(each.reason, each.written_ms) for each in listing.letters()] == [("future", 2)]
    assert listing.repeats == 1


def test_only_what_is_asked_for_is_listed_and_counted() -> None:
    listing = Listing(frozenset({"future"}), since_ms=10)
    listing.take(letter(1, "schema"), 20)
    listing.take(letter(2, "future"), 9)
    listing.take(letter(3, "future"), 10)
    assert [each.coordinates[2] for each in listing.letters()] == [3]
    assert listing.counts() == {"future": 1}


def test_a_document_has_no_payload() -> None:
    listing = Listing()
    listing.take(letter(1, value=b"secret"), 1_000)
    (found,) = listing.letters()
    assert found.document() == {
        "topic": "crm.events",
        "partition": 0,
        "offset": 1,
        "reason": "schema",
        "detail": "…",
        "written_at": "1970-01-01T00:00:01.000Z",
        "size_bytes": 6,
    }


@pytest.mark.parametrize("text", ["crm.events/3/41", "a%2Fb/0/0"])
def test_a_place_is_read_as_a_key_spells_it(text: str) -> None:
    topic, partition, offset = parse_place(text)
    assert (topic, partition, offset) in {("crm.events", 3, 41), ("a/b", 0, 0)}


@pytest.mark.parametrize("text", ["", "crm.events", "t/1", "t/x/1", "t/1/-1", "/1/1", "t/1/1/1"])
def test_what_is_no_place_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="is not TOPIC/PARTITION/OFFSET"):
        parse_place(text)


def test_bytes_are_described_without_being_shown() -> None:
    assert described(None)["size_bytes"] is None
    assert described(b"abc")["sha256"].startswith("ba7816bf")
    assert not described(b"abc")["cut"]
    assert described(bytes(MAX_VALUE_BYTES))["cut"]
