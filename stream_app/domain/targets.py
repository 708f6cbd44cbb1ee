"""How a value stands against a target (contract.md, section 5).

A *total* adds up while its window runs (revenue, deals won); everything else is a *rate* and can be
judged at any moment. Numbers are compared as they are published: a rate's shortest decimal.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum
from fractions import Fraction

from stream_app.domain.evaluation import KpiValue, evaluate
from stream_app.domain.formula import Number
from stream_app.domain.goal import Goal, first_day
from stream_app.domain.scopes import split_scope
from stream_app.domain.totals import ScopeTotals
from stream_app.domain.windows import Window
from stream_app.domain.workdays import WorkingDays


class Verdict(Enum):
    """What a value means for its target."""

    NOT_JUDGED = 0
    MET = 1
    MISSED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one member stands against one target in one window.

    Attributes:
        value: what is judged; for growth in a running window, of its completed days.
        threshold: what is asked for the whole window; of growth, for the days compared.
        expected: what is expected by now, where the target has a pace.
        sample: the denominator of a quotient.
        reached: the window can be called a success: a total has got there, or it closed well.
        is_back: an alert may end: the value is past `resolve_at`.
    """

    goal: Goal
    window: Window
    value: Number | None
    threshold: Number | None
    expected: Number | None
    sample: Number | None
    verdict: Verdict
    reached: bool
    is_back: bool

    @property
    def attainment(self) -> float | None:
        """How much of the target is reached; None where that cannot be said."""
        if self.value is None or self.threshold is None:
            return None
        value, threshold = exact(self.value), exact(self.threshold)
        if self.goal.target.growth is None and not self.goal.wants_more:
            value, threshold = threshold, value
        return float(value / threshold) if threshold else None

    @property
    def reason(self) -> str:
        """Why it is missed."""
        if not self.goal.wants_more:
            return "above_target"
        return "below_target" if self.expected is None else "behind_pace"

    @property
    def unjudged(self) -> str:
        """Why it is neither met nor missed; empty where it is one of them.

        `no_value`: there is no denominator. `no_baseline`: there is nothing to grow from.
        `small_sample`: smaller than `min_sample`. `window_runs`: a total is judged at its end.
        """
        if self.verdict is not Verdict.NOT_JUDGED:
            return ""
        if self.value is None:
            return "no_value"
        if self.threshold is None:
            return "no_baseline"
        return "window_runs" if self.goal.is_total else "small_sample"


def stand(
    goal: Goal, value: KpiValue, totals: ScopeTotals, today: int, working: WorkingDays
) -> Standing | None:
    """How a value stands against a target; None where nothing is asked of it.

    Args:
        goal: of the value's KPI and kind of window.
        value: in one window of one scope.
        totals: of that scope, for what growth is measured by.
        today: the business day that it is.
        working: for a pace.
    """
    window = value.window
    if not (goal.pursued_in(window) if window.complete else goal.pursued_on(today)):
        return None
    judged, asked = value.value, threshold_of(goal, value, totals)
    if goal.target.growth is not None:
        judged = _compared(value, totals)
    elif asked is None:
        return None
    share = _share(goal, window, today, working)
    expected = None
    if share is not None and asked is not None:
        expected = asked if goal.target.growth is not None else _times(asked, share)
    bar = _bar(goal, value, judged, asked, expected)
    verdict = Verdict.NOT_JUDGED
    is_back = True
    if bar is not None and judged is not None:
        verdict = Verdict.MET if _holds(goal, judged, bar) else Verdict.MISSED
        is_back = _holds(goal, judged, _end_of_alert(goal, bar, share if bar is expected else None))
    is_met = verdict is Verdict.MET
    reached = is_met if window.complete else _reached(goal, judged, asked)
    return Standing(
        goal=goal,
        window=window,
        value=judged,
        threshold=asked,
        expected=None if window.complete else expected,
        sample=value.denominator,
        verdict=verdict,
        reached=reached,
        is_back=is_back,
    )


def threshold_of(goal: Goal, value: KpiValue, totals: ScopeTotals) -> Number | None:
    """What is asked in the window of a value, in the KPI's unit; None where nothing is."""
    target = goal.target
    if goal.quotas is not None:
        _, member = split_scope(value.scope)
        first = first_day(value.window)
        for key in ((member, first), (member, None), ("*", first), ("*", None)):
            if key in goal.quotas:
                return goal.quotas[key]
        return None
    if target.growth is None:
        return target.at_least if target.at_least is not None else target.at_most
    baseline = value.previous if target.over == "previous" else _year_before(value, totals)
    if baseline is None or baseline <= 0:
        return None  # there is nothing to grow from, as in revenue_growth
    return _times(baseline, Fraction(1) + Fraction(target.growth))


def _compared(value: KpiValue, totals: ScopeTotals) -> Number | None:
    """The side of now in a comparison: cut to the completed days while the window runs."""
    window = value.window
    if window.compared is None:
        return None
    if window.compared == window.range:
        return value.value
    return evaluate(value.scope, totals, value.kpi, replace(window, range=window.compared)).value


def _year_before(value: KpiValue, totals: ScopeTotals) -> Number | None:
    window = value.window
    if window.last_year is None:
        return None
    then = replace(
        window,
        range=window.last_year,
        compared=window.last_year,
        previous=window.previous_last_year,
        last_year=None,
    )
    return evaluate(value.scope, totals, value.kpi, then).value


def _share(goal: Goal, window: Window, today: int, working: WorkingDays) -> Fraction | None:
    """Completed days by all days of the window; None without a pace, or where no day counts."""
    whole, pace = window.whole, goal.target.pace
    if pace is None or whole is None or not goal.is_total:
        return None
    if window.complete:
        return Fraction(1)
    if pace == "calendar_days":
        return Fraction(today - whole.first, whole.end - whole.first)
    days = working.count(whole.first, whole.end)
    return Fraction(working.count(whole.first, today), days) if days else None


def _bar(
    goal: Goal,
    value: KpiValue,
    judged: Number | None,
    asked: Number | None,
    expected: Number | None,
) -> Number | None:
    """What the value is judged by at this moment; None: it is not judged."""
    if judged is None or asked is None:
        return None
    if not goal.is_total:
        sample = value.denominator
        return None if sample is not None and sample < goal.target.min_sample else asked
    if value.window.complete or goal.moves:
        return asked
    if expected is not None:
        return expected
    is_exceeded = (
        goal.target.growth is None and not goal.wants_more and not _holds(goal, judged, asked)
    )
    return asked if is_exceeded else None


def _end_of_alert(goal: Goal, bar: Number, share: Fraction | None) -> Number:
    resolve_at = goal.target.resolve_at
    if resolve_at is None:
        return bar
    return resolve_at if share is None else _times(resolve_at, share)


def _reached(goal: Goal, judged: Number | None, asked: Number | None) -> bool:
    """Whether a running total has got to what is asked of the whole window."""
    if not goal.is_total or not goal.wants_more or goal.moves or goal.target.growth is not None:
        return False
    return judged is not None and asked is not None and _holds(goal, judged, asked)


def _holds(goal: Goal, value: Number, bar: Number) -> bool:
    found, wanted = exact(value), exact(bar)
    return found >= wanted if goal.wants_more else found <= wanted


def exact(number: Number) -> Fraction:
    """A number as it is written: 0.3 is three tenths, not the nearest float."""
    return Fraction(repr(number)) if isinstance(number, float) else Fraction(number)


def _times(number: Number, factor: Fraction) -> Number:
    """The product, exact where it has a short decimal."""
    product = exact(number) * factor
    if product.denominator == 1:
        return product.numerator
    rest = product.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest == 1 and not isinstance(number, float):
        return Decimal(product.numerator) / Decimal(product.denominator)
    return float(product)
