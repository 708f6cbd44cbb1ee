"""From totals to KPI values: which records a scope has at a moment, and what they say."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from stream_app.domain.catalogue import Catalogue
from stream_app.domain.kpi import Kpi
from stream_app.domain.scopes import COMPANY, split_scope
from stream_app.domain.totals import ScopeTotals
from stream_app.domain.views import Number, Reading, Result, Sides, Views
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

        A record exists where one of the KPI's measures is other than zero in the window, or in the
        one that its formula compares it with (in either, wherever the formula reads it); in a
        running window also where one was in the window before, and always for the company, so that
        a wall shows 0 rather than nothing.

        Args:
            scope: its key.
            totals: what it has counted.
            windows: of one moment, from `windows_at`.
            only: names of the KPIs to look at; None for all.
        """
        dimension, _ = split_scope(scope)
        views = Views(totals, self._catalogue.measures_of(only))
        for window in windows:
            kpis = self._catalogue.existing(dimension, window.kind, closed=window.complete)
            if only is not None:
                kpis = tuple(kpi for kpi in kpis if kpi.name in only)
            if not kpis:
                continue
            sides, earlier = views.sides(window), views.sides_one_step_earlier(window)
            if window.complete and not any(view.touched for view in sides if view is not None):
                kpis = tuple(kpi for kpi in kpis if kpi.formula.reads_whole)
            for kpi in kpis:
                if has_record(scope, kpi, window, sides):
                    yield _evaluated(scope, kpi, window, sides, earlier)


def record_of(scope: str, views: Views, kpi: Kpi, window: Window) -> KpiValue | None:
    """One KPI over one window of one scope, as `Evaluator.values` has it; None: no record."""
    sides = views.sides(window)
    if not has_record(scope, kpi, window, sides):
        return None
    return _evaluated(scope, kpi, window, sides, views.sides_one_step_earlier(window))


def evaluate(scope: str, totals: ScopeTotals, kpi: Kpi, window: Window) -> KpiValue:
    """One KPI over one window of one scope, with its previous value."""
    views = Views(totals)
    return _evaluated(scope, kpi, window, views.sides(window), views.sides_one_step_earlier(window))


def has_record(scope: str, kpi: Kpi, window: Window, sides: Sides) -> bool:
    """Whether a KPI's record exists for a window of a scope, as `Evaluator.values` says."""
    for asked in kpi.formula.asks:
        if sides.value is None or sides.value.read(Reading("target", asked)) is None:
            return False
    for place, measures in kpi.formula.touched.items():
        view = sides.at(place)
        if view is not None and not measures.isdisjoint(view.touched):
            return True
    if sides.value is not None and not kpi.measures.isdisjoint(sides.value.touched):
        return True
    if window.complete:
        return False
    earlier = sides.previous
    return scope == COMPANY or (
        earlier is not None and not kpi.measures.isdisjoint(earlier.touched)
    )


def _evaluated(scope: str, kpi: Kpi, window: Window, sides: Sides, earlier: Sides) -> KpiValue:
    result = _result(kpi, sides)
    previous = None if kpi.formula.as_of_now else _result(kpi, earlier).value
    return KpiValue(
        kpi, scope, window, result.value, result.numerator, result.denominator, previous
    )


def _result(kpi: Kpi, sides: Sides) -> Result:
    """What a formula that compares nothing says of a range is asked by several windows."""
    view, formula = sides.value, kpi.formula
    if view is None or formula.compares:
        return formula.evaluate(sides)
    found = view.results.get(kpi.name)
    if found is None:
        found = view.results[kpi.name] = formula.evaluate(sides)
    return found
