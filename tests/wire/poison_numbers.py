"""Poison that is well-formed: numbers out of range, unknown names, strange times."""

from collections.abc import Iterator

from stream_app.wire.cloudevent import Reason
from tests.wire.records import AMOUNTS, Case, raw, record

BAD_NUMBERS = (
    "abc",
    "NaN",
    "nan",
    "sNaN",
    "Infinity",
    "-Infinity",
    "inf",
    "1e3",
    "1E3",
    "1e-2",
    "1.5e1",
    " 1",
    "1 ",
    " ",
    "1 000",
    "1,5",
    "1.000,00",
    "1,000.00",
    "1_000",
    "0x10",
    "--1",
    "+-1",
    "1-",
    "-",
    "+",
    ".",
    "-.",
    "1.2.3",
    "$5",
    "5 EUR",
    "5€",
    "٣",
    "\uff11\uff12",
    "1²",
    "½",
    "\u22125",
    "1\u00a0",
    "null",
    "1000000000000000",
    "-1000000000000000",
    "1234567890123456",
    "9999999999999999.9999",
    "0.00001",
    "1.12345",
    "0.00010001",
    "1" * 256,
)
BAD_JSON_NUMBERS = (
    "1000000000000000",
    "-1000000000000000",
    "18446744073709551616",
    "1e15",
    "1e400",
    "-1e400",
    "1e999999999",
    "1e99999999999999999999999",
    "0.00001",
    "1e-5",
    "1.23456",
    "12345.6e-4",
    "1e-400",
    "1e-999999999",
    "1" * 400,
    "1" * 5000,
    "-" + "1" * 5000,
    "1" * 100_000,
    "1" * 5000 + ".5",
    "0." + "0" * 5000 + "1",
    "1e" + "9" * 5000,
    "1e-" + "9" * 5000,
)


def bad_number() -> Iterator[Case]:
    for text in BAD_NUMBERS:
        yield f"amount {text[:30]!r}", Reason.BAD_NUMBER, record(data={"amount": text})
    for text in BAD_JSON_NUMBERS:
        yield f"amount {text[:30]}", Reason.BAD_NUMBER, record(data={"amount": raw(text)})
    for kind, field in AMOUNTS[1:]:
        for value in ("abc", "1e3", "1" * 16, raw("1e15"), raw("1" * 5000), 0.00001):
            yield f"{kind} {field} {value!r:.20}", Reason.BAD_NUMBER, record(kind, {field: value})
    for field in ("amount", "cost"):
        lines = [{"amount": "1"}, {field: "one"}]
        yield f"lines {field}", Reason.BAD_NUMBER, record(data={"lines": lines})


def unknown_names() -> Iterator[Case]:
    for code in ("JPY", "XXX", "eur", "Eur", "EURO", "€", "EUR ", " EUR", "978", "E"):
        yield f"currency {code}", Reason.UNKNOWN_CURRENCY, record(data={"currency": code})
    for kind in ("deal.created", "spend.recorded", "expense.recorded"):
        yield f"{kind} currency", Reason.UNKNOWN_CURRENCY, record(kind, {"currency": "GBP"})
    for name in ("revenue", "Defects", "defects ", "defect"):
        yield (
            f"measure {name}",
            Reason.UNKNOWN_MEASURE,
            record("measure.recorded", {"measure": name}),
        )


def strange_time() -> Iterator[Case]:
    for text in (
        "2026-11-22T02:09:58.000001Z",
        "2027-01-01T00:00:00Z",
        "9999-12-31T23:59:59-23:59",
    ):
        yield f"time {text}", Reason.FUTURE, record(time=text)
    for text in (
        "2016-11-22T01:59:57.999999Z",
        "1970-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
    ):
        yield f"time {text}", Reason.TOO_OLD, record(time=text)
