"""Every KPI in every window, from cells of `reference`."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from stream_app.config.model import Config
from tests.oracle.reference_kpis import CALENDAR, HOURS, KPIS, STUCK, Kpi
from tests.oracle.reference_sums import Asked, Side, Sums, Undefined
from tests.oracle.reference_terms import Cells
from tests.oracle.reference_windows import Frame, Windows


@dataclass(frozen=True)
class Value:
    """One KPI of one member in one window; instants in microseconds, `end` excluded."""

    value: Fraction | None
    numerator: Fraction | None
    denominator: Fraction | None
    previous: Fraction | None
    start: int
    end: int
    complete: bool
    must_exist: bool


Key = tuple[str, str, int | None, str, str]
"""KPI, window, first day's ordinal of a closed calendar window (else None), dimension, member."""


class Evaluation:
    """All values at one instant."""

    def __init__(self, cells: Cells, config: Config, now: int) -> None:
        self.cells = cells
        self.config = config
        self.windows = Windows(config, now)
        self.sums = Sums(cells, config, self.windows.today)
        self.configured = frozenset("+".join(split) for split in config.dimensions)
        self.frames = {
            window: [self.windows.running(window)]
            + (list(self.windows.closed(window)) if window in CALENDAR else [])
            for window in config.windows
        }

    def values(self) -> dict[Key, Value]:
        found: dict[Key, Value] = {}
        for dimension, member in self.cells:
            for name, kpi in KPIS.items():
                for window in self.config.windows:
                    if window == "hour" and self.config.business.as_of is not None:
                        continue
                    if not kpi.exists(window, dimension, self.configured):
                        continue
                    for frame in self.frames[window]:
                        if self.is_kept(name, window, dimension, frame):
                            key = (name, window, frame.first, dimension, member)
                            found[key] = self.value(name, kpi, (dimension, member), frame)
        return found

    def is_kept(self, kpi: str, window: str, dimension: str, frame: Frame) -> bool:
        """Closed days are kept for the company and teams; stuck is as of now."""
        if frame.first is None:
            return True
        return kpi not in STUCK and (window != "day" or dimension in HOURS)

    def value(self, name: str, kpi: Kpi, cell: tuple[str, str], frame: Frame) -> Value:
        here = frame.compared if kpi.compares else frame.value
        asked = Asked(self.sums, cell, here, frame.previous, frame.last_year)
        earlier = Asked(
            self.sums, cell, frame.previous, frame.before_previous, frame.previous_last_year
        )
        top = defined(lambda: kpi.top(asked))
        bottom = None if kpi.bottom is None else defined(lambda: kpi.bottom(asked))  # type: ignore[misc]
        value = result(kpi, asked)
        return Value(
            value=value,
            numerator=None if kpi.bottom is None else top,
            denominator=bottom,
            # AMBIGUOUS: what is stuck "as of now" has nothing to be compared with.
            previous=None if name in STUCK else result(kpi, earlier),
            start=frame.span[0],
            end=frame.span[1],
            complete=self.windows.now >= frame.span[1],
            must_exist=bool(value) or self.has_measures(name, kpi, cell, frame.value),
        )

    def has_measures(self, name: str, kpi: Kpi, cell: tuple[str, str], side: Side) -> bool:
        if name == "forecast" and self.sums.amount(cell, "closing_value", Side(days=side.whole)):
            return True
        return any(self.sums.amount(cell, measure, side) for measure in kpi.measures)


def result(kpi: Kpi, asked: Asked) -> Fraction | None:
    """The value; None where it is undefined."""

    def quotient() -> Fraction:
        top = kpi.top(asked)
        if kpi.bottom is not None:
            bottom = kpi.bottom(asked)
            if bottom == 0:
                raise Undefined
            top /= bottom
        if not kpi.holds(asked):
            raise Undefined
        return top

    return defined(quotient)


def defined(ask: Callable[[], Fraction]) -> Fraction | None:
    try:
        return ask()
    except Undefined:
        return None


def values(cells: Cells, config: Config, now: int) -> dict[Key, Value]:
    """Every KPI, for every member, in every window."""
    return Evaluation(cells, config, now).values()
