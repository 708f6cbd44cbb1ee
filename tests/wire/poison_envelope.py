"""Poison in the attributes of a CloudEvent, and in every time and date."""

from collections.abc import Iterator

from stream_app.wire.cloudevent import Reason
from tests.wire.records import ABSENT, LONG, Case, raw, record, shown


def schema_of_the_envelope() -> Iterator[Case]:
    for text in (
        "[]",
        "[{}]",
        '""',
        '"text"',
        "1",
        "1.5",
        "1e400",
        "1" * 5000,
        "true",
        "null",
        "{}",
    ):
        yield f"document {text[:9]}", Reason.SCHEMA, text.encode()
    for name in ("specversion", "id", "source", "type", "time", "data"):
        for what, value in (
            ("absent", ABSENT),
            ("null", raw("null")),
            ("empty", ""),
            ("true", True),
            ("a list", []),
            ("long", LONG),
        ):
            if (name, what) != ("type", "long"):  # that is none of ours
                yield f"{name} {what}", Reason.SCHEMA, record(**{name: value})
    for name in ("source", "type", "time", "specversion", "data"):
        yield f"{name} a number", Reason.SCHEMA, record(**{name: 1})
    for name in ("id", "source", "time", "partitionkey"):
        for control in ("\x00", "\t", "\n", "\x1f", "\x7f", "\x80", "\x9f"):
            yield f"{name} with {control!r}", Reason.SCHEMA, record(**{name: f"a{control}b"})


def schema_of_ids() -> Iterator[Case]:
    for value in ("1", "0.3", "1.1", "v1.0", " 1.0", raw("1.0"), raw("1")):
        yield f"specversion {shown(value)}", Reason.SCHEMA, record(specversion=value)
    for name in ("id", "partitionkey"):
        for number in ("1.5", "1e-1", "1e400", "1e999999999", "1" * 257, "-" + "1" * 5000):
            yield f"{name} {number[:12]}", Reason.SCHEMA, record(**{name: raw(number)})
        yield f"{name} an object", Reason.SCHEMA, record(**{name: {}})
    yield "partitionkey long", Reason.SCHEMA, record(partitionkey=LONG)
    yield "type under crm. with a control character", Reason.SCHEMA, record("crm.a\x00b", {})
    yield "type under crm. too long", Reason.SCHEMA, record("crm." + LONG, {})


def schema_of_sequences() -> Iterator[Case]:
    for value in ("-1", "1.5", "true", "[]", "{}", '"-1"', '"+1"', '"1.0"', '"1e3"', '" 1"', '"a"'):
        yield f"sequence {value}", Reason.SCHEMA, record(sequence=raw(value))
    for value in ("٣", "²", "1\n", "1" * 257):
        yield f"sequence {value[:9]!r}", Reason.SCHEMA, record(sequence=value)
    for number in ("1e400", "1e999999999", "1" * 257, "1" * 5000, "-1e0"):
        yield f"sequence number {number[:12]}", Reason.SCHEMA, record(sequence=raw(number))


BAD_TIMES = (
    "2026-11-22",
    "2026-11-22T01:59:58",
    "2026-11-22 01:59:58Z",
    "2026-11-22T01:59Z",
    "2026-11-22T01:59:60Z",
    "2026-12-31T23:59:60Z",
    "2026-11-22T24:00:00Z",
    "2026-11-22T01:60:00Z",
    "2026-13-01T00:00:00Z",
    "2026-00-01T00:00:00Z",
    "2026-02-29T00:00:00Z",
    "2026-11-31T00:00:00Z",
    "2026-11-00T00:00:00Z",
    "0000-01-01T00:00:00Z",
    "12026-11-22T00:00:00Z",
    "26-11-22T00:00:00Z",
    "2026-W47-7T00:00:00Z",
    "2026-326T00:00:00Z",
    "20261122T015958Z",
    "2026-11-22T01:59:58.Z",
    "2026-11-22T01:59:58,5Z",
    "2026-11-22T01:59:58.5",
    "2026-11-22T01:59:58.-5Z",
    "2026-11-22T01:59:58. 5Z",
    "2026-11-22T01:59:58.٣Z",
    "2026-11-22T01:59:58+0100",
    "2026-11-22T01:59:58+01",
    "2026-11-22T01:59:58+1:00",
    "2026-11-22T01:59:58+24:00",
    "2026-11-22T01:59:58+01:60",
    "2026-11-22T01:59:58+01:00:00",
    "2026-11-22T01:59:58 Z",
    "2026-11-22T01:59:58ZZ",
    "2026-11-22T01:59:58UTC",
    "2026-11-22T01:59:58Z[UTC]",
    " 2026-11-22T01:59:58Z",
    "2026-11-22T01:59:58Z ",
    "٢٠٢٦-11-22T01:59:58Z",
    "2026/11/22T01:59:58Z",
    "-026-11-22T01:59:58Z",
    "2026-11-22T-1:59:58Z",
    "2026-11-22T 1:59:58Z",
    "22.11.2026 01:59:58",
    "1795312798",
    "now",
    "2026-11-22T01:59:58." + "0" * 300 + "Z",
)

BAD_DATES = (
    "2026-11-31",
    "2026-02-29",
    "2026-13-01",
    "2026-00-10",
    "2026-01-00",
    "0000-01-01",
    "2026-1-1",
    "2026-11-2",
    "26-11-22",
    "20261122",
    "2026-326",
    "2026-W47-7",
    "2026-11-22T00:00:00Z",
    "2026/11/22",
    "22.11.2026",
    " 2026-11-22",
    "2026-11-22 ",
    "+2026-11-2",
    "٢٠٢٦-11-22",
    "today",
)


def schema_of_times() -> Iterator[Case]:
    for text in BAD_TIMES:
        yield f"time {text[:30]}", Reason.SCHEMA, record(time=text)
        yield f"lead_created_at {text[:30]}", Reason.SCHEMA, record(data={"lead_created_at": text})
    for text in ("0001-01-01T23:59:59Z", "9999-12-31T00:00:00Z"):
        yield f"lead_created_at {text}", Reason.SCHEMA, record(data={"lead_created_at": text})
    yield "lead_created_at a number", Reason.SCHEMA, record(data={"lead_created_at": 1795312798})
    for text in BAD_DATES:
        yield f"close on {text}", Reason.SCHEMA, record(data={"expected_close_on": text})
        yield f"day {text}", Reason.SCHEMA, record("spend.recorded", {"first_day": text})
    for text in ("0001-01-01", "10000-01-01"):
        yield f"close on {text}", Reason.SCHEMA, record(data={"expected_close_on": text})
    for value in (20261122, True, [], {}):
        yield f"close on {value}", Reason.SCHEMA, record(data={"expected_close_on": value})
    for kind in ("spend.recorded", "expense.recorded"):
        for first, last in (
            ("2026-11-22", "2026-11-21"),
            ("2026-01-01", "2027-01-02"),
            ("2024-01-01", "2025-01-01"),
            ("0001-01-02", "9999-12-31"),
        ):
            days = {"first_day": first, "last_day": last}
            yield f"{kind} {first} to {last}", Reason.SCHEMA, record(kind, days)


def unknown_type() -> Iterator[Case]:
    for name in (
        "crm.",
        "crm.deal",
        "crm.deal.won",
        "crm.deal.won.v2",
        "crm.deal.won.v1 ",
        "crm.Deal.won.v1",
        "crm.order.created.v1",
        "crm..",
    ):
        yield f"type {name}", Reason.UNKNOWN_TYPE, record(name, {})
    yield "unknown type with odd data", Reason.UNKNOWN_TYPE, record("crm.x", {"amount": "much"})
