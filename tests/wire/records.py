"""Records for the tests of `stream_app.wire`: valid ones, and bytes to spoil them with."""

from typing import Any

import msgspec

from stream_app.domain.events import Event
from stream_app.wire.cloudevent import Ignored, Reason, Rejection, Rules, decode

NOW = "2026-11-22T01:59:58Z"
NOW_US = 1_795_312_798_000_000
NOW_MS = NOW_US // 1000

RULES = Rules(
    dimensions=frozenset({"team", "source", "technique", "segment"}),
    currencies=frozenset({"USD", "CHF"}),
    business_currency="EUR",
    measures=frozenset({"defects", "features"}),
    max_future_us=600_000_000,
    retention_us=3652 * 86_400_000_000,
)

DATA: dict[str, dict[str, Any]] = {
    "crm.lead.created.v1": {"lead_id": "l-1"},
    "crm.lead.updated.v1": {"lead_id": "l-1"},
    "crm.lead.deleted.v1": {"lead_id": "l-1"},
    "crm.deal.created.v1": {"deal_id": "d-1"},
    "crm.deal.updated.v1": {"deal_id": "d-1"},
    "crm.deal.stage_changed.v1": {"deal_id": "d-1", "stage": "proposal"},
    "crm.deal.won.v1": {"deal_id": "d-1"},
    "crm.deal.lost.v1": {"deal_id": "d-1"},
    "crm.deal.reopened.v1": {"deal_id": "d-1"},
    "crm.deal.deleted.v1": {"deal_id": "d-1"},
    "crm.survey.submitted.v1": {"survey_id": "s-1", "kind": "nps", "score": 9},
    "crm.spend.recorded.v1": {"spend_id": "p-1", "amount": "100"},
    "crm.expense.recorded.v1": {"expense_id": "x-1", "amount": "100"},
    "crm.customer.activated.v1": {"customer_id": "c-1"},
    "crm.customer.churned.v1": {"customer_id": "c-1"},
    "crm.measure.recorded.v1": {"measure": "defects", "value": 3},
}
"""The least that each type must say."""

LONG = "x" * 257

AMOUNTS: tuple[tuple[str, str], ...] = (
    ("deal.won", "amount"),
    ("deal.created", "cost"),
    ("spend.recorded", "amount"),
    ("measure.recorded", "value"),
)

SHORT = {name.split(".")[1] + "." + name.split(".")[2]: name for name in DATA}


Case = tuple[str, Reason, bytes | None]
"""A name, the reason expected, and the record's value."""


class Absent:
    """Takes a field out of a record."""


ABSENT = Absent()


def raw(text: str) -> msgspec.Raw:
    """A piece of JSON as it is."""
    return msgspec.Raw(text.encode())


def shown(value: object) -> str:
    """A value in the name of a case: the same in every process."""
    return bytes(value).decode() if isinstance(value, msgspec.Raw) else repr(value)


def without_absent(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not ABSENT}


def record(kind: str = "deal.won", data: Any = None, **attributes: Any) -> bytes:
    """A valid record of a type (its short or full name), with fields added, changed or ABSENT."""
    name = SHORT.get(kind, kind)
    if data is None or isinstance(data, dict):
        data = without_absent(DATA.get(name, {}) | (data or {}))
    envelope = {
        "specversion": "1.0",
        "id": "e-1",
        "source": "crm/test",
        "type": name,
        "time": NOW,
        "data": data,
    }
    return msgspec.json.encode(without_absent(envelope | attributes))


def outcome(
    value: bytes | None, *, key: bytes | None = b"k", timestamp_ms: int = NOW_MS
) -> Event | Rejection | Ignored:
    return decode(key, value, timestamp_ms, RULES)


def accepted(kind: str = "deal.won", data: Any = None, **attributes: Any) -> Event:
    """The event that a record becomes."""
    event = outcome(record(kind, data, **attributes))
    assert isinstance(event, Event), event
    return event


def refused(value: bytes | None, **at: Any) -> Rejection:
    """The rejection that a record becomes."""
    rejection = outcome(value, **at)
    assert isinstance(rejection, Rejection), rejection
    return rejection
