"""The one YAML file -> `Config`, or everything that is wrong with it at once."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal

from stream_app.config.business import read_business, read_rates
from stream_app.config.compose import compose, read_file
from stream_app.config.counting import (
    CheckFormula,
    read_history,
    read_kpis,
    read_measures,
    read_pipelines,
    read_windows,
)
from stream_app.config.crm import (
    read_experiments,
    read_links,
    read_silent_sources,
    read_sources,
)
from stream_app.config.errors import ConfigError, ConfigErrors, Doubt, Report
from stream_app.config.model import DEFAULT_STUCK_AFTER_DAYS, Config
from stream_app.config.people import read_directory, read_notify
from stream_app.config.scalars import choice, days
from stream_app.config.splits import known_dimensions, read_credit, read_splits
from stream_app.config.targets import read_targets
from stream_app.config.yaml_nodes import Document, Section, Value, plain
from stream_app.domain.currencies import MINOR_UNIT_EXPONENTS
from stream_app.domain.measures import BUILT_IN

Finding = tuple[str, str] | ConfigError | Doubt
"""(key path, message) of what is wrong in the main file, an error in another file, or a doubt."""

Check = Callable[[Config], Iterable[Finding]]
"""Looks at the whole configuration and yields what it finds."""

SECTIONS: Final = (
    "business",
    "currencies",
    "pipelines",
    "stuck_after",
    "customers",
    "dimensions",
    "credit",
    "windows",
    "history",
    "measures",
    "kpis",
    "targets",
    "notify",
    "directory",
    "sources",
    "links",
    "silent_sources",
    "experiments",
    "poison",
)

_ACTIVATE_ON: Final[tuple[Literal["event", "win"], ...]] = ("event", "win")
_POISON: Final = ("stop", "dead_letter")


def load_config(
    path: Path | None,
    *,
    known_kpis: Collection[str] | None = None,
    check_formula: CheckFormula | None = None,
    checks: Sequence[Check] = (),
) -> Config:
    """Read the configuration file; `None` gives the defaults (time zone UTC, currency EUR).

    Relative file names in it start from its own folder. The other parameters are those of
    `parse_config`.

    Raises:
        ConfigErrors: it cannot be read or used.
    """
    if path is None:
        return parse_config("", "defaults", Path())
    report = Report(str(path))
    text = read_file(path, report)
    report.raise_if_any()
    return parse_config(
        text or "",
        str(path),
        path.parent,
        known_kpis=known_kpis,
        check_formula=check_formula,
        checks=checks,
    )


def parse_config(
    text: str,
    filename: str,
    base_dir: Path,
    *,
    known_kpis: Collection[str] | None = None,
    check_formula: CheckFormula | None = None,
    checks: Sequence[Check] = (),
) -> Config:
    """Read a configuration's text.

    Args:
        text: YAML; an empty document is the defaults.
        filename: how messages call it.
        base_dir: the folder that relative file names start from.
        known_kpis: the built-in KPIs' names, which targets may name beside the added ones; None:
            names are not checked.
        check_formula: says what is wrong with the formula of an added KPI.
        checks: look at the result as a whole, also when other errors were found: sections then
            hold what could be read. A message for a path already known to be wrong is dropped.

    Raises:
        ConfigErrors: it cannot be used; everything that is wrong.
    """
    report = Report(filename)
    root = compose(text, filename, report)
    config = _read(root, base_dir, report, known_kpis, check_formula)
    found = [finding for check in checks for finding in check(config)]
    lines = {} if root is None else root.document.lines
    for finding in found:
        _report(finding, filename, lines, report)
    report.raise_if_any()
    return replace(config, warnings=report.warnings, raw=_raw(root))


def _read(
    root: Value | None,
    base_dir: Path,
    report: Report,
    known_kpis: Collection[str] | None,
    check_formula: CheckFormula | None,
) -> Config:
    top = Section({}) if root is None or root.is_null else root.section(SECTIONS)
    currencies = MINOR_UNIT_EXPONENTS
    business = read_business(top.get("business"), currencies)
    splits = read_splits(top.get("dimensions"))
    dimensions = known_dimensions(splits)
    windows = read_windows(top.get("windows"))
    pipelines = read_pipelines(top.get("pipelines"))
    # What is wrong with a list of names is told once, not again where a name of it is used.
    usable_splits = None if report.has_error_at("dimensions") else splits
    usable_windows = None if report.has_error_at("windows") else windows
    usable_pipelines = {} if report.has_error_at("pipelines") else pipelines
    kpis = read_kpis(
        top.get("kpis"),
        splits=usable_splits,
        windows=usable_windows,
        check_formula=check_formula,
    )
    reps, team_names = read_directory(top.get("directory"), base_dir, report)
    customers = top.get("customers")
    chosen = Section({}) if customers is None else customers.section(("activate_on",))
    return Config(
        business=business,
        currencies=read_rates(top.get("currencies"), business.currency, currencies),
        pipelines=pipelines,
        stuck_after_days=top.read_or("stuck_after", days(0), DEFAULT_STUCK_AFTER_DAYS),
        activate_on=chosen.read_or("activate_on", choice(_ACTIVATE_ON), "event"),
        dimensions=splits,
        credit=read_credit(top.get("credit"), splits),
        windows=windows,
        history=read_history(top.get("history")),
        measures=read_measures(top.get("measures"), BUILT_IN),
        kpis=kpis,
        directory=reps,
        team_names=team_names,
        targets=read_targets(
            top.get("targets"),
            kpis=None if known_kpis is None else {*known_kpis, *kpis},
            splits=usable_splits,
            windows=usable_windows,
            base_dir=base_dir,
        ),
        notify=read_notify(top.get("notify"), base_dir),
        sources=read_sources(top.get("sources"), pipelines=usable_pipelines, dimensions=dimensions),
        links=read_links(top.get("links")),
        silent_sources_us=read_silent_sources(top.get("silent_sources")),
        experiments=read_experiments(top.get("experiments"), dimensions),
        poison_stop=top.read("poison", choice(_POISON)) == "stop",
    )


def _report(finding: Finding, filename: str, lines: dict[str, int], report: Report) -> None:
    """Tell a finding, unless its place is already known to be wrong."""
    if isinstance(finding, ConfigError):
        report.add(finding)
        return
    is_doubt = isinstance(finding, Doubt)
    path, message = (finding.path, finding.message) if isinstance(finding, Doubt) else finding
    told = ConfigError(filename, _line_of(path, lines), path, message)
    if report.has_error_at(path):
        return
    if is_doubt:
        report.warn(told)
    else:
        report.add(told)


def _line_of(path: str, lines: dict[str, int]) -> int:
    """The line of a key path, or of the nearest key above it."""
    while path and path not in lines:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return lines.get(path, 1)


def _raw(root: Value | None) -> dict[str, object]:
    if root is None or not root.is_mapping:
        return {}
    fresh = Document(root.document.filename, Report(root.document.filename), {})
    found = plain(replace(root, document=fresh))
    return found if isinstance(found, dict) else {}


__all__ = ["Check", "CheckFormula", "ConfigErrors", "Finding", "load_config", "parse_config"]
