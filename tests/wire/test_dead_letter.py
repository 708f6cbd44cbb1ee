"""Records of crm.dead-letters."""

import pytest

from stream_app.wire.dead_letter import DeadLetter, NotADeadLetter
from stream_app.wire.reasons import Reason, Rejection
from tests.wire.poison import CASES
from tests.wire.records import refused

REJECTION = Rejection(Reason.BAD_NUMBER, "data.amount: expected … decimals")


def letter(value: bytes | None = b"{}") -> DeadLetter:
    return DeadLetter.of(REJECTION, "crm.events", 3, 4711, value)


def test_key_and_headers_say_where_the_record_was_and_why_it_was_refused():
    assert letter().key == b"crm.events/3/4711"
    assert letter().headers == [
        ("reason", b"bad_number"),
        ("detail", "data.amount: expected … decimals".encode()),
        ("topic", b"crm.events"),
        ("partition", b"3"),
        ("offset", b"4711"),
    ]


def test_the_value_is_the_original_bytes_cut_at_64_kibibytes():
    assert letter(b"\xff\x00").value == b"\xff\x00"
    assert letter(b"x" * 65_536).value == b"x" * 65_536
    assert letter(b"x" * 65_537).value == b"x" * 65_536


def test_a_null_value_stays_null_and_differs_from_an_empty_one():
    assert letter(None).value is None
    assert letter(b"").value == b""


@pytest.mark.parametrize("value", [b"{}", b"\xff", b"", None])
def test_a_dead_letter_is_read_back_as_it_was_written(value: bytes | None):
    written = letter(value)

    assert DeadLetter.read(written.headers, written.value) == written


def test_every_rejection_of_the_corpus_survives_the_trip():
    for _, _, value in CASES:
        written = DeadLetter.of(refused(value), "crm.events", 0, 0, value)
        assert DeadLetter.read(written.headers, written.value) == written


def test_a_reason_of_a_newer_version_can_be_read():
    headers = [("reason", b"from_the_future"), *letter().headers[1:]]

    assert DeadLetter.read(headers, None).reason == "from_the_future"


def test_other_headers_are_ignored_and_of_repeated_ones_the_first_counts():
    headers = [("trace", None), *letter().headers, ("offset", b"1")]

    assert DeadLetter.read(headers, b"{}") == letter()


@pytest.mark.parametrize("missing", range(5))
def test_a_record_that_lacks_a_header_is_no_dead_letter(missing: int):
    headers = letter().headers
    name, _ = headers.pop(missing)

    with pytest.raises(NotADeadLetter, match=f"header {name} is missing"):
        DeadLetter.read(headers, b"{}")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("offset", b""),
        ("offset", b"-1"),
        ("offset", b"1.5"),
        ("offset", "٣".encode()),
        ("partition", b"x"),
        ("partition", b"9" * 5000),
        ("partition", None),
        ("topic", b"\xff"),
        ("reason", None),
    ],
)
def test_a_record_with_an_unreadable_header_is_no_dead_letter(name: str, value: bytes | None):
    with pytest.raises(NotADeadLetter, match=f"header {name} "):
        DeadLetter.read([(name, value), *letter().headers], b"{}")


def test_a_detail_is_never_longer_than_a_header_should_be():
    long = DeadLetter.of(Rejection(Reason.SCHEMA, "x" * 5_000), "t", 0, 0, b"")

    assert len(long.detail) == 1_024
