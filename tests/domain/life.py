"""The life of one alert: it is told values at instants."""

from dataclasses import replace
from functools import lru_cache

from stream_app.domain.alerts import Alert, Sight, Tick, Transition, advance
from stream_app.domain.evaluation import KpiValue
from stream_app.domain.formula import Number
from stream_app.domain.goal import Goal
from stream_app.domain.targets import Standing, stand
from stream_app.domain.windows import CALENDAR_KINDS, Window
from tests.domain.standings import CALENDAR, RULES, WORKING, goal_of, totals_of

SCOPE = "team|emea"
MINUTE_US = 60_000_000
NOBODY = totals_of({})


bound = lru_cache(goal_of)


@lru_cache(maxsize=10_000)
def at(kind: str, now_us: int) -> tuple[Tick, Window, Window | None]:
    today = CALENDAR.day_of(now_us)
    rules = replace(RULES, kinds=(kind,))
    (running,) = rules.current(now_us)
    closed = None
    if kind in CALENDAR_KINDS:
        closed = RULES.closed_window(kind, RULES.step(kind, RULES.period_start(kind, today), -1))
    return Tick(now_us, today, running.key, running.start), running, closed


def standing_of(goal: Goal, window: Window, value: Number | None, today: int) -> Standing | None:
    told = KpiValue(goal.kpi, SCOPE, window, value, None, None, None)
    return stand(goal, told, NOBODY, today, WORKING)


class Life:
    """One alert, told values at instants."""

    def __init__(self, text: str) -> None:
        self.goal = bound(text)
        self.alert: Alert | None = None
        self.made: list[Transition] = []
        self.sights: list[Sight] = []

    def see(
        self,
        now_us: int,
        value: Number | None,
        before: Number | None = None,
        *,
        silent: bool = False,
    ) -> list[Transition]:
        tick, running, closed = at(self.goal.target.window, now_us)
        sight = Sight(
            at=tick,
            running=standing_of(self.goal, running, value, tick.day),
            closed=None if closed is None else standing_of(self.goal, closed, before, tick.day),
            is_silent=silent,
            for_us=self.goal.target.for_us,
        )
        self.alert, made = advance(self.goal, SCOPE, self.alert, sight)
        self.made += made
        self.sights.append(sight)
        return made

    def told(self) -> list[tuple[str, str, str]]:
        return [(change.state, change.reason, change.about[5:10]) for change in self.made]


RATE = "kpi: win_rate, window: month, at_least: 0.25, resolve_at: 0.27, for: 10m"
PACED = "kpi: revenue, window: month, at_least: 3000, pace: calendar_days"
TOTAL = "kpi: revenue, window: month, at_least: 3000"
ROLLING = "kpi: win_rate, window: 30d, at_least: 0.25, for: 10m"
DAILY = "kpi: deals_won, window: day, at_least: 5"
