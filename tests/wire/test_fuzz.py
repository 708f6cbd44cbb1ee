"""Whatever arrives, the answer is an event, a rejection or ignored: never an exception."""

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from stream_app.domain.events import EVENT_TYPE_BY_NAME, Event
from stream_app.wire.cloudevent import Ignored, Rejection
from tests.wire.records import DATA, outcome, record
from tests.wire.test_document import JSON

KNOWN = [
    *sorted({name for shape in DATA.values() for name in shape}),
    "lead_created_at", "amount", "cost", "currency", "lines", "new_business", "expected_close_on",
    "stage", "rep", "scale_max", "first_day", "last_day", "measure_id", "segment",
]  # fmt: skip
NEARLY_VALID = st.sampled_from(
    [
        "1",
        "-1.5",
        "1e3",
        "2026-11-22",
        "2026-02-30",
        "EUR",
        "nps",
        "csat",
        "",
        9,
        10,
        10.0,
        True,
        None,
    ]
)
VALUES = (
    NEARLY_VALID
    | JSON
    | st.lists(st.dictionaries(st.sampled_from(["amount", "cost", "product_line"]), NEARLY_VALID))
)
RESULTS = (Event, Rejection, Ignored)


@given(st.binary(max_size=64), st.none() | st.binary(max_size=4), st.integers(-(2**63), 2**63 - 1))
@example(b"", None, -1)
def test_any_bytes_have_an_outcome(value: bytes, key: bytes | None, timestamp_ms: int):
    assert isinstance(outcome(value, key=key, timestamp_ms=timestamp_ms), RESULTS)


@given(JSON)
def test_any_json_has_an_outcome(document: Any):
    assert isinstance(outcome(json.dumps(document).encode()), RESULTS)


@given(
    st.sampled_from(sorted(EVENT_TYPE_BY_NAME)),
    st.dictionaries(st.sampled_from(KNOWN), VALUES, max_size=6),
    st.dictionaries(
        st.sampled_from(["id", "source", "time", "sequence", "partitionkey", "type"]),
        VALUES,
        max_size=1,
    ),
)
def test_any_nearly_valid_event_has_an_outcome(
    name: str, data: dict[str, Any], attributes: dict[str, Any]
):
    result = outcome(record(name, data, **attributes))

    assert isinstance(result, RESULTS)
    if isinstance(result, Event):
        assert result.type in EVENT_TYPE_BY_NAME.values()
        assert all(isinstance(name, str) for name in result.data)


@given(st.data())
def test_a_valid_event_with_one_changed_byte_has_an_outcome(data: st.DataObject):
    value = record(data={"amount": "12.50", "rep": "r-1", "lines": [{"amount": 1}]})
    place = data.draw(st.integers(0, len(value) - 1))
    changed = value[:place] + data.draw(st.binary(max_size=2)) + value[place + 1 :]

    assert isinstance(outcome(changed), RESULTS)


@given(st.integers(0, 400))
def test_a_truncated_event_is_never_an_event(length: int):
    value = record()

    assert isinstance(outcome(value[:length]), Event) == (length >= len(value))
