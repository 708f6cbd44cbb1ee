"""What a formula is made of, and how it is evaluated: exactly, on integers and fractions.

A node's *scale* says how many decimals its integers carry (minor units of the business currency:
2 for EUR; declared measures: 4). It is known when the formula is parsed, so amounts stay integers
until the very end.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple, Protocol

from stream_app.domain.windows import Range, Window

Exact = int | Fraction
Number = int | float | Decimal


class Totals(Protocol):
    """What a formula reads of one scope."""

    def flow(self, name: str, over: Range) -> int:
        """A flow's total over a range."""

    def stock_at_start(self, name: str, over: Range) -> int:
        """A stock just before a range."""

    def stock_at_end(self, name: str, over: Range) -> int:
        """A stock at the end of a range."""


class Sides(NamedTuple):
    """The ranges that one evaluation reads; None: nothing there to compare with."""

    value: Range | None
    compared: Range | None
    previous: Range | None
    last_year: Range | None

    @classmethod
    def of(cls, window: Window) -> "Sides":
        """The window itself."""
        return cls(window.range, window.compared, window.previous, window.last_year)

    @classmethod
    def one_step_earlier(cls, window: Window) -> "Sides":
        """What the record's `previous` is computed over."""
        earlier = window.previous
        return cls(earlier, earlier, window.before_previous, window.previous_last_year)


class Result(NamedTuple):
    """A formula's value; `numerator` and `denominator` of its outermost quotient, else None."""

    value: Number | None
    numerator: Number | None
    denominator: Number | None


@dataclass(frozen=True, slots=True)
class Node:
    """One operation with its operands.

    Attributes:
        scale: decimals of its integers.
        depth: how many operations are inside each other.
        quotient: numerator and denominator, where the operation is a division.
    """

    evaluate: "Callable[[Totals, Sides, Range | None], Exact | None]"
    scale: int
    depth: int = 1
    quotient: "tuple[Node, Node] | None" = None


@dataclass(frozen=True, slots=True)
class Formula:
    """A parsed formula.

    Attributes:
        text: as it was written.
        measures: the measures it reads, those of other KPIs it names included.
        compares: it says `previous` or `last_year`, so that a running window is cut.
        reads_levels: it reads a stock, so that it does not exist for `hour`.
    """

    text: str
    measures: frozenset[str]
    compares: bool
    reads_levels: bool
    root: Node

    def evaluate(self, totals: Totals, sides: Sides) -> Result:
        """The value over one window of one scope."""
        over = sides.compared if self.compares else sides.value
        root = self.root
        if root.quotient is None:
            value = root.evaluate(totals, sides, over)
            return Result(as_number(value, root.scale), None, None)
        top, bottom = root.quotient
        numerator = top.evaluate(totals, sides, over)
        denominator = bottom.evaluate(totals, sides, over)
        quotient = None
        if numerator is not None and denominator:
            quotient = Fraction(numerator) / denominator
        return Result(
            as_number(quotient, root.scale),
            as_number(numerator, top.scale),
            as_number(denominator, bottom.scale),
        )


def constant(value: int, scale: int) -> Node:
    """A number that the formula says itself."""
    return Node(lambda _totals, _sides, _over: value, scale)


def flow(name: str, scale: int) -> Node:
    """A flow over the range asked for."""

    def evaluate(totals: Totals, _sides: Sides, over: Range | None) -> Exact | None:
        return None if over is None else totals.flow(name, over)

    return Node(evaluate, scale)


def level(name: str, scale: int, *, at_end: bool) -> Node:
    """A stock before or at the end of the range asked for."""

    def evaluate(totals: Totals, _sides: Sides, over: Range | None) -> Exact | None:
        if over is None:
            return None
        return totals.stock_at_end(name, over) if at_end else totals.stock_at_start(name, over)

    return Node(evaluate, scale)


def compared(node: Node, *, previous: bool) -> Node:
    """What the node says one step, or a year, earlier."""

    def evaluate(totals: Totals, sides: Sides, _over: Range | None) -> Exact | None:
        return node.evaluate(totals, sides, sides.previous if previous else sides.last_year)

    return Node(evaluate, node.scale, node.depth + 1)


def added(left: Node, right: Node, sign: int) -> Node:
    """The sum, or with `sign` -1 the difference."""
    scale = max(left.scale, right.scale)
    lift_left, lift_right = 10 ** (scale - left.scale), sign * 10 ** (scale - right.scale)

    def evaluate(totals: Totals, sides: Sides, over: Range | None) -> Exact | None:
        a, b = left.evaluate(totals, sides, over), right.evaluate(totals, sides, over)
        return None if a is None or b is None else a * lift_left + b * lift_right

    return Node(evaluate, scale, _depth(left, right))


def multiplied(left: Node, right: Node) -> Node:
    """The product."""

    def evaluate(totals: Totals, sides: Sides, over: Range | None) -> Exact | None:
        a, b = left.evaluate(totals, sides, over), right.evaluate(totals, sides, over)
        return None if a is None or b is None else a * b

    return Node(evaluate, left.scale + right.scale, _depth(left, right))


def divided(left: Node, right: Node) -> Node:
    """The quotient; null where the divisor is 0."""

    def evaluate(totals: Totals, sides: Sides, over: Range | None) -> Exact | None:
        a, b = left.evaluate(totals, sides, over), right.evaluate(totals, sides, over)
        return None if a is None or not b else Fraction(a) / b

    return Node(evaluate, left.scale - right.scale, _depth(left, right), (left, right))


def _depth(left: Node, right: Node) -> int:
    return 1 + max(left.depth, right.depth)


def as_number(value: Exact | None, scale: int) -> Number | None:
    """An exact value as a JSON number: integers and money stay exact, quotients become floats."""
    if value is None:
        return None
    if isinstance(value, Fraction) and value.denominator == 1:
        value = value.numerator
    power = int(10 ** abs(scale))
    if isinstance(value, int):
        if scale <= 0:
            return value * power
        whole, rest = divmod(value, power)
        return Decimal(f"{value}E-{scale}") if rest else whole  # exact, whatever the precision
    exact = value / power if scale >= 0 else value * power
    return exact.numerator if exact.denominator == 1 else exact.numerator / exact.denominator
