"""Bytes → JSON document, strictly, exactly and at bounded cost.

msgspec reads nearly everything; the standard library only those documents whose integers are too
long for it, to tell valid JSON with an absurd number from what is no JSON at all.
"""

import json
import re
from typing import Any, Final

import msgspec

from stream_app.wire.numbers import Number
from stream_app.wire.reasons import Reason, Refused

MAX_VALUE_BYTES: Final = 1_048_576
MAX_NESTING: Final = 512
"""Objects and lists inside each other. msgspec itself gives up where Python's stack ends, which
depends on who calls; a record must not be accepted by one worker and refused by the next."""

_PLAIN_INT_DIGITS: Final = 300
_STRINGS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_NOT_BRACKETS: Final = bytes(byte for byte in range(256) if byte not in b"[]{}")

_decode: Final = msgspec.json.Decoder(float_hook=Number).decode
_encode: Final = msgspec.json.Encoder().encode


def read(value: bytes | None) -> Any:
    """A record's value as a JSON document.

    Returns:
        dict, list, str, bool, None, int, or `Number` for what has a point, an exponent or very
        many digits. Of duplicate keys the last counts.

    Raises:
        Refused: `too_large` or `not_json`.
    """
    if value is None:
        raise Refused(Reason.NOT_JSON, "the value is null, expected a JSON object")
    if len(value) > MAX_VALUE_BYTES:
        raise Refused(
            Reason.TOO_LARGE, f"the value has {len(value)} bytes, at most {MAX_VALUE_BYTES} allowed"
        )
    if len(value) > MAX_NESTING and _nests_too_deep(value):
        raise too_deep()
    try:
        return _decode(value)
    except UnicodeDecodeError:
        raise _not_utf8() from None
    except RecursionError:
        raise too_deep() from None
    except (msgspec.ValidationError, ValueError):  # an integer of thousands of digits
        return _read_long_numbers(value)
    except msgspec.DecodeError as error:
        raise _malformed(str(error)) from None


def _nests_too_deep(value: bytes) -> bool:
    if value.count(b"[") + value.count(b"{") <= MAX_NESTING:
        return False
    depth = 0
    for byte in _STRINGS.sub(b"", value).translate(None, _NOT_BRACKETS):
        if byte in b"[{":
            depth += 1
            if depth > MAX_NESTING:
                return True
        else:
            depth -= 1
    return False


def _read_long_numbers(value: bytes) -> Any:
    try:
        document = json.loads(
            value.decode(),
            parse_int=_integer,
            parse_float=Number,
            parse_constant=_refuse_constant,
        )
        _encode(document)  # finds lone surrogates, which the standard library lets pass
    except json.JSONDecodeError as error:
        raise _malformed(f"{error.msg} (character {error.pos})") from None
    except UnicodeError:
        raise _not_utf8() from None
    except RecursionError:
        raise too_deep() from None
    return document


def _integer(text: str) -> int | Number:
    return int(text) if len(text) <= _PLAIN_INT_DIGITS else Number(text)


def _refuse_constant(_: str) -> None:
    raise _malformed("NaN and Infinity are no JSON")


def _malformed(why: str) -> Refused:
    return Refused(Reason.NOT_JSON, f"the value is not JSON: {why}")


def _not_utf8() -> Refused:
    return Refused(Reason.NOT_JSON, "the value is not JSON: invalid UTF-8 or a lone surrogate")


def too_deep() -> Refused:
    """The fault of a document that nests deeper than allowed."""
    return Refused(Reason.NOT_JSON, f"the value nests deeper than {MAX_NESTING} levels")
