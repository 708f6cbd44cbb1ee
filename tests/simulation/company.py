"""The companies of the simulations: few KPIs and windows, each "now" there is."""

import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import yaml

from stream_app.company import load_company
from stream_app.config.model import Config
from stream_app.domain.catalogue import Catalogue
from stream_app.domain.rates import Rates
from stream_app.domain.rules import FoldRules
from stream_app.domain.targets import Goal
from stream_app.domain.trial import trial_scope
from stream_app.domain.windows import WindowRules, last_instant_of
from stream_app.domain.workdays import WorkingDays
from stream_app.goals import goals_of, working_days_of
from stream_app.kpis import DEFINITIONS
from stream_app.stages.alert_plan import AlertPlan
from stream_app.stages.evaluation import Evaluation
from stream_app.wire.cloudevent import Rules

EVENTS, PARTIALS, VALUES = "crm.events", "kpi.partials", "kpi.values"
NEXT_PARTIALS = "kpi.partials.next"
DEAD, TICKS = "crm.dead-letters", "kpi.ticks"
ALERTS, EXPERIMENTS = "kpi.alerts", "kpi.experiments"
STATE_VERSION = "simulated"
NAMESPACE = f"stream-app:{STATE_VERSION}"
SOURCES: Final = 3
PARTIALS_PARTITIONS: Final = 2
AS_OF: Final = "2026-03-04"

_KPIS = {"revenue", "leads", "conversion_rate", "win_rate", "pipeline_value", "nps"}
CONFIGURATION = {
    "business": {"timezone": "Europe/Berlin", "currency": "EUR"},
    "currencies": {"USD": "0.92"},
    "dimensions": ["team", "rep"],
    "windows": ["hour", "day", "month", "year"],
    "history": {"day": 2, "week": 0, "month": 1, "quarter": 0, "year": 0},
    "measures": {"calls": {"unit": "count"}},
    "kpis": {"calls_made": {"formula": "calls", "unit": "count", "better": "higher"}},
    "targets": [
        {"name": "calls", "kpi": "calls_made", "window": "day", "at_least": 3},
        {"name": "answers", "kpi": "nps", "window": "month", "at_least": 10},
        {"name": "share", "kpi": "win_rate", "window": "year", "at_least": 0.45},
        {"name": "leads", "kpi": "leads", "window": "day", "dimension": "rep", "at_most": 1},
        {
            "name": "wins",
            "kpi": "win_rate",
            "window": "month",
            "dimension": "team",
            "at_least": 0.5,
            "resolve_at": 0.6,
            "for": "1m",
        },
        {
            "name": "revenue",
            "kpi": "revenue",
            "window": "month",
            "at_least": 900,
            "pace": "calendar_days",
            "repeat_misses": 1,
        },
    ],
    "experiments": [
        {
            "name": "who",
            "dimension": "team",
            "control": "north",
            "variants": ["south"],
            "horizon": "1d",
        }
    ],
}


@dataclass(frozen=True)
class SimulatedCompany:
    """Everything that follows from the configuration."""

    config: Config
    catalogue: Catalogue
    rules: FoldRules
    accepted: Rules
    plan: Evaluation
    goals: tuple[Goal, ...]
    working_days: WorkingDays

    @property
    def is_event_clock(self) -> bool:
        return self.config.business.clock == "event"

    @property
    def is_wall_clock(self) -> bool:
        return self.config.business.as_of is None and not self.is_event_clock


async def no_alerts() -> list[tuple[bytes, bytes | None]]:
    """What `kpi.alerts` says before anybody was alarmed; each worker reads its own."""
    return []


@dataclass(frozen=True)
class Line:
    """A state version, with all that is its own."""

    version: str
    company: SimulatedCompany

    @property
    def namespace(self) -> str:
        return f"stream-app:{self.version}"

    @property
    def partials(self) -> str:
        return PARTIALS if self.version == STATE_VERSION else NEXT_PARTIALS


def lines(clock: str) -> tuple[Line, Line]:
    """What is counted, and what is counted after a change of the configuration."""
    return Line(STATE_VERSION, company(clock)), Line("next", company(clock, credit="latest"))


@lru_cache
def company(clock: str, credit: str = "at_time") -> SimulatedCompany:
    """The company whose "now" is the newest `event`, a `date`, or the `wall` clock.

    Args:
        clock: what "now" follows.
        credit: whether reps and teams are those of then, or of now.
    """
    chosen = {"event": {"clock": "event"}, "date": {"as_of": AS_OF}, "wall": {}}[clock]
    content = CONFIGURATION | {"business": CONFIGURATION["business"] | chosen}
    content["credit"] = dict.fromkeys(("team", "rep"), credit)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "company.yaml"
        path.write_text(yaml.safe_dump(content))
        config = load_company(path).config
    catalogue = Catalogue.of([d for d in DEFINITIONS if d.name in _KPIS], config)
    rules = FoldRules.from_config(config)
    as_of = config.business.as_of
    windows = WindowRules.from_config(config, rules.calendar)
    goals, working_days = goals_of(config, catalogue), working_days_of(config)
    plan = Evaluation(
        catalogue=catalogue,
        windows=windows,
        rates=Rates.from_config(config),
        calendar=rules.calendar,
        values_topic=VALUES,
        sources=SOURCES,
        experiments={trial_scope(each.name): each for each in config.experiments},
        experiments_topic=EXPERIMENTS,
        event_clock=config.business.clock == "event",
        money_exponent=2,
        alerts=AlertPlan(
            goals=goals,
            working=working_days,
            calendar=rules.calendar,
            windows=windows,
            topic=ALERTS,
            partitions=PARTIALS_PARTITIONS,
            log=no_alerts,
            clock_stands=as_of is not None,
        ),
        fixed_now_us=(
            None if as_of is None else last_instant_of(as_of.toordinal(), rules.calendar)
        ),
    )
    accepted = Rules.from_config(config)
    return SimulatedCompany(config, catalogue, rules, accepted, plan, goals, working_days)
