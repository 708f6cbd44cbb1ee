"""What the alerts of one partition's scopes say beside values, and on the metrics page.

It only reads what is committed; nothing here moves an alert.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from stream_app.domain.alert_states import closed_state
from stream_app.domain.alerts import State
from stream_app.domain.evaluation import KpiValue
from stream_app.domain.formula import Number
from stream_app.domain.goal import Goal
from stream_app.domain.standings import Goals, Look
from stream_app.domain.totals import ScopeTotals
from stream_app.domain.windows import Window
from stream_app.stages.alert_memory import AlertMemory
from stream_app.wire.alert import AlertKey
from stream_app.wire.value import TargetSaid, target_said

Sources = tuple[tuple[str, str], ...]
"""What stands in a target's place, and the state, of each source that may not be silent."""


class TargetShown(NamedTuple):
    """How a member stands against a target in the running window, for the gauges.

    Attributes:
        value: what is asked; `attainment` and this are None where they cannot be said.
        state: None: nothing is asked in the running window, and nothing is wrong.
        reason: why it is in that state, or why it is not judged; empty: there is nothing to say.
        of_closed: the state is news of the window that ended last.
        coaching: the state of the target's `repeat_misses`; None: it has none.
    """

    target: str
    kpi: str
    window: str
    value: Number | None
    attainment: float | None
    state: str | None
    reason: str
    of_closed: bool
    coaching: State | None


class AlertWords:
    """The words of one partition's alerts."""

    def __init__(
        self,
        goals: Goals,
        memory: AlertMemory,
        sources: Iterable[AlertKey],
    ) -> None:
        """Take what is asked and remembered, and the keys of the sources that are listened to."""
        self._goals = goals
        self._memory = memory
        self._sources = tuple(sources)
        self._shown: Sources = ()

    def beside(self, value: KpiValue, totals: ScopeTotals, today: int) -> tuple[TargetSaid, ...]:
        """How a value stands against its targets, for its record."""
        told = []
        for standing in self._goals.beside(value, totals, today):
            if value.window.complete:
                state = closed_state(standing)
            else:
                alert = self._memory.standing.get(_level(standing.goal, value.scope))
                state = "ok" if alert is None else alert.state
            told.append(target_said(standing, state))
        return tuple(told)

    def of_scope(
        self,
        scope: str,
        said: Iterable[tuple[KpiValue, TargetSaid]],
        totals: ScopeTotals,
        windows: Mapping[str, Window],
        today: int,
    ) -> Iterator[TargetShown]:
        """How a member stands against all its targets.

        Also where it has no record: somebody with a quota who sold nothing is behind it, too, and
        on the first day of a month nobody has one, while the last month's news stand.

        Args:
            scope: of the member.
            said: each value of a running window with what its record says of each target.
            totals: of the scope.
            windows: the running ones, by kind.
            today: the business day that it is.
        """
        by_name = {target.name: target for _, target in said}
        look: Look | None = None
        for goal in self._goals.of_scope(scope):
            target = by_name.get(goal.name)
            if target is None:
                alert = self._memory.standing.get(_level(goal, scope))
                window = windows.get(goal.target.window)
                if alert is None or window is None:
                    continue
                look = look or Look.at(scope, totals, today, self._goals.working)
                standing = look.standing(goal, window)
                if standing is not None:
                    target = target_said(standing, alert.state)
            yield self._shown_of(goal, scope, target)

    def _shown_of(self, goal: Goal, scope: str, target: TargetSaid | None) -> TargetShown:
        level = self._memory.standing.get(_level(goal, scope))
        coaching: State | None = None
        if goal.target.repeat_misses is not None and level is not None:
            coached = self._memory.standing.get(AlertKey(goal.name, "coaching", scope))
            coaching = "ok" if coached is None else coached.state
        state = None
        if target is not None:
            state = target.state
        elif level is not None and level.state not in ("ok", "resolved"):
            state = level.state
        return TargetShown(
            target=goal.name,
            kpi=goal.kpi.name,
            window=goal.target.window,
            value=None if target is None else target.value,
            attainment=None if target is None else target.attainment,
            state=state,
            reason="" if level is None else level.reason,
            of_closed=level is not None and level.held_on > 0,
            coaching=coaching,
        )

    # -- sources ---------------------------------------------------------------------------------

    def of_sources(self) -> Sources:
        """The sources that are listened to."""
        standing = self._memory.standing
        return tuple((key.target, standing[key].state) for key in self._sources if key in standing)

    @property
    def has_unshown(self) -> bool:
        """Whether the sources are not as they were shown last."""
        return self._shown != self.of_sources()

    def show(self, sources: Sources) -> None:
        """This was shown."""
        self._shown = sources

    def begin(self) -> None:
        """Nothing was shown yet."""
        self._shown = ()


def _level(goal: Goal, scope: str) -> AlertKey:
    return AlertKey(goal.name, "level", scope)
