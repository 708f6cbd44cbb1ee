"""A record of `crm.events` → an accepted event, a dead letter's reason, or neither of ours.

Pure: the same bytes, timestamp and rules give the same result on every machine and day. What
exactly is accepted is contract.md, sections 2 and 3 (rules 8 and 9 and the fine print).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self, TypeGuard, TypeVar

from stream_app.config.model import Config
from stream_app.domain.events import Event
from stream_app.wire import document
from stream_app.wire.digest import digest
from stream_app.wire.reasons import Ignored, Reason, Refused, Rejection, first_of
from stream_app.wire.shapes import Shape, shapes
from stream_app.wire.timestamps import MAX_INSTANT_US, MIN_INSTANT_US
from stream_app.wire.values import (
    MAX_STRING_CHARACTERS,
    identifier,
    instant,
    sequence,
    text,
    wrong,
)

__all__ = ["Ignored", "Reason", "Rejection", "Rules", "decode"]

_OUR_PREFIX: Final = "crm."
_SECOND_US: Final = 1_000_000
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The part of the configuration that decides what is accepted.

    Attributes:
        dimensions: declared dimensions; the standard ones are known without being listed.
        currencies: currencies with a rate; the business currency is known without being listed.
        measures: declared measures.
        max_future_us: how far an event may lie after its record's timestamp, inclusive.
        retention_us: how far an event may lie before its record's timestamp, inclusive.
    """

    dimensions: frozenset[str]
    currencies: frozenset[str]
    business_currency: str
    measures: frozenset[str]
    max_future_us: int
    retention_us: int
    shapes: Mapping[str, Shape] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        currencies = self.currencies | {self.business_currency}
        table = shapes(self.dimensions, currencies, self.measures)
        object.__setattr__(self, "shapes", table)

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """The rules of a validated configuration."""
        return cls(
            dimensions=frozenset(name for split in config.dimensions for name in split)
            | frozenset(config.credit),
            currencies=frozenset(config.currencies),
            business_currency=config.business.currency,
            measures=frozenset(config.measures),
            max_future_us=config.business.max_future_us,
            retention_us=config.business.retention_us,
        )


def decode(
    key: bytes | None, value: bytes | None, timestamp_ms: int, rules: Rules
) -> Event | Rejection | Ignored:
    """Decide what a record is.

    Args:
        key: the Kafka key, opaque; only its absence matters.
        value: the record's value as it was read.
        timestamp_ms: the record's timestamp, milliseconds since 1970.
        rules: what the configuration makes known.

    Returns:
        The normalised event; or the reason of its dead letter, the contract's first that applies;
        or `Ignored` for a type outside `crm.`, whatever else is wrong with it.
    """
    try:
        return _decided(key, value, timestamp_ms, rules)
    except Refused as fault:
        return fault.rejection()
    except RecursionError:  # only where the caller has used up half of Python's stack
        return document.too_deep().rejection()


def _decided(
    key: bytes | None, value: bytes | None, timestamp_ms: int, rules: Rules
) -> Event | Ignored:
    envelope = document.read(value)
    if type(envelope) is not dict:
        raise wrong(envelope, "a JSON object").below("the value")
    type_name = envelope.get("type")
    shape = rules.shapes.get(type_name) if type(type_name) is str else None
    if shape is None and type(type_name) is str and _is_foreign(type_name):
        return Ignored(type_name)
    time_us, order, source, event_id = _attributes(envelope)
    data = envelope.get("data")
    if type(data) is not dict:
        raise wrong(data, "an object").below("data")
    if shape is None:
        _attribute(envelope, "type", text)
        raise Refused(Reason.UNKNOWN_TYPE, f"expected one of {', '.join(rules.shapes)}", "type")
    known, later = _known_fields(data, shape)
    if not key:
        raise Refused(Reason.MISSING_KEY, "the record has no key, expected the key of the entity")
    if later is not None:
        raise later
    _refuse_strange_time(time_us, timestamp_ms * 1000, rules)
    fingerprint = digest(shape.type, time_us, data)
    return Event(shape.type, time_us, order, source, event_id, fingerprint, known)


def _is_foreign(type_name: str) -> bool:
    return type_name != "" and not type_name.startswith(_OUR_PREFIX)


def _attributes(envelope: Mapping[str, Any]) -> tuple[int, int | None, str, str]:
    """Time, sequence, source and id of a CloudEvent."""
    if envelope.get("specversion") != "1.0":
        raise Refused(Reason.SCHEMA, 'expected the string "1.0"', "specversion")
    source, event_id = envelope.get("source"), envelope.get("id")
    if not _is_plain_text(source):
        source = _attribute(envelope, "source", text)
    if not _is_plain_text(event_id):
        event_id = _attribute(envelope, "id", identifier)
    time_us = _attribute(envelope, "time", instant)
    if "partitionkey" in envelope and not _is_silent(envelope["partitionkey"]):
        _attribute(envelope, "partitionkey", identifier)
    order = None
    if "sequence" in envelope and not _is_silent(envelope["sequence"]):
        order = _attribute(envelope, "sequence", sequence)
    return time_us, order, source, event_id


def _attribute(envelope: Mapping[str, Any], name: str, check: Callable[[Any], _Value]) -> _Value:
    value = envelope.get(name)
    if _is_silent(value):
        raise _unsaid(name)
    try:
        return check(value)
    except Refused as fault:
        raise fault.below(name) from None


def _is_silent(value: object) -> bool:
    """Whether a value says nothing: null, and `""` which is read as null."""
    return value is None or value == ""


def _is_plain_text(value: object) -> TypeGuard[str]:
    """Whether `text` would return the value as it is: a quick yes, no definite no."""
    return type(value) is str and 0 < len(value) <= MAX_STRING_CHARACTERS and value.isprintable()


def _known_fields(data: Mapping[str, Any], shape: Shape) -> tuple[dict[str, Any], Refused | None]:
    """The known fields, normalised, and the first fault that is less than `schema`."""
    checks = shape.checks
    known: dict[str, Any] = {}
    later: Refused | None = None
    for name, value in data.items():
        check = checks.get(name)
        if check is None:
            continue
        if value is None or value == "":
            known[name] = None
        elif (
            (check is text or check is identifier)  # the common case, without the call
            and type(value) is str
            and len(value) <= MAX_STRING_CHARACTERS
            and value.isprintable()
        ):
            known[name] = value
        else:
            try:
                known[name] = check(value)
            except Refused as fault:
                refused = fault.below(f"data.{name}")
                if refused.reason is Reason.SCHEMA:
                    raise refused from None
                later = first_of(later, refused)
                known[name] = value  # it does say something
    for name in shape.required:
        if known.get(name) is None:
            raise _unsaid(f"data.{name}")
    if shape.finish is not None:
        shape.finish(known)
    return known, later


def _unsaid(path: str) -> Refused:
    return Refused(Reason.SCHEMA, 'is absent, null or "", but required', path)


def _refuse_strange_time(time_us: int, record_us: int, rules: Rules) -> None:
    ahead_us = time_us - record_us
    # The second comparison protects the fold's calendar from an absurd timestamp of the record.
    if ahead_us > rules.max_future_us or time_us > MAX_INSTANT_US:
        raise Refused(
            Reason.FUTURE,
            f"is {ahead_us // _SECOND_US} s after the record's timestamp, "
            f"at most {rules.max_future_us // _SECOND_US} s allowed",
            "time",
        )
    if -ahead_us > rules.retention_us or time_us < MIN_INSTANT_US:
        raise Refused(
            Reason.TOO_OLD,
            f"is {-ahead_us // _SECOND_US} s before the record's timestamp, "
            f"at most {rules.retention_us // _SECOND_US} s allowed",
            "time",
        )
