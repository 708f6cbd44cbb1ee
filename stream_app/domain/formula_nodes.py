"""What a formula is made of, and how it is evaluated: exactly, on integers and fractions.

A node's *scale* says how many decimals its integers carry (minor units of the business currency:
2 for EUR; declared measures: 4). It is known when the formula is parsed, so amounts stay integers
until the very end.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Final, Literal

from stream_app.domain.views import Exact, Number, Place, Reading, Result, Sides, View

Operator = Literal[">", ">=", "!="]
OPERATORS: Final[Mapping[str, Operator]] = {">": ">", ">=": ">=", "!=": "!="}

Evaluate = Callable[[Sides, View | None], Exact | None]


@dataclass(frozen=True, slots=True)
class Node:
    """One operation with its operands.

    Attributes:
        scale: decimals of its integers.
        depth: how many operations are inside each other.
        quotient: numerator and denominator, where the operation is a division.
    """

    evaluate: Evaluate
    scale: int
    depth: int = 1
    quotient: "tuple[Node, Node] | None" = None


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold for a formula to have a value: `difference` compared with 0."""

    difference: Node
    operator: Operator

    def holds(self, sides: Sides, view: View | None) -> bool:
        """Whether it does; not where an operand is null."""
        value = self.difference.evaluate(sides, view)
        if value is None:
            return False
        if self.operator == "!=":
            return value != 0
        return value > 0 or (value == 0 and self.operator == ">=")


@dataclass(frozen=True, slots=True)
class Formula:
    """A parsed formula.

    Attributes:
        text: as it was written.
        measures: the names of those it reads, those of other KPIs it names included.
        touched: the same by the place where one must be other than zero to make a record exist.
        compares: it says `previous` or `last_year`, so that a running window is cut.
        reads_levels: it reads a stock, so that it does not exist for `hour`.
        reads_whole: it looks ahead to the end of the window, so that it does not exist for `hour`.
        as_of_now: it reads an age, so that it exists in the running `day` and has no earlier value.
        asks: totals whose targets it reads: without one there is no record.
        condition: what must hold, else the value is null.
    """

    text: str
    measures: frozenset[str]
    touched: Mapping[Place, frozenset[str]] = field(hash=False)
    compares: bool
    reads_levels: bool
    reads_whole: bool
    as_of_now: bool
    asks: frozenset[str]
    root: Node
    condition: Condition | None = None

    def evaluate(self, sides: Sides) -> Result:
        """The value over one window of one scope."""
        view = sides.compared if self.compares else sides.value
        root = self.root
        holds = self.condition is None or self.condition.holds(sides, view)
        if root.quotient is None:
            value = root.evaluate(sides, view) if holds else None
            return Result(as_number(value, root.scale), None, None)
        top, bottom = root.quotient
        numerator, denominator = top.evaluate(sides, view), bottom.evaluate(sides, view)
        quotient = None
        if holds and numerator is not None and denominator:
            quotient = _quotient(numerator, denominator, root.scale)
        return Result(
            quotient,
            as_number(numerator, top.scale),
            as_number(denominator, bottom.scale),
        )

    def as_operand(self) -> Node:
        """The formula inside another one: null where its condition does not hold."""
        root, condition = self.root, self.condition
        if condition is None:
            return root

        def evaluate(sides: Sides, view: View | None) -> Exact | None:
            return root.evaluate(sides, view) if condition.holds(sides, view) else None

        return Node(evaluate, root.scale, root.depth + 1)


def constant(value: int, scale: int) -> Node:
    """A number that the formula says itself."""
    return Node(lambda _sides, _view: value, scale)


def operand(reading: Reading, scale: int) -> Node:
    """A measure over the range asked for."""

    def evaluate(_sides: Sides, view: View | None) -> Exact | None:
        return None if view is None else view.read(reading)

    return Node(evaluate, scale)


def compared(node: Node, *, previous: bool) -> Node:
    """What the node says one step, or a year, earlier."""

    def evaluate(sides: Sides, _view: View | None) -> Exact | None:
        return node.evaluate(sides, sides.previous if previous else sides.last_year)

    return Node(evaluate, node.scale, node.depth + 1)


def whole(node: Node) -> Node:
    """What the node says over the whole window, its days to come included."""

    def evaluate(sides: Sides, view: View | None) -> Exact | None:
        return None if view is None else node.evaluate(sides, view.whole)

    return Node(evaluate, node.scale, node.depth + 1)


def added(left: Node, right: Node, sign: int) -> Node:
    """The sum, or with `sign` -1 the difference."""
    scale = max(left.scale, right.scale)
    lift_left, lift_right = 10 ** (scale - left.scale), sign * 10 ** (scale - right.scale)

    def evaluate(sides: Sides, view: View | None) -> Exact | None:
        a, b = left.evaluate(sides, view), right.evaluate(sides, view)
        return None if a is None or b is None else a * lift_left + b * lift_right

    return Node(evaluate, scale, _depth(left, right))


def multiplied(left: Node, right: Node) -> Node:
    """The product."""

    def evaluate(sides: Sides, view: View | None) -> Exact | None:
        a, b = left.evaluate(sides, view), right.evaluate(sides, view)
        return None if a is None or b is None else a * b

    return Node(evaluate, left.scale + right.scale, _depth(left, right))


def divided(left: Node, right: Node) -> Node:
    """The quotient; null where the divisor is 0."""

    def evaluate(sides: Sides, view: View | None) -> Exact | None:
        a, b = left.evaluate(sides, view), right.evaluate(sides, view)
        return None if a is None or not b else Fraction(a) / b

    return Node(evaluate, left.scale - right.scale, _depth(left, right), (left, right))


def inverse(node: Node, limit: Fraction) -> Node:
    """1 / x, at most `limit`; that too where x is 0."""

    def evaluate(sides: Sides, view: View | None) -> Exact | None:
        value = node.evaluate(sides, view)
        if value is None:
            return None
        lifted = value * Fraction(10) ** -node.scale
        return limit if lifted == 0 else min(limit, 1 / lifted)

    return Node(evaluate, 0, node.depth + 1)


def _depth(left: Node, right: Node) -> int:
    return 1 + max(left.depth, right.depth)


def _quotient(numerator: Exact, denominator: Exact, scale: int) -> Number:
    """What `as_number` makes of the quotient; of integers, without a fraction in between."""
    if isinstance(numerator, Fraction) or isinstance(denominator, Fraction):
        return as_number(Fraction(numerator) / denominator, scale) or 0
    if scale > 0:
        denominator *= int(10**scale)
    elif scale < 0:
        numerator *= int(10**-scale)
    whole, rest = divmod(numerator, denominator)
    return numerator / denominator if rest else whole


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
        integer, rest = divmod(value, power)
        return Decimal(f"{value}E-{scale}") if rest else integer  # exact, whatever the precision
    exact = value / power if scale >= 0 else value * power
    return exact.numerator if exact.denominator == 1 else exact.numerator / exact.denominator
