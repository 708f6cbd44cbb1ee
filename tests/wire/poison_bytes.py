"""Poison that is no JSON, or too much of it."""

from collections.abc import Iterator

from stream_app.wire.cloudevent import Reason
from tests.wire.records import Case, raw, record

GOOD = record()
SURROGATE = "\\ud800"


def too_large() -> Iterator[Case]:
    limit = 1_048_576
    padded = GOOD + b" " * (limit + 1 - len(GOOD))
    yield "valid, but one byte over 1 MiB", Reason.TOO_LARGE, padded
    yield "not even JSON, and one byte over 1 MiB", Reason.TOO_LARGE, b"\xff" * (limit + 1)
    yield "eight MiB", Reason.TOO_LARGE, b"[" * (8 * limit)


def not_json() -> Iterator[Case]:
    texts: dict[str, bytes | None] = {
        "null value": None,
        "no bytes": b"",
        "white space": b" \n\t ",
        "zeros": b"\x00\x00\x00\x00",
        "plain words": b"hello",
        "truncated": GOOD[:-1],
        "truncated in a string": GOOD[:40],
        "trailing bytes": GOOD + b"x",
        "two documents": GOOD + GOOD,
        "trailing NUL": GOOD + b"\x00",
        "BOM": b"\xef\xbb\xbf" + GOOD,
        "UTF-16": GOOD.decode().encode("utf-16"),
        "UTF-16 without BOM": GOOD.decode().encode("utf-16-le"),
        "UTF-32": GOOD.decode().encode("utf-32"),
        "single quotes": GOOD.replace(b'"', b"'"),
        "trailing comma": GOOD[:-1] + b",}",
        "comment": b"/* */" + GOOD,
        "python's None": b'{"type":None}',
        "capital True": b'{"type":True}',
        "half a literal": b"nul",
        "form feed": b"\x0c" + GOOD,
        "unclosed list": b"[1, 2",
        "key without quotes": b"{a: 1}",
        "number as key": b"{1: 1}",
        "avro": b"\x00\x00\x00\x00\x01\x02deal",
        "gzip": b"\x1f\x8b\x08\x00" + GOOD,
    }
    for name, value in texts.items():
        yield name, Reason.NOT_JSON, value
    for token in (
        "NaN",
        "Infinity",
        "-Infinity",
        "nan",
        "inf",
        "01",
        "+1",
        ".5",
        "5.",
        "1e",
        "0x1",
    ):
        yield f"number {token}", Reason.NOT_JSON, record(data={"amount": raw(token)})
        yield f"number {token} in an unknown field", Reason.NOT_JSON, record(data={"u": raw(token)})
    for name, text in {
        "lone high": SURROGATE,
        "lone low": "\\udc00",
        "high then letter": SURROGATE + "a",
        "high then escape": SURROGATE + "\\u0041",
        "two high": SURROGATE * 2,
        "swapped": "\\udc00" + SURROGATE,
        "unknown escape": "\\x41",
        "short escape": "\\u12",
    }.items():
        yield f"{name} in a field", Reason.NOT_JSON, record(data={"rep": raw(f'"{text}"')})
        yield f"{name} in an unknown field", Reason.NOT_JSON, record(u=raw(f'"{text}"'))
    yield "lone surrogate in a key", Reason.NOT_JSON, GOOD.replace(b"deal_id", SURROGATE.encode())
    yield (
        "lone surrogate beside an integer of 5000 digits",
        Reason.NOT_JSON,
        record(u=raw("1" * 5000), w=raw(f'"{SURROGATE}"')),
    )
    yield (
        "lone surrogate in a key beside an integer of 5000 digits",
        Reason.NOT_JSON,
        record(u=raw(f'{{"{SURROGATE}":{"1" * 5000}}}')),
    )
    yield (
        "NaN beside an integer of 5000 digits",
        Reason.NOT_JSON,
        record(u=raw("1" * 5000), w=raw("NaN")),
    )
    yield (
        "invalid UTF-8 beside an integer of 5000 digits",
        Reason.NOT_JSON,
        record(u=raw("1" * 5000), w="@").replace(b"@", b"\xff"),
    )
    yield "truncated after 5000 digits", Reason.NOT_JSON, b'{"u":' + b"1" * 5000
    yield "an integer of 5000 digits with a zero before", Reason.NOT_JSON, b"0" + b"1" * 5000
    for name, spoiled in {
        "stray byte": b"\xff",
        "Latin-1": b"\xe9t\xe9",
        "cut sequence": b"\xe2\x82",
        "overlong": b"\xc0\x80",
        "encoded surrogate": b"\xed\xa0\x80",
        "beyond Unicode": b"\xf4\x90\x80\x80",
    }.items():
        yield (
            f"{name} in a field",
            Reason.NOT_JSON,
            record(data={"rep": "@"}).replace(b"@", spoiled),
        )
        yield f"{name} unknown", Reason.NOT_JSON, record(data={"u": "@"}).replace(b"@", spoiled)
        yield f"{name} in a key", Reason.NOT_JSON, GOOD.replace(b"deal_id", spoiled)
    for control in ("\x00", "\n", "\x1f"):
        text = f'"a{control}b"'
        yield f"unescaped {control!r}", Reason.NOT_JSON, record(data={"rep": raw(text)})
    for depth in (513, 1_000, 10_000, 100_000):
        yield f"{depth} lists", Reason.NOT_JSON, b"[" * depth + b"]" * depth
        yield f"{depth} lists, unclosed", Reason.NOT_JSON, b"[" * depth
        yield f"{depth} objects", Reason.NOT_JSON, b'{"a":' * depth + b"1" + b"}" * depth
    nested = "[" * 600 + "]" * 600
    yield "600 lists in an unknown field", Reason.NOT_JSON, record(data={"u": raw(nested)})
