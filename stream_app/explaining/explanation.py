"""An explanation: what makes up a value, side by side, and what restated it (pure)."""

from dataclasses import dataclass
from decimal import Decimal

from stream_app.domain.evaluation import KpiValue
from stream_app.domain.kpi import Kpi
from stream_app.domain.windows import Window
from stream_app.explaining.trace import Cause, Unit

Amount = int | float | Decimal


@dataclass(frozen=True, slots=True)
class Share:
    """What one unit adds to one part of a side.

    Attributes:
        at_us: when what is counted happened.
        own: what was said, by currency (empty: a plain number), in major units.
        adds: the same in the business currency, or the plain number.
        rates: one unit of each foreign currency in the business currency; several where the days
            of the unit had several.
        chance: the probability that it is weighted with.
        cause: the event that made it what it is.
    """

    unit: Unit
    at_us: int
    own: tuple[tuple[str, Amount], ...]
    adds: Amount
    rates: tuple[tuple[str, Decimal], ...]
    chance: Decimal | None
    cause: Cause


@dataclass(frozen=True, slots=True)
class Part:
    """One measure over one range.

    Attributes:
        how: `in`, `at the start of`, `at the end of`: what is read of the range.
        first: first day of the range as a date, or an instant; `last` is the last one.
        total: what the formula reads; None where the answer is no sum.
        rounding: total less the sum of what the units add: money is rounded once per day and
            currency, not per unit.
    """

    measure: str
    how: str
    first: str
    last: str
    is_money: bool
    total: Amount | None
    shares: tuple[Share, ...]
    rounding: Amount


@dataclass(frozen=True, slots=True)
class Side:
    """The numerator, the denominator, or the whole value; `amount` is what it comes to."""

    name: str
    amount: Amount | None
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Shift:
    """What an event made of a unit's contribution, in major units of `currency` (empty: plain)."""

    unit: Unit
    measure: str
    currency: str
    before: Amount
    after: Amount


@dataclass(frozen=True, slots=True)
class Restated:
    """An event that changed what had been counted, or came after the window was over (`late`)."""

    cause: Cause
    late: bool
    shifts: tuple[Shift, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A value and why it is what it is.

    Attributes:
        said: what the log says: the formula over nothing but the listed shares.
        differences: between that and what is published, one text each; empty: they are equal.
        found: what `kpi.values` has, None: nothing.
    """

    kpi: Kpi
    window: Window
    scope: str
    said: KpiValue
    sides: tuple[Side, ...]
    restatements: tuple[Restated, ...]
    restated: int
    newest_us: int
    records: int
    differences: tuple[str, ...] = ()
    found: bool = True

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all makes it up."""
        return not any(part.shares for side in self.sides for part in side.parts)
