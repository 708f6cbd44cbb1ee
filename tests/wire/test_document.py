"""What is JSON and what is not, and that it never depends on who asks."""

import json
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_app.wire.document import MAX_NESTING, read
from stream_app.wire.numbers import Number, scientific
from stream_app.wire.reasons import Reason, Refused

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def reason_of(value: bytes | None) -> Reason | None:
    try:
        read(value)
    except Refused as fault:
        return fault.reason
    return None


def plain(document: Any) -> Any:
    """Numbers as floats again, to compare with the standard library."""
    if isinstance(document, Number):
        return float(document.text)
    if isinstance(document, dict):
        return {name: plain(value) for name, value in document.items()}
    if isinstance(document, list):
        return [plain(value) for value in document]
    return document


def strictly(text: str) -> bool:
    """Whether the standard library reads it, without its two liberties."""

    def refuse(_: str) -> None:
        raise ValueError

    try:
        document = json.loads(text, parse_constant=refuse, parse_int=str, parse_float=str)
        json.dumps(document, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return False
    return True


@given(JSON)
def test_every_json_document_is_read_as_the_standard_library_reads_it(document: Any):
    assert plain(read(json.dumps(document).encode())) == document
    assert plain(read(json.dumps(document, ensure_ascii=False, indent=1).encode())) == document


@given(st.text(alphabet='{}[]",:.-+eE019 \\udD8cabNntrufls\x00\x7f\n', max_size=30))
def test_what_is_refused_the_standard_library_refuses_too(text: str):
    assert (reason_of(text.encode()) is None) == strictly(text)


@given(JSON, st.data())
def test_a_document_with_one_changed_character_is_judged_alike(document: Any, data: st.DataObject):
    text = json.dumps(document, ensure_ascii=False)
    place = data.draw(st.integers(min_value=0, max_value=len(text)))
    changed = text[:place] + data.draw(st.sampled_from('"\\{}[],:0-e. u\x00')) + text[place + 1 :]

    assert (reason_of(changed.encode()) is None) == strictly(changed)


@given(JSON)
def test_an_integer_of_thousands_of_digits_changes_nothing_about_the_rest(document: Any):
    text = json.dumps([document, -1]).replace("-1]", "-" + "1" * 5000 + "]")
    found, long = read(text.encode())

    assert plain(found) == document
    assert scientific(long) == (True, "1" * 5000, 0)


@pytest.mark.parametrize(
    ("prefix", "suffix"),
    [("[", "]"), ('{"a":', "}"), ('["]{",', "]"), ('["\\\\\\"",', "]")],
)
def test_nesting_is_allowed_to_an_exact_depth(prefix: str, suffix: str):
    def nested(depth: int) -> bytes:
        return (prefix * depth + "1" + suffix * depth).encode()

    assert reason_of(nested(MAX_NESTING)) is None
    assert reason_of(nested(MAX_NESTING + 1)) is Reason.NOT_JSON


def test_brackets_in_strings_are_no_nesting():
    assert read(json.dumps("[{" * 10_000).encode()) == "[{" * 10_000
    assert read(json.dumps(['"[', "\\"] * 2_000).encode()) == ['"[', "\\"] * 2_000


def test_many_brackets_side_by_side_are_no_nesting():
    assert len(read(b"[" + b"[[]]," * 2_000 + b"[]]")) == 2_001


def test_the_depth_allowed_does_not_depend_on_the_callers_stack():
    value = b"[" * MAX_NESTING + b"]" * MAX_NESTING

    def deeper(levels: int) -> Reason | None:
        return deeper(levels - 1) if levels else reason_of(value)

    assert deeper(200) is None


def test_what_python_refuses_to_convert_is_read_all_the_same():
    allowed = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(640)
    try:
        (found,) = read(b"[" + b"7" * 2_000 + b"]")
    finally:
        sys.set_int_max_str_digits(allowed)

    assert scientific(found).digits == "7" * 2_000
