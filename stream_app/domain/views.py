"""What formulas read: one scope's totals over the sides of a window, each asked at most once.

Windows share their ranges: what a closed month is compared with is the value of the month before.
So a `View` is made once for each range and remembers its answers, for as long as one evaluation of
its scope takes.
"""

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Final, Literal, NamedTuple, Protocol

from stream_app.domain.windows import Days, Range, Window

Exact = int | Fraction
Number = int | float | Decimal

Kind = Literal["flow", "at_start", "at_end", "aged", "percentile"]
Place = Literal["window", "whole", "ever"]
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

    def is_touched(self, name: str, over: Range) -> bool:
        """Whether the measure is other than zero somewhere in the range."""


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
    """One scope's totals over one range."""

    __slots__ = ("_answers", "_over", "_results", "_totals", "_touched", "_views")

    def __init__(self, views: "Views", totals: Totals, over: Range) -> None:
        self._views = views
        self._totals = totals
        self._over = over
        self._answers: dict[Reading, Exact | None] = {}
        self._touched: dict[tuple[str, Place], bool] = {}
        self._results: dict[str, Result] = {}

    def read(self, reading: Reading) -> Exact | None:
        """The value of an operand; None where there is none."""
        answers = self._answers
        if reading in answers:
            return answers[reading]
        answer = answers[reading] = self._ask(reading)
        return answer

    @property
    def whole(self) -> "View":
        """The whole window that the range is the beginning of."""
        return self._views.of(self._over.whole)

    def is_touched(self, name: str, place: Place) -> bool:
        """Whether a measure is other than zero there."""
        key = (name, place)
        touched = self._touched.get(key)
        if touched is None:
            touched = self._touched[key] = self._totals.is_touched(name, self._range(place))
        return touched

    def once(self, kpi: str, evaluate: Callable[[], Result]) -> Result:
        """The result of a KPI that depends on nothing but this range, evaluated at most once."""
        found = self._results.get(kpi)
        if found is None:
            found = self._results[kpi] = evaluate()
        return found

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
        return totals.percentile(name, over, Fraction(argument))

    def _range(self, place: Place) -> Range:
        if place == "window":
            return self._over
        whole = self._over.whole
        return whole if place == "whole" else Days(_SINCE_EVER, whole.end)


class Sides(NamedTuple):
    """The views that one evaluation reads; None: nothing there to compare with.

    An operand that knows more than totals (a target of this scope and window, say) finds it here:
    one more field, filled by `Views`, and one more node in `formula_nodes`.
    """

    value: View | None
    compared: View | None
    previous: View | None
    last_year: View | None


class Views:
    """The views of one scope, for one evaluation."""

    __slots__ = ("_by_range", "_totals")

    def __init__(self, totals: Totals) -> None:
        self._totals = totals
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
