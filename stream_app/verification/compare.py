"""Where `kpi.values` differs from what the log says (pure)."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

import msgspec

from stream_app.domain.scopes import COMPANY
from stream_app.wire.published import Published, PublishedTarget, decode_published
from stream_app.wire.value import Said, TargetSaid

_COMPARED: Final = tuple(part for part in Said._fields if part != "targets")
STATES_BETWEEN: Final = "|"
"""Between the states that a target may have: what came before the present decides among them."""
_RELATIVE_ERROR: Final = 1e-12  # a float of a quotient, written and read
_NOTHING: Final = (None, 0)


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not what the log says.

    Attributes:
        key: what it is about: a record's key, a partition, coordinates, a series.
        field: of it; `record`, `letter` or `series` where the whole of it should (not) be there.
        expected: by the log; None: nothing.
        found: None: nothing.
    """

    key: str
    field: str
    expected: object
    found: object

    def __str__(self) -> str:
        if self.found is None and self.expected is not None:
            return f"{self.key}: {self.field} is missing, the log says {shown(self.expected)}"
        if self.expected is None and self.field in {"record", "letter", "series"}:
            return f"{self.key}: {self.field} should not exist, found {shown(self.found)}"
        return (
            f"{self.key}: {self.field} is {shown(self.found)}, the log says {shown(self.expected)}"
        )


def shown(value: object) -> str:
    """A value as JSON would show it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


@dataclass(slots=True)
class Comparison:
    """One comparison of everything.

    Attributes:
        records: how many must stand.
        by_key: key → its differences.
        wanted: key → what its record must say, for keys with differences.
    """

    records: int = 0
    by_key: dict[bytes, tuple[Difference, ...]] = field(default_factory=dict)
    wanted: dict[bytes, Said] = field(default_factory=dict)


def compare_values(
    expected: Iterable[tuple[bytes, Said]], found: Mapping[bytes, bytes]
) -> Comparison:
    """All differences between what must stand in `kpi.values` and what does.

    Args:
        expected: key → what the record must say; each key once.
        found: key → the value that stands in the topic.
    """
    comparison = Comparison()
    left = set(found)
    for key, want in expected:
        comparison.records += 1
        raw = found.get(key)
        left.discard(key)
        differing = tuple(record_differences(key, want, raw))
        if differing:
            comparison.by_key[key] = differing
            comparison.wanted[key] = want
    for key in sorted(left):
        if differing := tuple(_surplus(key, found[key])):
            comparison.by_key[key] = differing
    return comparison


def record_differences(key: bytes, want: Said, raw: bytes | None) -> Iterator[Difference]:
    """The differences between one record, or none, and what it must say."""
    name = key.decode()
    if raw is None:
        yield Difference(name, "record", _summary(want), None)
        return
    try:
        got = decode_published(raw)
    except msgspec.DecodeError as error:
        yield Difference(name, "record", _summary(want), f"not a value of a KPI: {error}")
        return
    for part in _COMPARED:
        must, does = getattr(want, part), getattr(got, part)
        if not equal(must, does):
            yield Difference(name, part, must, does)
    yield from _target_differences(name, want.targets, got.targets)


def _target_differences(
    name: str, want: Sequence[TargetSaid], got: Sequence[PublishedTarget]
) -> Iterator[Difference]:
    must, does = [target.name for target in want], [target.name for target in got]
    if must != does:
        yield Difference(name, "targets", ", ".join(must), ", ".join(does))
        return
    for wanted, found in zip(want, got, strict=True):
        for part in ("value", "attainment"):
            if not equal(getattr(wanted, part), getattr(found, part)):
                field_name = f"targets.{wanted.name}.{part}"
                yield Difference(name, field_name, getattr(wanted, part), getattr(found, part))
        if found.state not in wanted.state.split(STATES_BETWEEN):
            yield Difference(name, f"targets.{wanted.name}.state", wanted.state, found.state)


def _surplus(key: bytes, raw: bytes) -> Iterator[Difference]:
    """A record that nothing in the log asks for."""
    name = key.decode(errors="replace")
    try:
        got = decode_published(raw)
    except msgspec.DecodeError as error:
        yield Difference(name, "record", None, f"not a value of a KPI: {error}")
        return
    # Once the company has counted anything it says 0 for ever; absent means 0, too (section 4).
    if key.endswith(COMPANY.encode()) and says_nothing(got):
        return
    yield Difference(name, "record", None, f"value {shown(got.value)}")


def says_nothing(record: Published) -> bool:
    """Whether it says no more than an absent record would."""
    told = (record.value, record.numerator, record.denominator, record.previous)
    return all(number in _NOTHING for number in told)


def equal(one: object, other: object) -> bool:
    """Whether two JSON values are the same: exactly, but for the last digits of floats."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, float) or isinstance(other, float):
        numbers = isinstance(one, int | float | Decimal) and isinstance(
            other, int | float | Decimal
        )
        return numbers and math.isclose(one, other, rel_tol=_RELATIVE_ERROR)  # type: ignore[arg-type]
    return one == other


def _summary(said: Said) -> str:
    return f"value {shown(said.value)}"
