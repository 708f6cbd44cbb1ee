"""Where everything of a chart lies, in the units of its view box (pure). The template draws it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from stream_app.board.formats import shown
from stream_app.reports.figures import Figure, Point, is_total

WIDTH: Final = 420.0
HEIGHT: Final = 190.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 58.0, 12.0, 16.0, 24.0
_TICKS: Final = 4
_LEAST_SPAN: Final = 1e-9
"""Values that are nearer to each other, and to 0, are drawn as one."""
_LABELS_MAX: Final = 7
_DAY: Final = 86_400
_HOUR: Final = 3_600
_STEPS: Final = (1, 2, 2.5, 5, 10)
_BAR_SHARE: Final = 0.62
_SPARK_WIDTH, _SPARK_HEIGHT = 88.0, 20.0
_SPARK_POINTS_MIN: Final = 2


@dataclass(frozen=True, slots=True)
class Label:
    """A text beside a tick."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A bar from `top` to `base`, or a dot at `top`; `is_last` is the window reported."""

    x: float
    top: float
    base: float
    width: float
    tip: str
    is_last: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """A trend: bars for totals, a line for everything else.

    Attributes:
        lines: SVG point lists; the line breaks where there is no value.
        base: the lower edge; `zero` is where 0 lies.
        target: where the target's line lies.
        summary: the whole as a sentence, for those who hear it.
    """

    title: str
    unit: str
    left: float
    right: float
    base: float
    zero: float
    y_labels: tuple[Label, ...]
    x_labels: tuple[Label, ...]
    bars: tuple[Mark, ...]
    lines: tuple[str, ...]
    dots: tuple[Mark, ...]
    target: Label | None
    last: Label | None
    last_x: float
    summary: str


def chart(figure: Figure, currency: str) -> Chart | None:
    """The trend of a figure; None with fewer than two values."""
    points = figure.trend
    values = [point.value for point in points if point.value is not None]
    if len(values) < _SPARK_POINTS_MIN or not any(values):
        return None
    unit = figure.kpi.definition.unit
    wanted = next((goal.value for goal in figure.targets if goal.value is not None), None)
    ticks = nice_ticks([*values, *([wanted] if wanted is not None else [])], unit)
    low, high = ticks[0], ticks[-1]
    base, top = HEIGHT - _BOTTOM, _TOP
    slot = (WIDTH - _LEFT - _RIGHT) / len(points)

    def x(place: int) -> float:
        return round(_LEFT + slot * (place + 0.5), 1)

    def y(value: float) -> float:
        return round(base - (value - low) / (high - low) * (base - top), 1)

    marks = [
        Mark(
            x(place),
            y(point.value),
            y(0.0),
            round(slot * _BAR_SHARE, 1),
            f"{point.label}: {shown(point.value, unit, currency)}",
            place == len(points) - 1,
        )
        for place, point in enumerate(points)
        if point.value is not None
    ]
    every = math.ceil(len(points) / _LABELS_MAX)
    last = marks[-1]
    is_bars = is_total(figure.kpi) and not figure.kpi.formula.reads_levels
    return Chart(
        title=figure.kpi.definition.title,
        unit=unit_name(unit, currency),
        left=_LEFT,
        right=WIDTH - _RIGHT,
        base=base,
        zero=y(0.0),
        y_labels=tuple(Label(y(tick), axis_text(tick, unit, ticks)) for tick in ticks),
        x_labels=tuple(
            Label(x(place), point.label)
            for place, point in enumerate(points)
            if (len(points) - 1 - place) % every == 0
        ),
        bars=tuple(marks) if is_bars else (),
        lines=() if is_bars else tuple(_runs(points, x, y)),
        dots=() if is_bars else tuple(marks),
        target=None if wanted is None else Label(y(wanted), f"target {figure.targets[0].wanted}"),
        last=Label(last.top, shown(points[-1].value, unit, currency)) if last.is_last else None,
        last_x=last.x,
        summary=f"{figure.kpi.definition.title}: " + "; ".join(mark.tip for mark in marks),
    )


def sparkline(points: Sequence[Point]) -> tuple[str, ...]:
    """A small trend without axes: point lists in a box of 88 by 20."""
    values = [point.value for point in points if point.value is not None]
    if len(values) < _SPARK_POINTS_MIN:
        return ()
    low, high = min(values), max(values)
    room = _SPARK_HEIGHT - 4

    def x(place: int) -> float:
        return round(2 + (_SPARK_WIDTH - 4) * place / max(1, len(points) - 1), 1)

    def y(value: float) -> float:
        share = (value - low) / (high - low) if high > low else 0.5
        return round(_SPARK_HEIGHT - 2 - room * share, 1)

    return tuple(_runs(points, x, y))


def _runs(points: Sequence[Point], x: object, y: object) -> list[str]:
    """Point lists of the unbroken parts of a line."""
    runs: list[list[str]] = [[]]
    for place, point in enumerate(points):
        if point.value is None:
            runs.append([])
        else:
            runs[-1].append(f"{x(place)},{y(point.value)}")  # type: ignore[operator] # functions
    return [" ".join(run) for run in runs if len(run) > 1]


def nice_ticks(values: Sequence[float], unit: str) -> list[float]:
    """Round numbers around the values; 0 is among them, unless the values are points."""
    low, high = min(*values, 0.0), max(*values, 0.0)
    if high - low < _LEAST_SPAN:
        high = low + 1
    raw = (high - low) / _TICKS
    scale = 1.0
    if unit == "seconds":
        scale = float(_DAY) if high >= 2 * _DAY else float(_HOUR) if high >= 2 * _HOUR else 60.0
    step = _nice(raw / scale) * scale
    if unit == "count":
        step = max(1.0, math.ceil(step))
    first, last = math.floor(low / step), math.ceil(high / step)
    return [number * step for number in range(first, last + 1)]


def _nice(raw: float) -> float:
    power = 10.0 ** math.floor(math.log10(raw))
    return next(step * power for step in _STEPS if step * power >= raw * 0.999)


def axis_text(value: float, unit: str, ticks: Sequence[float]) -> str:
    """A tick, short: `1.5M`, `20 %`, `30d`."""
    if value < 0:
        return f"\N{MINUS SIGN}{axis_text(-value, unit, ticks)}"
    size = max(abs(tick) for tick in ticks)
    if unit == "ratio":
        return f"{100 * value:,.10g} %" if size < 100 else f"{value:,.0f}"  # noqa: PLR2004
    if unit == "seconds":
        if size >= 2 * _DAY:
            return f"{value / _DAY:,.4g}d"
        return f"{value / _HOUR:,.4g}h" if size >= 2 * _HOUR else f"{value / 60:,.4g}m"
    for limit, letter in ((1e9, "bn"), (1e6, "M"), (1e4, "k")):
        if size >= limit:
            divisor = 1e3 if letter == "k" else limit
            return f"{value / divisor:,.4g}{letter}" if value else "0"
    return f"{value:,.10g}"


def unit_name(unit: str, currency: str) -> str:
    """The unit as the heading of an axis."""
    return {
        "count": "number",
        "currency": currency,
        "currency per day": f"{currency} a day",
        "ratio": "share",
        "seconds": "duration",
    }.get(unit, unit)
