"""From totals to KPI values: which records a scope has at a moment, and what they say."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from stream_app.domain.catalogue import Catalogue
from stream_app.domain.formula import Number, Sides
from stream_app.domain.kpi import Kpi
from stream_app.domain.scopes import COMPANY, split_scope
from stream_app.domain.totals import ScopeTotals
from stream_app.domain.windows import Window, WindowRules


@dataclass(frozen=True, slots=True)
class KpiValue:
    """One KPI of one scope in one window.

    Attributes:
        value: None while undefined; counts, shares, seconds, points, or major units of the
            business currency.
        numerator: of the formula's outermost quotient, else None; `denominator` likewise.
        previous: the same KPI one window earlier, cut like a comparison.
    """

    kpi: Kpi
    scope: str
    window: Window
    value: Number | None
    numerator: Number | None
    denominator: Number | None
    previous: Number | None


class Evaluator:
    """Evaluates the catalogue over the windows of a moment."""

    def __init__(self, catalogue: Catalogue, windows: WindowRules) -> None:
        self._catalogue = catalogue
        self._windows = windows

    def windows_at(self, now_us: int) -> tuple[Window, ...]:
        """All windows that have records at that moment: running ones first, then the history."""
        return (*self._windows.current(now_us), *self._windows.closed(now_us))

    def values(
        self,
        scope: str,
        totals: ScopeTotals,
        windows: Iterable[Window],
        only: Collection[str] | None = None,
    ) -> Iterator[KpiValue]:
        """The records that exist.

        A record exists where one of the KPI's measures is other than zero in the window; in a
        running window also where one was in the window before, and always for the company, so
        that a wall shows 0 rather than nothing.

        Args:
            scope: its key.
            totals: what it has counted.
            windows: of one moment, from `windows_at`.
            only: names of the KPIs to look at; None for all.
        """
        dimension, _ = split_scope(scope)
        for window in windows:
            for kpi in self._catalogue.existing(dimension, window.kind, closed=window.complete):
                if only is not None and kpi.name not in only:
                    continue
                if self._has_record(scope, totals, kpi, window):
                    yield evaluate(scope, totals, kpi, window)

    @staticmethod
    def _has_record(scope: str, totals: ScopeTotals, kpi: Kpi, window: Window) -> bool:
        measures = kpi.measures
        if any(totals.is_touched(measure, window.range) for measure in measures):
            return True
        if window.complete:
            return False
        earlier = window.previous
        return scope == COMPANY or (
            earlier is not None and any(totals.is_touched(measure, earlier) for measure in measures)
        )


def evaluate(scope: str, totals: ScopeTotals, kpi: Kpi, window: Window) -> KpiValue:
    """One KPI over one window of one scope, with its previous value."""
    sides, earlier = Sides.of(window), Sides.one_step_earlier(window)
    result = kpi.formula.evaluate(totals, sides)
    value = result.value
    previous = kpi.formula.evaluate(totals, earlier).value
    if kpi.requires is not None:
        if not _holds(kpi.requires.evaluate(totals, sides).value):
            value = None
        if not _holds(kpi.requires.evaluate(totals, earlier).value):
            previous = None
    return KpiValue(kpi, scope, window, value, result.numerator, result.denominator, previous)


def _holds(value: Number | None) -> bool:
    return value is not None and value > 0
