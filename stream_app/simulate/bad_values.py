"""Ways to spoil an event, by the reason a worker must give (contract.md, section 3, rule 9).

Each way takes a valid `crm.deal.created.v1` as JSON values (its own to change), the instant of its
record, and the source of chance; it returns the record's bytes. Only what the contract decides
without doubt is here: a way on which two careful readers could differ would prove nothing.
"""

from collections.abc import Callable
from random import Random
from typing import Any, Final

import msgspec

from stream_app.simulate.spelling import time_text

Spoil = Callable[[dict[str, Any], int, Random], bytes | None]

_DAY_MS: Final = 86_400_000
_MEBIBYTE: Final = 1024 * 1024
_encode = msgspec.json.encode


def _raw(change: Callable[[bytes], bytes | None]) -> Spoil:
    """Spoil the encoded bytes."""
    return lambda event, _at_ms, _rng: change(_encode(event))


def _said(name: str, value: object) -> Spoil:
    """Set a field of `data`."""
    return lambda event, _at_ms, _rng: _encode({**event, "data": {**event["data"], name: value}})


def _attribute(name: str, value: object) -> Spoil:
    """Set a CloudEvents attribute."""
    return lambda event, _at_ms, _rng: _encode({**event, name: value})


def _without(name: str) -> Spoil:
    """Leave out a CloudEvents attribute."""
    return lambda event, _at_ms, _rng: _encode(
        {key: value for key, value in event.items() if key != name}
    )


def _of_type(type_: str, data: dict[str, object]) -> Spoil:
    """Be of another type, with other data."""
    return lambda event, _at_ms, _rng: _encode({**event, "type": type_, "data": data})


def _shifted(least_ms: int, most_ms: int) -> Spoil:
    """Lie so far from the record's timestamp."""

    def spoil(event: dict[str, Any], at_ms: int, rng: Random) -> bytes:
        shift_ms = least_ms + int(rng.random() * (most_ms - least_ms))
        return _encode({**event, "time": time_text(at_ms + shift_ms)})

    return spoil


def _padded(size: int) -> Spoil:
    """Be exactly so many bytes long, and valid otherwise."""

    def spoil(event: dict[str, Any], _at_ms: int, _rng: Random) -> bytes:
        bare = len(_encode({**event, "padding": ""}))
        return _encode({**event, "padding": "x" * (size - bare)})

    return spoil


def _survey(**fields: object) -> Spoil:
    """Be a survey with these fields."""
    return _of_type("crm.survey.submitted.v1", {"survey_id": "sim-bad", **fields})


def _same(event: dict[str, Any], _at_ms: int, _rng: Random) -> bytes:
    return _encode(event)


_NOT_JSON: Final[dict[str, Spoil]] = {
    "null": _raw(lambda _: None),
    "empty": _raw(lambda _: b""),
    "truncated": _raw(lambda json: json[: len(json) // 2]),
    "bom": _raw(lambda json: b"\xef\xbb\xbf" + json),
    "invalid_utf8": _raw(lambda json: json.replace(b"r-01", b"r-\xff1")),
    "lone_surrogate": _raw(lambda json: json.replace(b"r-01", b"r-\\ud83d")),
    "nan": _raw(lambda json: json.replace(b'"data":{', b'"data":{"note":NaN,')),
    "infinity": _raw(lambda json: json.replace(b'"data":{', b'"data":{"note":-Infinity,')),
    "deep": _raw(lambda _: b'{"data":' + b"[" * 20_000),
    "trailing": _raw(lambda json: json + b"}"),
    "two_documents": _raw(lambda json: json + b"\n" + json),
    "utf16": _raw(lambda json: json.decode().encode("utf-16-le")),
    "single_quotes": _raw(lambda _: b"{'specversion': '1.0'}"),
    "text": _raw(lambda _: b"deal won, 1.200 EUR"),
}
_SCHEMA: Final[dict[str, Spoil]] = {
    "array": _raw(lambda json: b"[" + json + b"]"),
    "number": _raw(lambda _: b"42"),
    "without_id": _without("id"),
    "empty_id": _attribute("id", ""),
    "without_source": _without("source"),
    "without_type": _without("type"),
    "without_time": _without("time"),
    "without_data": _without("data"),
    "without_specversion": _without("specversion"),
    "old_specversion": _attribute("specversion", "0.3"),
    "time_without_offset": _attribute("time", "2026-01-05T08:00:00"),
    "time_in_words": _attribute("time", "yesterday"),
    "data_is_a_list": _attribute("data", []),
    "without_deal_id": _attribute("data", {"rep": "r-01"}),
    "empty_deal_id": _said("deal_id", ""),
    "deal_id_is_a_list": _said("deal_id", ["d-1"]),
    "long_string": _said("campaign", "x" * 257),
    "control_character": _said("rep", "r-\x0701"),
    "rep_is_an_object": _said("rep", {"id": "r-01"}),
    "no_such_date": _said("expected_close_on", "2026-02-30"),
    "date_in_words": _said("expected_close_on", "soon"),
    "new_business_in_words": _said("new_business", "perhaps"),
    "lines_in_words": _said("lines", "core"),
    "stage_missing": _of_type("crm.deal.stage_changed.v1", {"deal_id": "sim-bad"}),
    "nps_off_scale": _survey(kind="nps", score=11),
    "csat_off_scale": _survey(kind="csat", score=0),
    "score_is_a_fraction": _survey(kind="nps", score=7.5),
    "unknown_kind": _survey(kind="ces", score=4),
}
_BAD_NUMBER: Final[dict[str, Spoil]] = {
    "comma": _said("amount", "12,50"),
    "words": _said("amount", "twelve"),
    "exponent_in_string": _said("amount", "1e3"),
    "sixteen_digits": _said("amount", "1234567890123456"),
    "five_decimals": _said("amount", "0.00001"),
    "five_decimals_as_number": _said("amount", 0.12345),
    "infinity": _said("amount", "Infinity"),
    "nan": _said("amount", "NaN"),
    "hexadecimal": _said("amount", "0x10"),
    "two_signs": _said("amount", "--1"),
    "cost": _said("cost", "1.2.3"),
    "line": _said("lines", [{"product_line": "core", "amount": "a lot"}]),
    "spend": _of_type("crm.spend.recorded.v1", {"spend_id": "sim-bad", "amount": "1 000"}),
}
_IGNORED: Final[dict[str, Spoil]] = {
    "other_organisation": _attribute("type", "org.example.heartbeat.v1"),
    "almost_crm": _attribute("type", "crmish.deal.created.v1"),
}
_TOO_LARGE: Final[dict[str, Spoil]] = {
    "by_one_byte": _padded(_MEBIBYTE + 1),
    "by_half": _padded(_MEBIBYTE * 3 // 2),
    "not_even_json": _raw(lambda _: b"x" * (_MEBIBYTE + 1000)),
}

IGNORED_WAYS: Final = _IGNORED
TOO_LARGE_WAYS: Final = _TOO_LARGE
BAD_WAYS: Final[dict[str, dict[str, Spoil]]] = {
    "not_json": _NOT_JSON,
    "schema": _SCHEMA,
    "unknown_type": {
        "no_such_event": _attribute("type", "crm.deal.exploded.v1"),
        "no_such_version": _attribute("type", "crm.deal.won.v2"),
        "without_version": _attribute("type", "crm.lead.created"),
    },
    "missing_key": {"null": _same},
    "bad_number": _BAD_NUMBER,
    "unknown_currency": {
        "test_code": _said("currency", "XTS"),
        "no_currency": _said("currency", "XXX"),
    },
    "unknown_measure": {
        "undeclared": _of_type(
            "crm.measure.recorded.v1", {"measure": "sim-undeclared", "value": "1"}
        ),
    },
    "future": {
        "minutes": _shifted(601_000, 3_600_000),
        "days": _shifted(_DAY_MS, 30 * _DAY_MS),
        "years": _shifted(365 * _DAY_MS, 3650 * _DAY_MS),
    },
    "too_old": {"decades": _shifted(-7_300 * _DAY_MS, -4_020 * _DAY_MS)},
}
"""Reason → name of the way → the way. `too_large` and `id_conflict` are not among them."""
