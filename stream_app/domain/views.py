"""What formulas read: one scope's totals over the sides of a window, each asked at most once.

Windows share their ranges: what a closed month is compared with is the value of the month before.
So a `View` is made once for each range and remembers its answers, for as long as one evaluation of
its scope takes.
"""

from collections.abc import Set as AbstractSet
from decimal import Decimal
from fractions import Fraction
from typing import Final, Literal, NamedTuple, Protocol

from stream_app.domain.windows import Days, Range, Window

Exact = int | Fraction
Number = int | float | Decimal

Kind = Literal["flow", "at_start", "at_end", "aged", "percentile", "target"]
Place = Literal["window", "whole", "ever", "previous", "last_year"]
"""Where a measure must be other than zero to make a record exist."""

_SINCE_EVER: Final = 0


class Totals(Protocol):
    """What a view reads of one scope."""

    def flow(self, name: str, over: Range) -> int:
        """A flow's total over a range."""

    def stock_at_start(self, name: str, over: Range) -> int:
        """A stock just before a range."""

    def stock_at_end(self, name: str, over: Range) -> int:
        """A stock at the end of a range."""

    def aged(self, name: str, over: Range, days: int) -> int:
        """A flow's total before so many days before the last day of a range."""

    def percentile(self, name: str, over: Range, percent: Fraction) -> int | None:
        """The nearest rank in a histogram over a range."""

    def target(self, name: str, over: Range) -> Exact | None:
        """What is asked of a total in the window that a range begins."""

    def touched(self, over: Range, among: AbstractSet[str] | None) -> set[str]:
        """Which of some measures (None: of all) are other than zero somewhere in the range."""


class Reading(NamedTuple):
    """One operand: a measure, and how it is read; `argument` is its age or percentage."""

    kind: Kind
    name: str
    argument: Exact = 0


class Result(NamedTuple):
    """A formula's value; `numerator` and `denominator` of its outermost quotient, else None."""

    value: Number | None
    numerator: Number | None
    denominator: Number | None


class View:
    """One scope's totals over one range.

    Attributes:
        results: of KPIs that depend on nothing but this range, by name.
    """

    __slots__ = ("_answers", "_over", "_totals", "_touched", "_views", "results")

    def __init__(self, views: "Views", totals: Totals, over: Range) -> None:
        self._views = views
        self._totals = totals
        self._over = over
        self._answers: dict[Reading, Exact | None] = {}
        self._touched: set[str] | None = None
        self.results: dict[str, Result] = {}

    def read(self, reading: Reading) -> Exact | None:
        """The value of an operand; None where there is none."""
        try:
            return self._answers[reading]
        except KeyError:
            answer = self._answers[reading] = self._ask(reading)
            return answer

    @property
    def whole(self) -> "View":
        """The whole window that the range is the beginning of."""
        return self._views.of(self._over.whole)

    @property
    def since_ever(self) -> "View":
        """Everything up to the end of the whole window."""
        return self._views.of(Days(_SINCE_EVER, self._over.whole.end))

    @property
    def touched(self) -> set[str]:
        """The measures that are other than zero somewhere in the range, of those that count."""
        touched = self._touched
        if touched is None:
            touched = self._touched = self._totals.touched(self._over, self._views.measures)
        return touched

    def _ask(self, reading: Reading) -> Exact | None:
        kind, name, argument = reading
        totals, over = self._totals, self._over
        if kind == "flow":
            return totals.flow(name, over)
        if kind == "at_end":
            return totals.stock_at_end(name, over)
        if kind == "at_start":
            return totals.stock_at_start(name, over)
        if kind == "aged":
            return totals.aged(name, over, int(argument))
        if kind == "target":
            return totals.target(name, over)
        return totals.percentile(name, over, Fraction(argument))


class Sides(NamedTuple):
    """The views that one evaluation reads; None: nothing there to compare with."""

    value: View | None
    compared: View | None
    previous: View | None
    last_year: View | None

    def at(self, place: Place) -> View | None:
        """Where measures must be other than zero to make a record exist."""
        if place == "previous":
            return self.previous
        if place == "last_year":
            return self.last_year
        view = self.value
        if place == "window" or view is None:
            return view
        return view.whole if place == "whole" else view.since_ever


class Views:
    """The views of one scope, for one evaluation.

    Attributes:
        measures: those of which it matters whether they are other than zero; None: all.
    """

    __slots__ = ("_by_range", "_totals", "measures")

    def __init__(self, totals: Totals, measures: AbstractSet[str] | None = None) -> None:
        self._totals = totals
        self.measures = measures
        self._by_range: dict[Range, View] = {}

    def of(self, over: Range) -> View:
        """The view over a range."""
        view = self._by_range.get(over)
        if view is None:
            view = self._by_range[over] = View(self, self._totals, over)
        return view

    def sides(self, window: Window) -> Sides:
        """The window itself."""
        return Sides(
            self.of(window.range),
            self._perhaps(window.compared),
            self._perhaps(window.previous),
            self._perhaps(window.last_year),
        )

    def sides_one_step_earlier(self, window: Window) -> Sides:
        """What the record's `previous` is computed over."""
        earlier = self._perhaps(window.previous)
        return Sides(
            earlier,
            earlier,
            self._perhaps(window.before_previous),
            self._perhaps(window.previous_last_year),
        )

    def _perhaps(self, over: Range | None) -> View | None:
        return None if over is None else self.of(over)
