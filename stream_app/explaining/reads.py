"""What a formula reads of a scope: every measure, over which range, and what it found (pure).

The formula stays what it is. It is given totals that note what they are asked, so whatever the
language of formulas can say can be explained.
"""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from stream_app.domain.formula import Formula
from stream_app.domain.formula_nodes import Node
from stream_app.domain.views import Exact, Kind, Totals, Views
from stream_app.domain.windows import Days, Range, Window

_SINCE_EVER: Final = 0


@dataclass(frozen=True, slots=True)
class Read:
    """One question to the totals.

    Attributes:
        over: the days, or five minutes, that are read.
        found: the answer.
        percent: of a percentile.
    """

    kind: Kind
    measure: str
    over: Range
    found: int | None
    percent: Exact | None = None

    @property
    def is_sum(self) -> bool:
        """Whether the answer is the sum of what is counted there; a percentile is not."""
        return self.kind != "percentile"


class NotingTotals:
    """Totals that note what they are asked.

    Args:
        totals: who answers; None: whatever is asked, the answer is `always`.
    """

    def __init__(self, totals: Totals | None, always: int = 0) -> None:
        self._totals = totals
        self._always = always
        self.reads: dict[tuple[Kind, str, Range, Exact | None], Read] = {}

    def flow(self, name: str, over: Range) -> int:
        """As `Totals` has it; the others likewise."""
        found = self._always if self._totals is None else self._totals.flow(name, over)
        return self._note(Read("flow", name, over, found), found)

    def stock_at_start(self, name: str, over: Range) -> int:
        """As above."""
        found = self._always if self._totals is None else self._totals.stock_at_start(name, over)
        return self._note(Read("at_start", name, over, found), found)

    def stock_at_end(self, name: str, over: Range) -> int:
        """As above."""
        found = self._always if self._totals is None else self._totals.stock_at_end(name, over)
        return self._note(Read("at_end", name, over, found), found)

    def aged(self, name: str, over: Range, days: int) -> int:
        """As above; what is noted is the range that is old enough."""
        found = self._always if self._totals is None else self._totals.aged(name, over, days)
        last = over.end - 1 if isinstance(over, Days) else over.day
        return self._note(Read("aged", name, Days(_SINCE_EVER, last - days), found), found)

    def percentile(self, name: str, over: Range, percent: Fraction) -> int | None:
        """As above."""
        totals = self._totals
        found = self._always if totals is None else totals.percentile(name, over, percent)
        self._note(Read("percentile", name, over, found, percent), 0)
        return found

    def target(self, name: str, over: Range) -> Exact | None:
        """As above, but not noted: nothing that was counted adds up to it."""
        return self._always if self._totals is None else self._totals.target(name, over)

    def touched(self, over: Range, among: AbstractSet[str] | None) -> set[str]:
        """As above, but not noted: no value depends on it."""
        return set() if self._totals is None else self._totals.touched(over, among)

    def _note(self, read: Read, found: int) -> int:
        self.reads.setdefault((read.kind, read.measure, read.over, read.percent), read)
        return found


@dataclass(frozen=True, slots=True)
class SideReads:
    """One side of a formula: `numerator` and `denominator`, or all of it (`value`); `condition`."""

    name: str
    reads: tuple[Read, ...]


def sides_read(
    formula: Formula, window: Window, totals: Totals | None, always: int = 0
) -> Iterator[SideReads]:
    """What the formula reads of a window, by the sides of its outermost quotient."""

    def read(name: str, node: Node) -> SideReads:
        noting = NotingTotals(totals, always)
        sides = Views(noting).sides(window)
        node.evaluate(sides, sides.compared if formula.compares else sides.value)
        return SideReads(name, tuple(noting.reads.values()))

    quotient = formula.root.quotient
    if quotient is None:
        yield read("value", formula.root)
    else:
        yield read("numerator", quotient[0])
        yield read("denominator", quotient[1])
    if formula.condition is not None:
        yield read("condition", formula.condition.difference)


def reads_expected(formula: Formula, window: Window) -> list[Read]:
    """What will be read of a window, whether nothing counts or something does."""
    return [
        read
        for always in (0, 1)
        for side in sides_read(formula, window, None, always)
        for read in side.reads
    ]
