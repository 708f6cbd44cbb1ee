"""A member's numbers told by day, and how they stand against a target."""

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from stream_app.config.load import parse_config
from stream_app.config.quotas import read_quotas
from stream_app.domain.calendar import BusinessCalendar, to_instant
from stream_app.domain.evaluation import evaluate
from stream_app.domain.goal import Goal, Quotas, bind
from stream_app.domain.rates import Rates
from stream_app.domain.targets import Standing, stand
from stream_app.domain.totals import ScopeTotals
from stream_app.domain.windows import WindowRules
from stream_app.goals import working_days_of
from stream_app.kpis import catalogue

ZONE = ZoneInfo("Europe/Berlin")
CALENDAR = BusinessCalendar(ZONE)
BASE = """
business: {timezone: Europe/Berlin, currency: EUR, holidays: DE-BE}
windows: [hour, day, week, month, quarter, year, 30d]
kpis:
  won_and_lost: {formula: deals_won + deals_lost, unit: count}
  margin: {formula: revenue - cost, unit: currency}
"""
CONFIG = parse_config(BASE, "base", Path())
KPIS = catalogue(CONFIG)
RULES = WindowRules.from_config(CONFIG, CALENDAR)
WORKING = working_days_of(CONFIG)
MONEY = {"revenue", "cost", "closing_value"}


def us(text: str) -> int:
    return to_instant(datetime.fromisoformat(text).replace(tzinfo=ZONE))


def goal_of(text: str, quotas: Quotas | None = None, *, path: Path | None = None) -> Goal:
    """`kpi: win_rate, window: month, at_least: 0.25`."""
    config = parse_config(f"{BASE}targets: [{{name: t, {text}}}]", "base", Path())
    (target,) = config.targets
    if path is not None:
        quotas = read_quotas(path, target.window, RULES.period_start).quotas
    return bind(target, KPIS, quotas)


def totals_of(days: Mapping[str, Mapping[str, int]]) -> ScopeTotals:
    """Day → measure → count, or euros."""
    totals = ScopeTotals(Rates.from_config(CONFIG), lambda bucket: bucket)
    for day, measures in days.items():
        cells = {
            f"{name}/EUR" if name in MONEY else name: value * 100 if name in MONEY else value
            for name, value in measures.items()
        }
        totals.put(date.fromisoformat(day).toordinal(), "0", 1, cells)
    return totals


def standing(
    goal: Goal,
    days: Mapping[str, Mapping[str, int]],
    now: str,
    *,
    closed: int = 0,
    scope: str = "company|all",
) -> Standing | None:
    """In the running window, or in the one `closed` steps earlier."""
    totals = totals_of(days)
    now_us = us(now)
    today = CALENDAR.day_of(now_us)
    kind = goal.target.window
    if closed:
        start = RULES.step(kind, RULES.period_start(kind, today), -closed)
        window = RULES.closed_window(kind, start)
    else:
        window = next(w for w in RULES.current(now_us) if w.kind == kind)
    value = evaluate(scope, totals, goal.kpi, window)
    return stand(goal, value, totals, today, WORKING)
