"""The KPI gauges as exposition text, rendered in a worker thread from a snapshot of the board.

Not `GaugeMetricFamily` objects: the library needs 115 ms for 20,000 series each time and delays
every wake-up of the event loop by 6 ms meanwhile (measured). Here a scope's text is made once when
the scope changes, and joined at each scrape. The bytes are valid in Prometheus' text format and in
OpenMetrics alike (only HELP would escape differently, so it has no quotes).
"""

import math
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from stream_app.metrics.board import (
    Number,
    Sample,
    ScopeSeries,
    Snapshot,
    TargetSample,
    dimension_rank,
)
from stream_app.metrics.kpi_names import (
    PREVIOUS_VALUE,
    RESERVED_NAMES,
    TARGET_ATTAINMENT,
    TARGET_COACHING,
    TARGET_REASON,
    TARGET_STATE,
    TARGET_VALUE,
    escaped_label,
    is_money,
    metric_name,
)

_RESERVED_HELP: Final = {
    PREVIOUS_VALUE: "A KPI one window earlier, cut like the running one, in the unit of the KPI.",
    TARGET_VALUE: "What a target asks for, in the unit of its KPI.",
    TARGET_ATTAINMENT: "How much of a target is reached; 1 is met.",
    TARGET_STATE: "State of a target: 0 ok, 1 pending, 2 firing, 3 achieved.",
    TARGET_REASON: "Why a target is in its state, or is not judged, and whether that is about the"
    " running window or the one that ended last; the value is always 1.",
    TARGET_COACHING: "Whether a target was missed in as many closed windows in a row as"
    " repeat_misses says: 0 no, 2 yes.",
}
_SIZE_MAX = 2**40 - 1
_TARGET_CLASS, _OTHER_CLASS = 2, 3
_FIRST_RANK = (_OTHER_CLASS + 1) * (_SIZE_MAX + 1)
"""Of what is dropped first: an alert can do without its reason, not without its state."""
_SLICE_SECONDS = 0.001
_PAUSE_SECONDS = 0.0005


@dataclass(frozen=True, slots=True)
class Page:
    """The KPI part of the exposition.

    Attributes:
        text: whole metric families, sorted by name; empty without series.
        series: how many series it has.
        dropped: how many more there would be without the limit.
    """

    text: bytes
    series: int
    dropped: int


NO_PAGE: Final = Page(b"", 0, 0)


class _Block(NamedTuple):
    """A scope's lines within one family and, line by line, how soon each may be dropped."""

    text: bytes
    ranks: tuple[int, ...]


class _Family(NamedTuple):
    name: str
    head: str  # up to where the labels that differ begin


class KpiGauges:
    """Renders the snapshots of one board, in one thread at a time.

    It keeps each scope's text, and an unchanged board's page, for the next scrape.
    """

    def __init__(self, *, currency: str, help_texts: Mapping[str, str] | None = None) -> None:
        """Take the business currency, and definitions by KPI (none: the KPI's name and unit)."""
        self._currency = currency
        self._help_texts = help_texts or {}
        self._families: dict[tuple[str, str], _Family] = {}
        self._headers = {name: _header(name, text) for name, text in _RESERVED_HELP.items()}
        self._rendered: dict[ScopeSeries, dict[str, _Block]] = {}
        self._version: int | None = None
        self._page = NO_PAGE

    def render(self, snapshot: Snapshot) -> Page:
        """Return the page of a snapshot; of an unchanged one at once.

        At most `series_max` series: company's and teams' before those of targets before all
        others, each by sample size. A target's state outlives other members' values because its
        absence would resolve an alert.
        """
        if snapshot.version != self._version:
            pace = _Pace()
            before, self._rendered = self._rendered, {}
            for scope in snapshot.scopes:
                blocks = before.get(scope)
                if blocks is None:
                    blocks = self._blocks(scope)
                    pace.keep()
                self._rendered[scope] = blocks
            self._page = self._assemble([*self._rendered.values()], snapshot, pace)
            self._version = snapshot.version
        return self._page

    def _blocks(self, scope: ScopeSeries) -> dict[str, _Block]:
        # Keyed by labels: should a scope name a series twice, the last one stands.
        lines: dict[str, dict[str, tuple[str, int]]] = {}
        labels_by_place: dict[tuple[str, str, str], str] = {}
        for sample in scope.samples:
            value = _number(sample.value)
            if value is None:
                continue
            family = self._families.get((sample.kpi, sample.unit)) or self._family(sample)
            place = (sample.dimension, sample.member, sample.window)
            labels = labels_by_place.get(place)
            if labels is None:
                labels = labels_by_place[place] = _labels(*place)
            lines.setdefault(family.name, {})[labels] = (
                f"{family.head}{labels}}} {value}\n",
                _rank(sample),
            )
            before = None if sample.previous is None else _number(sample.previous)
            if before is not None:
                said = f'{labels},kpi="{escaped_label(sample.kpi)}"'
                lines.setdefault(PREVIOUS_VALUE, {})[said] = (
                    f"{PREVIOUS_VALUE}{{{said}}} {before}\n",
                    _rank(sample),
                )
        for goal in scope.targets:
            _add_target(lines, goal)
        return {
            name: _Block(
                "".join(line for line, _ in by_labels.values()).encode("utf-8", "replace"),
                tuple(rank for _, rank in by_labels.values()),
            )
            for name, by_labels in lines.items()
        }

    def _family(self, sample: Sample) -> _Family:
        name = metric_name(sample.kpi, sample.unit)
        money = f'currency="{escaped_label(self._currency)}",' if is_money(sample.unit) else ""
        family = _Family(name, f"{name}{{{money}")
        self._families[sample.kpi, sample.unit] = family
        text = self._help_texts.get(sample.kpi) or f"KPI {sample.kpi}, unit {sample.unit}."
        if name not in RESERVED_NAMES:
            self._headers[name] = _header(name, text)
        return family

    def _assemble(self, scopes: list[dict[str, _Block]], snapshot: Snapshot, pace: "_Pace") -> Page:
        total = sum(len(block.ranks) for blocks in scopes for block in blocks.values())
        if total > snapshot.series_max:
            scopes = _cut(scopes, snapshot.series_max, pace)
        texts: dict[str, list[bytes]] = {}
        for blocks in scopes:
            for name, block in blocks.items():
                texts.setdefault(name, [self._headers[name]]).append(block.text)
            pace.keep()
        series = min(total, snapshot.series_max)
        text = b"".join(part for name in sorted(texts) for part in texts[name])
        return Page(text, series, total - series + snapshot.withheld)


class _Pace:
    """Gives the event loop its turn while a thread renders.

    A computing thread hands the interpreter lock over only every 5 ms, which each of the loop's
    wake-ups would wait for. Pausing after every millisecond makes that one (decided by the
    measurement in tests/metrics/test_latency.py).
    """

    def __init__(self) -> None:
        self._since = time.perf_counter()

    def keep(self) -> None:
        if time.perf_counter() - self._since > _SLICE_SECONDS:
            time.sleep(_PAUSE_SECONDS)
            self._since = time.perf_counter()


def _cut(scopes: list[dict[str, _Block]], series_max: int, pace: _Pace) -> list[dict[str, _Block]]:
    """Keep the `series_max` series of lowest rank; among equals those of the earlier scopes."""
    counts: Counter[int] = Counter()
    for blocks in scopes:
        for block in blocks.values():
            counts.update(block.ranks)
        pace.keep()
    left, last_rank = series_max, -1
    for last_rank in sorted(counts):
        if counts[last_rank] > left:
            break
        left -= counts[last_rank]
    kept: list[dict[str, _Block]] = []
    for blocks in scopes:
        chosen: dict[str, _Block] = {}
        for name, block in blocks.items():
            lines: list[bytes] = []
            for line, rank in zip(block.text.split(b"\n"), block.ranks, strict=False):
                if rank < last_rank or (rank == last_rank and left > 0):
                    left -= rank == last_rank
                    lines.append(line + b"\n")
            if lines:
                chosen[name] = _Block(b"".join(lines), ())
        kept.append(chosen)
        pace.keep()
    return kept


def _add_target(lines: dict[str, dict[str, tuple[str, int]]], goal: TargetSample) -> None:
    labels = (
        f"{_labels(goal.dimension, goal.member, goal.window)}"
        f',kpi="{escaped_label(goal.kpi)}",target="{escaped_label(goal.target)}"'
    )
    rank = min(dimension_rank(goal.dimension), _TARGET_CLASS) * (_SIZE_MAX + 1)
    for name, number in (
        (TARGET_VALUE, goal.target_value),
        (TARGET_ATTAINMENT, goal.attainment),
        (TARGET_STATE, goal.state),
        (TARGET_COACHING, goal.coaching),
    ):
        value = None if number is None else _number(number)
        if value is not None:
            lines.setdefault(name, {})[labels] = (f"{name}{{{labels}}} {value}\n", rank)
    if goal.reason:
        about = "closed" if goal.of_closed else "running"
        why = f'{labels},about="{about}",reason="{escaped_label(goal.reason)}"'
        lines.setdefault(TARGET_REASON, {})[why] = (f"{TARGET_REASON}{{{why}}} 1.0\n", _FIRST_RANK)


def _rank(sample: Sample) -> int:
    """Return a number that is lower the later a series is dropped."""
    place = dimension_rank(sample.dimension)
    kind = _OTHER_CLASS if place == _TARGET_CLASS else place
    return kind * (_SIZE_MAX + 1) + _SIZE_MAX - min(sample.sample_size or 0, _SIZE_MAX)


def _labels(dimension: str, member: str, window: str) -> str:
    return (
        f'dimension="{escaped_label(dimension)}",member="{escaped_label(member)}"'
        f',window="{escaped_label(window)}"'
    )


def _number(value: Number) -> str | None:
    """Return the sample's value as text that reads back exactly; None if it is not finite."""
    try:
        number = float(value)
    except OverflowError:
        return None
    return repr(number + 0.0) if math.isfinite(number) else None  # + 0.0: no "-0.0"


def _header(name: str, text: str) -> bytes:
    escaped = text.replace("\\", r"\\").replace("\n", r"\n").replace('"', "'")
    return f"# HELP {name} {escaped}\n# TYPE {name} gauge\n".encode("utf-8", "replace")
