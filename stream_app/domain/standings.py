"""Who stands how against which target: the goals of a company, looked at scope by scope."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import itemgetter

from stream_app.domain.evaluation import KpiValue, evaluate, has_record, record_of
from stream_app.domain.goal import Goal
from stream_app.domain.scopes import split_scope
from stream_app.domain.targets import Standing, stand
from stream_app.domain.totals import ScopeTotals
from stream_app.domain.views import Views
from stream_app.domain.windows import CALENDAR_KINDS, Days, Window, WindowRules
from stream_app.domain.workdays import WorkingDays


class Goals:
    """The goals of a company that concern windows which exist.

    Attributes:
        by_name: target → its goal.
        working: the company's working days.
    """

    def __init__(self, goals: Iterable[Goal], working: WorkingDays, kinds: Iterable[str]) -> None:
        """Take the goals; one of another kind of window (an `hour` while "now" is fixed) sleeps."""
        known = set(kinds)
        self.working = working
        self.by_name = {goal.name: goal for goal in goals if goal.target.window in known}
        self._by_dimension: dict[str, _ByMember] = {}
        self._by_place: dict[tuple[str, str, str], _ByMember] = {}
        for goal in self.by_name.values():
            self._by_dimension.setdefault(goal.dimension, _ByMember()).add(goal)
            place = (goal.dimension, goal.kpi.name, goal.target.window)
            self._by_place.setdefault(place, _ByMember()).add(goal)
        self._with_totals = {
            goal.dimension for goal in self.by_name.values() if goal.is_total and goal.wants_more
        }

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of windows that goals ask for."""
        return frozenset(goal.target.window for goal in self.by_name.values())

    def of_scope(self, scope: str) -> list[Goal]:
        """What is asked of a scope."""
        dimension, member = split_scope(scope)
        found = self._by_dimension.get(dimension)
        return [] if found is None else found.of(member)

    def has_total_of(self, dimension: str) -> bool:
        """Whether a total is to be reached by members of a dimension."""
        return dimension in self._with_totals

    def has_dimension_of(self, scope: str) -> bool:
        """Whether anything may be asked of a scope."""
        return split_scope(scope)[0] in self._by_dimension

    def beside(self, value: KpiValue, totals: ScopeTotals, today: int) -> list[Standing]:
        """How a published value stands against its targets.

        Args:
            value: in one window of one scope.
            totals: of that scope.
            today: the business day that it is.
        """
        dimension, member = split_scope(value.scope)
        goals = self._by_place.get((dimension, value.kpi.name, value.window.kind))
        if goals is None:
            return []
        found = (stand(goal, value, totals, today, self.working) for goal in goals.of(member))
        return [standing for standing in found if standing is not None]


class _ByMember:
    """Some goals by whom they concern, so that ten thousand quotas cost each rep only the own."""

    def __init__(self) -> None:
        self._count = 0
        self._of_everybody: list[tuple[int, Goal]] = []
        self._of_one: dict[str, list[tuple[int, Goal]]] = {}

    def add(self, goal: Goal) -> None:
        """One more, which stands behind those before."""
        self._count += 1
        member = goal.target.member
        ranked = self._of_everybody if member == "*" else self._of_one.setdefault(member, [])
        ranked.append((self._count, goal))

    def of(self, member: str) -> list[Goal]:
        """Those that concern a member, in their order."""
        ranked = self._of_everybody
        if own := self._of_one.get(member):
            ranked = sorted([*ranked, *own], key=itemgetter(0))
        return [goal for _, goal in ranked if goal.concerns(member)]


@dataclass(frozen=True, slots=True)
class Look:
    """One scope at one moment."""

    scope: str
    totals: ScopeTotals
    views: Views
    today: int
    working: WorkingDays

    @classmethod
    def at(cls, scope: str, totals: ScopeTotals, today: int, working: WorkingDays) -> "Look":
        """Look at a scope."""
        return cls(scope, totals, Views(totals), today, working)

    def is_there(self, goal: Goal, windows: Iterable[Window]) -> bool:
        """Whether the target is still pursued, and the member has a record in one of the windows.

        On the first day of a window nobody has one yet, so the window before it matters too.
        """
        if not goal.pursued_on(self.today):
            return False
        _, member = split_scope(self.scope)
        return goal.names(member) or any(self.has_record(goal, window) for window in windows)

    def has_record(self, goal: Goal, window: Window) -> bool:
        """Whether the member has a record of the goal's KPI in a window."""
        return has_record(self.scope, goal.kpi, window, self.views.sides(window))

    def standing(self, goal: Goal, window: Window) -> Standing | None:
        """How the member stands in a window; None where nobody is there or nothing is asked.

        Where nothing was counted there is no record, and nobody: unless the member is named, or the
        window is over and the member had begun before it. Then a total is 0.
        """
        value = record_of(self.scope, self.views, goal.kpi, window)
        if value is None:
            _, member = split_scope(self.scope)
            if not (goal.is_total and (window.complete or goal.names(member))):
                return None
            before = self.views.of(Days(1, window.range.whole.first))
            if goal.kpi.measures.isdisjoint(before.touched):
                return None
            value = evaluate(self.scope, self.totals, goal.kpi, window)
        return stand(goal, value, self.totals, self.today, self.working)


class GoalWindows:
    """The windows that goals ask for, as time goes on."""

    def __init__(self, rules: WindowRules) -> None:
        """Take the rules, with the goals' kinds of windows."""
        self._rules = rules
        self._at: tuple[int, int] = (-1, -1)
        self._closed: dict[tuple[str, int], tuple[Window, ...]] = {}
        self.running: Mapping[str, Window] = {}

    def refresh(self, now_us: int, today: int, bucket: int) -> None:
        """It is now; windows change with the day, or with five minutes."""
        if (today, bucket) != self._at:
            self.running = {window.kind: window for window in self._rules.current(now_us)}
        if today != self._at[0]:
            self._closed.clear()
        self._at = (today, bucket)

    def closed(self, goal: Goal, count: int = 1) -> tuple[Window, ...]:
        """The last closed windows of a goal, newest first; none where windows move."""
        kind = goal.target.window
        if kind not in CALENDAR_KINDS:
            return ()
        found = self._closed.get((kind, count))
        if found is None:
            start = self._rules.period_start(kind, self._at[0])
            found = self._closed[kind, count] = tuple(
                self._rules.closed_window(kind, self._rules.step(kind, start, -steps))
                for steps in range(1, count + 1)
            )
        return found
