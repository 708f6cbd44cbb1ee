"""`kpi.values`: the latest value of every KPI, for other services (contract.md, section 4)."""

from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec

from stream_app.domain.evaluation import KpiValue
from stream_app.domain.formula import Number
from stream_app.domain.scopes import encode, split_scope
from stream_app.domain.targets import Standing

VERSION: Final = 1
_encoded_start: Final = lru_cache(maxsize=4_096)(encode)
_encode: Final = msgspec.json.Encoder(decimal_format="number").encode


class TargetSaid(NamedTuple):
    """How the value stands against one target.

    Attributes:
        value: what is asked; `attainment` and this are None where they cannot be said.
        state: of the alert.
    """

    name: str
    value: Number | None
    attainment: float | None
    state: str


class Said(NamedTuple):
    """What a record says, without its times and revision: it is published when this changed."""

    kpi: str
    window: str
    start: str
    end: str
    complete: bool
    dimension: str
    member: str
    value: Number | None
    unit: str
    numerator: Number | None
    denominator: Number | None
    previous: Number | None
    targets: tuple[TargetSaid, ...] = ()


def said(value: KpiValue, targets: tuple[TargetSaid, ...] = ()) -> Said:
    """What the record of a KPI value says."""
    dimension, member = split_scope(value.scope)
    return Said(
        kpi=value.kpi.name,
        window=value.window.kind,
        start=value.window.start,
        end=value.window.end,
        complete=value.window.complete,
        dimension=dimension,
        member=member,
        value=value.value,
        unit=value.kpi.definition.unit,
        numerator=value.numerator,
        denominator=value.denominator,
        previous=value.previous,
        targets=targets,
    )


def target_said(standing: Standing, state: str) -> TargetSaid:
    """What a record says of a target."""
    return TargetSaid(standing.goal.name, standing.threshold, standing.attainment, state)


def value_key(kpi: str, window: str, start_key: str, scope: str) -> bytes:
    """The key `kpi|window|start|dimension|member`; a moving window's start is `now`."""
    return f"{kpi}|{window}|{_encoded_start(start_key)}|{scope}".encode()


def encode_value(record: Said, *, event_time: str, published_at: str, revision: int) -> bytes:
    """The record's JSON."""
    body: dict[str, Any] = {"v": VERSION, **record._asdict()}
    body["targets"] = [target._asdict() for target in record.targets]
    body["event_time"] = event_time
    body["published_at"] = published_at
    body["revision"] = revision
    return _encode(body)
