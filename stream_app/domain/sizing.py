"""How much a deal is worth, as a whole and by product line (contract.md, rule 6)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stream_app.domain.facts import Measures
from stream_app.domain.measures import measure_key
from stream_app.domain.money import to_minor
from stream_app.domain.rules import FoldRules

MONEY_FIELDS = frozenset({"amount", "cost", "currency", "lines"})
"""The attributes of a deal that its size is made of."""


@dataclass(frozen=True, slots=True)
class LineSize:
    """The money of all lines of one product line; `cost_minor` of those that say a cost.

    `costed_minor` is the amount of just those lines: only they enter a margin.
    """

    product_line: str | None
    amount_minor: int
    cost_minor: int | None
    costed_minor: int


@dataclass(frozen=True, slots=True)
class DealSize:
    """A deal's money in minor units of its currency.

    Attributes:
        amount_minor: what the deal says, else the sum of its lines, else 0.
        cost_minor: likewise; None when nothing says a cost.
        costed_minor: the amount that the cost belongs to.
        lines: one entry per product line; empty for a deal without lines.
    """

    currency: str
    amount_minor: int
    cost_minor: int | None
    costed_minor: int
    lines: tuple[LineSize, ...]

    @classmethod
    def of(cls, attributes: dict[str, Any], rules: FoldRules) -> "DealSize":
        """The size in force, from a deal's attributes."""
        currency: str = attributes.get("currency") or rules.currency
        exponent = rules.exponents[currency]
        amount_e4, cost_e4 = attributes.get("amount"), attributes.get("cost")
        amount = None if amount_e4 is None else to_minor(amount_e4, exponent)
        cost = None if cost_e4 is None else to_minor(cost_e4, exponent)
        said = attributes.get("lines")
        lines = _by_product_line(said, exponent) if said else ()
        if lines:
            if amount is None:
                amount = sum(line.amount_minor for line in lines)
            costs = [line.cost_minor for line in lines if line.cost_minor is not None]
            if cost is None and costs:
                cost = sum(costs)
        amount = amount or 0
        return cls(currency, amount, cost, amount if cost is not None else 0, lines)

    def per_line(
        self,
        measures: Callable[[LineSize], Measures],
    ) -> tuple[tuple[str | None, Measures], ...] | None:
        """What each product line counts, or None for a deal without lines."""
        if not self.lines:
            return None
        return tuple((line.product_line, measures(line)) for line in self.lines)

    def won_measures(self, part: "DealSize | LineSize") -> Measures:
        """What a win counts for the whole deal or for one of its lines."""
        currency = self.currency
        amount = part.amount_minor
        measures: Measures = (("deals_won", 1), (measure_key("revenue", currency), amount))
        if amount > 0:
            measures += (
                ("deals_won_sized", 1),
                (measure_key("revenue_sized", currency), amount),
            )
        if part.cost_minor is not None:
            measures += (
                (measure_key("cost", currency), part.cost_minor),
                (measure_key("revenue_costed", currency), part.costed_minor),
            )
        return measures


def _by_product_line(lines: list[list[Any]], exponent: int) -> tuple[LineSize, ...]:
    sums: dict[str | None, LineSize] = {}
    for product_line, amount_e4, cost_e4 in lines:
        amount = 0 if amount_e4 is None else to_minor(amount_e4, exponent)
        cost = None if cost_e4 is None else to_minor(cost_e4, exponent)
        held = sums.get(product_line)
        if held is not None:
            cost = held.cost_minor if cost is None else cost + (held.cost_minor or 0)
            costed = held.costed_minor + (amount if cost_e4 is not None else 0)
            sums[product_line] = LineSize(product_line, held.amount_minor + amount, cost, costed)
        else:
            costed = amount if cost is not None else 0
            sums[product_line] = LineSize(product_line, amount, cost, costed)
    return tuple(sums.values())
