"""The section `targets`: what the KPIs should reach (contract.md, section 7)."""

from collections.abc import Collection, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final, Literal

from stream_app.config.counting import window_among
from stream_app.config.model import Benchmark, Split, Target
from stream_app.config.nearest import hint, shown
from stream_app.config.scalars import (
    choice,
    day,
    duration_us,
    file_path,
    growth,
    number,
    prose,
    whole,
)
from stream_app.config.splits import COMPANY, split_among
from stream_app.config.yaml_nodes import Reader, Section, Value
from stream_app.domain.silence import SILENT_SOURCES

WISHES: Final = ("at_least", "at_most", "growth", "values_from")
KEYS: Final = (
    "name",
    "kpi",
    "window",
    "dimension",
    "member",
    *WISHES,
    "over",
    "resolve_at",
    "for",
    "min_sample",
    "by",
    "owner",
    "severity",
    "repeat_misses",
    "no_data",
    "pace",
    "benchmark",
)

_OVER: Final[tuple[Literal["previous", "last_year"], ...]] = ("previous", "last_year")
_PACES: Final[tuple[Literal["working_days", "calendar_days"], ...]] = (
    "working_days",
    "calendar_days",
)
_SEVERITIES: Final[tuple[Literal["info", "warning", "critical"], ...]] = (
    "info",
    "warning",
    "critical",
)
_PACED_WINDOWS: Final = frozenset({"week", "month", "quarter", "year"})
_NO_LAST_YEAR: Final = frozenset({"hour", "day"})
_SAMPLE_MAX: Final = 10**9
_MISSES_MAX: Final = 1_000


def read_targets(
    value: Value | None,
    *,
    kpis: Collection[str] | None,
    splits: Sequence[Split] | None,
    windows: Collection[str] | None,
    base_dir: Path,
) -> tuple[Target, ...]:
    """The section `targets`.

    Args:
        value: the section.
        kpis: names of all KPIs, built-in and added; None: names are not checked.
        splits: the configured splits; None: any.
        windows: the configured windows; None: any.
        base_dir: what relative file names start from.
    """
    if value is None:
        return ()
    names: set[str] = set()
    targets = []
    for item in value.items("a list of targets"):
        section = item.section(KEYS, required=("name", "kpi", "window"))
        target = _target(section, _kpi_among(kpis), split_among(splits), windows, base_dir)
        if item.is_mapping:
            _check_wish(item, section, target)
        if target.name and target.name in names:
            item.error(f"a target {shown(target.name)} is already there; rename or remove one")
        if target.name.startswith(SILENT_SOURCES):
            item.error(
                f"the name {shown(target.name)} is that of a silent source's alert; "
                f"begin it with something else than {SILENT_SOURCES}",
            )
        names.add(target.name)
        targets.append(target)
    return tuple(targets)


def _target(
    section: Section,
    kpi: Reader[str],
    split: Reader[Split],
    windows: Collection[str] | None,
    base_dir: Path,
) -> Target:
    dimension = section.read_or("dimension", split, COMPANY)
    is_company = dimension == COMPANY
    member = section.read_or("member", Value.text, "all" if is_company else "*")
    return Target(
        name=section.read_or("name", Value.text, ""),
        kpi=section.read_or("kpi", kpi, ""),
        window=section.read_or("window", window_among(windows), ""),
        dimension=dimension,
        member="all" if is_company and member == "*" else member,
        at_least=section.read("at_least", number),
        at_most=section.read("at_most", number),
        growth=section.read("growth", growth),
        over=section.read("over", choice(_OVER)),
        values_from=section.read("values_from", file_path(base_dir)),
        resolve_at=section.read("resolve_at", number),
        for_us=section.read_or("for", duration_us(0), 0),
        min_sample=section.read_or("min_sample", whole(0, _SAMPLE_MAX), 0),
        by=section.read("by", day),
        owner=section.read("owner", Value.text),
        severity=section.read_or("severity", choice(_SEVERITIES), "warning"),
        repeat_misses=section.read("repeat_misses", whole(1, _MISSES_MAX)),
        no_data_us=section.read("no_data", duration_us()),
        pace=section.read("pace", choice(_PACES)),
        benchmark=section.read("benchmark", _benchmark),
    )


def _check_wish(item: Value, section: Section, target: Target) -> None:
    """What the keys of one target must be to each other."""
    wishes = [key for key in WISHES if section.get(key) is not None]
    if len(wishes) != 1:
        got = f"has {' and '.join(wishes)}" if wishes else "has no threshold"
        item.error(f"{got}; write exactly one of {', '.join(WISHES)}")
    is_stray = target.dimension == COMPANY and target.member != "all"
    if is_stray and (member := section.get("member")):
        member.error(f"the company has no member {shown(target.member)}; write a dimension")
    if (pace := section.get("pace")) and target.window not in {"", *_PACED_WINDOWS}:
        pace.error(
            f"has no meaning in the window {target.window!r}; "
            "use week, month, quarter or year, or remove it",
        )
    if over := section.get("over"):
        _check_over(over, target, grows="growth" in wishes)
    elif "growth" in wishes:
        item.error("growth over what? write over: previous or over: last_year")
    if resolve_at := section.get("resolve_at"):
        _check_resolve_at(resolve_at, target, has_threshold=bool({*WISHES[:2]} & {*wishes}))


def _check_over(value: Value, target: Target, *, grows: bool) -> None:
    if not grows:
        value.error("goes with growth only; remove it")
    elif target.over == "last_year" and target.window in _NO_LAST_YEAR:
        value.error(f"last_year is not defined for {target.window!r}; write previous")


def _check_resolve_at(value: Value, target: Target, *, has_threshold: bool) -> None:
    if not has_threshold:
        value.error("goes with at_least or at_most only; remove it")
    if target.resolve_at is None:
        return
    if target.at_least is not None and target.resolve_at < target.at_least:
        value.error(f"{target.resolve_at} is below at_least {target.at_least}; raise it")
    if target.at_most is not None and target.resolve_at > target.at_most:
        value.error(f"{target.resolve_at} is above at_most {target.at_most}; lower it")


def _kpi_among(known: Collection[str] | None) -> Reader[str]:
    def read(value: Value) -> str | None:
        name = value.text()
        if name is None or known is None or name in known:
            return name
        value.error(f"no KPI is called {shown(name)}{hint(name, known)}")
        return None

    return read


def _benchmark(value: Value) -> Benchmark | None:
    section = value.section(("value", "source"), required=("value",))
    return Benchmark(
        value=section.read_or("value", number, Decimal(0)),
        source=section.read("source", prose),
    )
