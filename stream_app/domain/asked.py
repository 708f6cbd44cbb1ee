"""What targets ask of totals, for formulas that say `target(revenue)`."""

from collections.abc import Callable, Iterable
from fractions import Fraction

from stream_app.domain.evaluation import KpiValue, evaluate
from stream_app.domain.goal import Goal
from stream_app.domain.measures import MONEY
from stream_app.domain.scopes import split_scope
from stream_app.domain.standings import Goals
from stream_app.domain.targets import exact, threshold_of
from stream_app.domain.totals import ScopeTotals
from stream_app.domain.views import Exact
from stream_app.domain.windows import CALENDAR_KINDS, Range, Window, WindowRules


class Asked:
    """The targets that a total has to reach, window by window.

    Attributes:
        today: the business day that it is.
    """

    def __init__(self, goals: Goals, rules: WindowRules, money_exponent: int) -> None:
        """Take the goals; nothing is asked before the first `refresh`."""
        self._goals = goals
        self._rules = rules
        self._money_exponent = money_exponent
        self._by_range: dict[Range, Window] = {}
        self.today = 0

    def refresh(self, windows: Iterable[Window], today: int) -> None:
        """These are the windows now."""
        self.today = today
        self._by_range = {w.range: w for w in windows if w.kind in CALENDAR_KINDS}

    def of(self, scope: str, totals: ScopeTotals) -> Callable[[str, Range], Exact | None]:
        """What is asked of a scope: (KPI, range) → its target there, in minor units; or None."""

        def asked(name: str, over: Range) -> Exact | None:
            for goal in self._goals.of_scope(scope):
                if goal.kpi.name != name or not goal.is_total or not goal.wants_more:
                    continue
                window = self._window(goal, over)
                if window is not None:
                    value = self._value(goal, scope, totals, window)
                    if value is not None:
                        return value
            return None

        dimension, _ = split_scope(scope)
        return asked if self._goals.has_total_of(dimension) else _nothing

    def _window(self, goal: Goal, over: Range) -> Window | None:
        """The goal's window that begins with the range; of growth only one of those now."""
        kind = goal.target.window
        known = self._by_range.get(over)
        if known is not None:
            return known if known.kind == kind else None
        if goal.target.growth is not None or kind not in CALENDAR_KINDS:
            return None
        whole, rules = over.whole, self._rules
        is_one = rules.period_start(kind, whole.first) == whole.first
        if not is_one or rules.step(kind, whole.first, 1) != whole.end:
            return None
        return rules.closed_window(kind, whole.first)

    def _value(self, goal: Goal, scope: str, totals: ScopeTotals, window: Window) -> Exact | None:
        if not (goal.pursued_in(window) if window.complete else goal.pursued_on(self.today)):
            return None
        if goal.target.growth is not None:
            value = evaluate(scope, totals, goal.kpi, window)
        else:
            value = KpiValue(goal.kpi, scope, window, None, None, None, None)
        found = threshold_of(goal, value, totals)
        if found is None:
            return None
        scale = self._money_exponent if goal.kpi.name in MONEY else 0
        return exact(found) * Fraction(10) ** scale


def _nothing(_name: str, _over: Range) -> None:
    return None
