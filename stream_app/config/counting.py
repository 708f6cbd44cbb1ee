"""The sections that say what is counted and shown: pipelines, windows, history, measures, KPIs."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import fields
from decimal import Decimal
from typing import Final, Literal

from stream_app.config.model import (
    DEFAULT_WINDOWS,
    CustomKpi,
    History,
    Measure,
    Pipeline,
    Split,
    Stage,
)
from stream_app.config.nearest import hint, shown
from stream_app.config.scalars import IDENTIFIER, UNIT, choice, probability, prose, whole
from stream_app.config.splits import split_among
from stream_app.config.yaml_nodes import Reader, Section, Value, list_of

CheckFormula = Callable[[str], str | None]
"""Returns what is wrong with a formula, or None."""

CALENDAR_WINDOWS: Final = ("day", "week", "month", "quarter", "year")
BETTER: Final[tuple[Literal["higher", "lower"], ...]] = ("higher", "lower")

_NAMED_WINDOWS: Final = ("hour", *CALENDAR_WINDOWS)
_ROLLING: Final = re.compile(r"([1-9][0-9]{0,5})d")
_ROLLING_DAYS_MAX: Final = 3_660
_HISTORY_MAX: Final = 3_660
_RESERVED_KPIS: Final = frozenset(
    {
        "target",
        "target_attainment",
        "target_coaching_state",
        "target_reason",
        "target_state",
    }
)


def read_pipelines(value: Value | None) -> dict[str, Pipeline]:
    """The section `pipelines`."""
    if value is None:
        return {}
    entries = value.entries("a mapping like {default: {stages: [{name: qualified}]}}")
    return {name: Pipeline(name=name, stages=_stages(entry)) for name, entry in entries.items()}


def _stages(pipeline: Value) -> tuple[Stage, ...]:
    listed = pipeline.section(("stages",), required=("stages",)).get("stages")
    if listed is None:
        return ()
    stages: dict[str, Stage] = {}
    items = listed.items("a list of stages, like [{name: qualified, probability: 0.1}]")
    if listed.is_list and not items:
        listed.error("has no stage; write at least one")
    for item in items:
        section = item.section(("name", "probability"), required=("name",))
        name = section.read("name", Value.text)
        chance = section.read_or("probability", probability, Decimal(0))
        if name is None:
            continue
        if name in stages:
            item.error(f"a stage {shown(name)} is already in this pipeline; rename or remove one")
        stages.setdefault(name, Stage(name=name, probability=chance))
    return tuple(stages.values())


def read_windows(value: Value | None) -> tuple[str, ...]:
    """The section `windows`."""
    if value is None:
        return DEFAULT_WINDOWS
    windows: list[str] = []
    items = value.items("a list of windows, like [day, month, 30d]")
    if value.is_list and not items:
        value.error("has no window; write at least one")
    for item in items:
        window = _window(item)
        if window is None:
            continue
        if window in windows:
            item.error(f"{window!r} is listed twice; remove one")
        else:
            windows.append(window)
    return tuple(windows)


def _window(value: Value) -> str | None:
    text = value.text()
    if text is None or text in _NAMED_WINDOWS:
        return text
    match = _ROLLING.fullmatch(text)
    if match is None:
        end = hint(text, (*_NAMED_WINDOWS, "30d"))
        value.error(f"{shown(text)} is not a window{end}")
        return None
    if int(match[1]) > _ROLLING_DAYS_MAX:
        value.error(f"{text} is too long; at most {_ROLLING_DAYS_MAX}d")
        return None
    return text


def window_among(windows: Collection[str] | None) -> Reader[str]:
    """One of the configured windows; None: any window."""
    if windows is None:
        return _window

    def read(value: Value) -> str | None:
        text = value.text()
        if text is None or text in windows:
            return text
        value.error(f"{shown(text)} is not among the windows{hint(text, windows)}")
        return None

    return read


def read_history(value: Value | None) -> History:
    """The section `history`: closed windows kept, besides the current one."""
    if value is None:
        return History()
    section = value.section(CALENDAR_WINDOWS)
    read = whole(0, _HISTORY_MAX)
    defaults = {item.name: getattr(History(), item.name) for item in fields(History)}
    return History(**{unit: section.read_or(unit, read, defaults[unit]) for unit in defaults})


def read_measures(value: Value | None, built_in: Collection[str]) -> dict[str, Measure]:
    """The section `measures`: what `crm.measure.recorded.v1` may name."""
    measures: dict[str, Measure] = {}
    if value is None:
        return measures
    for name, entry in value.entries("a mapping like {defects: {unit: count}}").items():
        section = Section({}) if entry.is_null else entry.section(("unit",))
        if IDENTIFIER(entry.key) is None:
            continue
        if name in built_in:
            entry.key.error(f"{name!r} is a built-in measure; choose another name")
        measures[name] = Measure(name=name, unit=section.read_or("unit", UNIT, "count"))
    return measures


def read_kpis(
    value: Value | None,
    *,
    splits: Sequence[Split] | None,
    windows: Collection[str] | None,
    check_formula: CheckFormula | None,
) -> dict[str, CustomKpi]:
    """The section `kpis`: added to the built-in catalogue, or in place of one of its entries."""
    if value is None:
        return {}

    def formula(value: Value) -> str | None:
        text = prose(value)
        problem = None if text is None or check_formula is None else check_formula(text)
        if problem is not None:
            value.error(problem)
        return text

    kpis: dict[str, CustomKpi] = {}
    known = (
        "formula",
        "unit",
        "better",
        "title",
        "definition",
        "requires",
        "dimensions",
        "windows",
    )
    for name, entry in value.entries("a mapping like {name: {formula: …, unit: …}}").items():
        section = entry.section(known, required=("formula", "unit"))
        if IDENTIFIER(entry.key) is None:
            continue
        if name in _RESERVED_KPIS:
            entry.key.error(f"kpi_{name} is a metric of the targets; choose another name")
        kpis[name] = CustomKpi(
            name=name,
            formula=section.read_or("formula", formula, ""),
            unit=section.read_or("unit", UNIT, ""),
            better=section.read_or("better", choice(BETTER), "higher"),
            title=section.read_or("title", prose, ""),
            definition=section.read_or("definition", prose, ""),
            requires=section.read("requires", prose),
            dimensions=section.read("dimensions", list_of(split_among(splits), "[company, team]")),
            windows=section.read("windows", list_of(window_among(windows), "[month, 30d]")),
        )
    return kpis
