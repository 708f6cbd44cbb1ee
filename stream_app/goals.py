"""The targets of one company, bound to its KPIs and quotas, and everything doubtful about them."""

from collections.abc import Iterator
from pathlib import Path

from stream_app.config.errors import Doubt
from stream_app.config.load import Finding
from stream_app.config.model import Config, Target
from stream_app.config.nearest import hint
from stream_app.config.public_holidays import working_day_rule
from stream_app.config.quotas import QuotaFile, first_errors, read_quotas
from stream_app.domain.calendar import BusinessCalendar
from stream_app.domain.catalogue import Catalogue
from stream_app.domain.formula import FormulaError
from stream_app.domain.goal import Goal, bind
from stream_app.domain.windows import CALENDAR_KINDS, WindowRules
from stream_app.domain.workdays import WorkingDays
from stream_app.kpis import catalogue


def goals_of(config: Config, kpis: Catalogue) -> tuple[Goal, ...]:
    """The goals of a checked configuration, in its order."""
    return tuple(
        bind(
            target,
            kpis,
            None if target.values_from is None else _quotas(config, target).quotas,
        )
        for target in config.targets
    )


def working_days_of(config: Config) -> WorkingDays:
    """The working days of a checked configuration."""
    rule = working_day_rule(config.business.holidays)
    return WorkingDays() if rule is None else WorkingDays(rule)


def _quotas(config: Config, target: Target) -> QuotaFile:
    rules = WindowRules.from_config(config, BusinessCalendar(config.business.timezone))
    assert target.values_from is not None  # noqa: S101 - the callers asked
    return read_quotas(Path(target.values_from), target.window, rules.period_start)


def doubtful_targets(config: Config) -> Iterator[Finding]:
    """What is wrong with targets beyond their own keys, and what is not SMART about them.

    Specific and measurable they are by their form (a KPI, a window, a member, a number); what is
    doubted is told with its letter: M no least sample, A nobody answers for it, T no last day.
    Whether they are realistic is told by `stream-app check`, which sees what was reached.
    """
    try:
        kpis = catalogue(config)
    except FormulaError:
        return  # told elsewhere; what a KPI exists for is not known
    known = {kpi.name for kpi in kpis.kpis}
    for index, target in enumerate(config.targets):
        path = f"targets[{index}]"
        if target.kpi not in known or not target.window:
            continue
        yield from _misplaced(target, path, kpis)
        yield from _meaningless(target, path, kpis, config)
        if target.values_from is not None and target.window:
            yield from first_errors(_quotas(config, target).errors)


def _misplaced(target: Target, path: str, kpis: Catalogue) -> Iterator[Finding]:
    """The KPI does not exist there."""
    kpi = next(kpi for kpi in kpis.kpis if kpi.name == target.kpi)
    dimension, window = "+".join(target.dimension), target.window

    def exists(dimension: str, window: str) -> bool:
        return kpi.exists(dimension, window, closed=False, configured=kpis.configured)

    if exists(dimension, window):
        return
    dimensions = [
        name
        for name in ("company", *sorted(kpis.configured), *kpi.definition.extra)
        if any(exists(name, kind) for kind in (window, "month", "30d"))
    ]
    if dimension not in dimensions:
        wrong = f"{target.kpi} does not exist for {dimension!r}{hint(dimension, dimensions)}"
        yield f"{path}.dimension", wrong
        return
    windows = [
        kind for kind in ("hour", *CALENDAR_KINDS, "30d", "90d", "365d") if exists(dimension, kind)
    ]
    wrong = (
        f"{target.kpi} of {dimension} does not exist in the window {window!r}"
        f"{hint(window, windows)}"
    )
    yield f"{path}.window", wrong


def _meaningless(target: Target, path: str, kpis: Catalogue, config: Config) -> Iterator[Finding]:
    goal = bind(target, kpis)
    if target.pace and not goal.is_total:
        yield (
            f"{path}.pace",
            f"{target.kpi} does not add up day by day, so it has no pace; remove it",
        )
    if target.min_sample and goal.is_total:
        yield Doubt(f"{path}.min_sample", f"{target.kpi} is a total and has no sample; remove it")
    elif target.min_sample and goal.kpi.formula.root.quotient is None:
        yield Doubt(
            f"{path}.min_sample", f"{target.kpi} is no quotient and has no sample; remove it"
        )
    if target.repeat_misses and goal.moves:
        yield (
            f"{path}.repeat_misses",
            f"the window {target.window} never closes; write one of {', '.join(CALENDAR_KINDS)}",
        )
    elif target.repeat_misses:
        kept = getattr(config.history, target.window)
        if target.repeat_misses > kept:
            wrong = (
                f"only {kept} closed windows are kept of {target.window}; lower it, or raise "
                f"history.{target.window}"
            )
            yield f"{path}.repeat_misses", wrong
    better = goal.kpi.definition.better
    threshold = "at_least" if target.at_least is not None else "at_most"
    is_against = goal.wants_more != (better == "higher")
    if is_against:
        yield Doubt(
            f"{path}.{threshold}", f"{better} is better for {target.kpi}; is it meant this way?"
        )
    yield from _not_smart(target, path, goal)


def _not_smart(target: Target, path: str, goal: Goal) -> Iterator[Doubt]:
    is_rate = not goal.is_total and goal.kpi.formula.root.quotient is not None
    if is_rate and not target.min_sample and goal.dimension != "company":
        yield Doubt(
            path,
            "not SMART (M): a rate of a few cases says little; write min_sample: 20",
        )
    if target.owner is None:
        yield Doubt(path, "not SMART (A): nobody answers for it; write owner: and who does")
    if target.by is None:
        yield Doubt(path, "not SMART (T): it has no last day; write by: and a date")
