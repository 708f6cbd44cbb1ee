"""One company's configuration, checked as a whole: what it wants, its KPIs, its state version."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from stream_app.config.load import load_config
from stream_app.config.model import Config
from stream_app.config.version import configuration_digest, state_version
from stream_app.domain.catalogue import Catalogue, wrong_formulas
from stream_app.domain.goal import Goal
from stream_app.domain.rules import FOLD_VERSION
from stream_app.domain.workdays import WorkingDays
from stream_app.goals import doubtful_targets, goals_of, working_days_of
from stream_app.kpis import BUILT_IN_NAMES, DEFINITIONS, catalogue
from stream_app.metrics.kpi_names import MetricNameClash, metric_names


@dataclass(frozen=True, slots=True)
class Company:
    """A configuration that can be run.

    Attributes:
        state_version: names everything that changes what is counted.
        configuration: names everything that changes what is published of it.
        goals: the targets, bound to their KPIs.
        working_days: for their pace.
    """

    config: Config
    catalogue: Catalogue
    state_version: str
    goals: tuple[Goal, ...] = ()
    working_days: WorkingDays = field(default_factory=WorkingDays)
    configuration: str = ""


def load_company(path: Path | None) -> Company:
    """Read and check the configuration file; None gives the defaults.

    Raises:
        ConfigErrors: everything that is wrong, each with file, line and the nearest valid name.
    """
    config = load_config(
        path,
        known_kpis=BUILT_IN_NAMES,
        checks=(_wrong_formulas, _clashing_metric_names, doubtful_targets),
    )
    kpis = catalogue(config)
    goals = goals_of(config, kpis)
    return Company(
        config=config,
        catalogue=kpis,
        state_version=state_version(config, FOLD_VERSION),
        goals=goals,
        working_days=working_days_of(config),
        configuration=configuration_digest(config, [goal.quotas for goal in goals]),
    )


def _wrong_formulas(config: Config) -> Iterator[tuple[str, str]]:
    for name, key, problem in wrong_formulas(DEFINITIONS, config):
        yield f"kpis.{name}.{key}", problem


def _clashing_metric_names(config: Config) -> Iterator[tuple[str, str]]:
    units = {definition.name: definition.unit for definition in DEFINITIONS}
    for kpi in config.kpis.values():
        units[kpi.name] = kpi.unit  # type: ignore[assignment] # any unit that the loader accepts
        try:
            metric_names(units)
        except MetricNameClash as error:
            del units[kpi.name]
            yield f"kpis.{kpi.name}", str(error)
