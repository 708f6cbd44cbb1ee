"""Adds up what a trace kept: the formula's sides, and what each unit adds to them (pure)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final

from stream_app.config.model import Config
from stream_app.domain.asked import Asked
from stream_app.domain.calendar import FIVE_MINUTES_US, BusinessCalendar
from stream_app.domain.catalogue import measure_scales
from stream_app.domain.cells import FIVE_MINUTE_BASE
from stream_app.domain.currencies import MINOR_UNIT_EXPONENTS
from stream_app.domain.evaluation import evaluate
from stream_app.domain.formula_nodes import as_number
from stream_app.domain.histogram import seconds_of
from stream_app.domain.kpi import Kpi
from stream_app.domain.measures import HISTOGRAMS, MONEY, STOCKS, split_measure
from stream_app.domain.rates import Rates
from stream_app.domain.totals import ScopeTotals
from stream_app.domain.windows import Days, FiveMinutes, Window
from stream_app.explaining.explanation import (
    Amount,
    Explanation,
    Part,
    Restated,
    Share,
    Shift,
    Side,
)
from stream_app.explaining.reads import Read, sides_read
from stream_app.explaining.span import is_read, level_end
from stream_app.explaining.trace import Cell, Place, Restatement, Trace, Unit

_MEASURE_OF_BINS: Final = {bins: measure for measure, bins in HISTOGRAMS.items()}


@dataclass(slots=True)
class Explaining:
    """Builds explanations from traces, for one company.

    Attributes:
        asked: its targets, for formulas that read them; None: it has none.
    """

    config: Config
    calendar: BusinessCalendar
    asked: Asked | None = None
    _rates: Rates = field(init=False)

    def __post_init__(self) -> None:
        self._rates = Rates.from_config(self.config)

    def explain(self, trace: Trace, kpi: Kpi, window: Window) -> Explanation:
        """The formula over what the trace kept, side by side."""
        totals = self.totals(trace)
        if self.asked is not None:
            totals.asked = self.asked.of(trace.scope, totals)
        said = evaluate(trace.scope, totals, kpi, window)
        amounts = {
            "numerator": said.numerator,
            "denominator": said.denominator,
            "value": said.value,
        }
        sides = [
            Side(side.name, amounts.get(side.name), tuple(self._parts(side.reads, trace)))
            for side in sides_read(kpi.formula, window, totals)
        ]
        return Explanation(
            kpi=kpi,
            window=window,
            scope=trace.scope,
            said=said,
            sides=tuple(sides),
            restatements=tuple(map(self._restated, trace.restatements)),
            restated=trace.restated,
            newest_us=trace.newest_us,
            records=trace.records,
        )

    def totals(self, trace: Trace) -> ScopeTotals:
        """The totals of the scope, of nothing but what the trace kept."""
        day_of = self.calendar.day_of
        totals = ScopeTotals(self._rates, lambda bucket: day_of(bucket * FIVE_MINUTES_US))
        sums: dict[int, dict[str, int]] = {}
        for cells in trace.units.values():
            for (bucket, key), cell in cells.items():
                row = sums.setdefault(bucket, {})
                row[key] = row.get(key, 0) + cell.value
        for bucket, measures in sums.items():
            totals.put(bucket, "log", 1, measures)
        return totals

    def _restated(self, restatement: Restatement) -> Restated:
        shifts = []
        for moved in restatement.moved:
            name, parts = split_measure(moved.measure)
            currency = parts[0] if name in MONEY and parts else ""
            before, after = (self._own(v, currency, name) for v in (moved.before, moved.after))
            shifts.append(Shift(moved.unit, moved.measure, currency, before, after))
        return Restated(restatement.cause, restatement.late, tuple(shifts))

    # -- parts -----------------------------------------------------------------------------------

    def _parts(self, reads: Iterable[Read], trace: Trace) -> Iterator[Part]:
        for read in reads:
            kept_by_unit = ((unit, _cells_of(read, cells)) for unit, cells in trace.units.items())
            counted = [
                (unit, kept, self._counted(read, kept))
                for unit, kept in kept_by_unit
                if _is_something(kept)
            ]
            shares = (self._share(read, *each) for each in counted)
            found = read.found or 0
            added = sum(each.minor for _, _, each in counted)
            total = self._shown(found, read.measure) if read.is_sum else None
            rounding = self._shown(found - added, read.measure) if read.is_sum else 0
            yield Part(
                _MEASURE_OF_BINS.get(read.measure, read.measure),
                _how(read),
                *self._range(read),
                is_money=read.measure in MONEY,
                total=total,
                shares=tuple(shares),
                rounding=rounding,
            )

    def _share(self, read: Read, unit: Unit, kept: dict[Place, Cell], counted: "_Counted") -> Share:
        newest = max(kept.values(), key=lambda cell: cell.instant_us)
        return Share(
            unit,
            newest.instant_us,
            tuple((c, self._own(v, c, read.measure)) for c, v in counted.own.items()),
            self._shown(counted.minor, read.measure),
            tuple(counted.rates),
            next(iter(counted.chances)) if len(counted.chances) == 1 else None,
            newest.cause,
        )

    def _counted(self, read: Read, kept: dict[Place, Cell]) -> "_Counted":
        """What one unit adds."""
        is_stock = read.measure in STOCKS
        sums: dict[tuple[int, str], int] = {}
        for (bucket, key), cell in kept.items():
            day = _rate_day(read) if is_stock else self._day_of(bucket)
            sums[day, key] = sums.get((day, key), 0) + cell.value
        counted = _Counted()
        for (day, key), value in sums.items():
            parts = split_measure(key)[1]
            if read.measure in _MEASURE_OF_BINS:
                counted.add("", value, value * seconds_of(int(parts[0])))
                continue
            if read.measure not in MONEY:
                counted.add("", value, value)
                continue
            currency = parts[0]
            if currency != self.config.business.currency:
                counted.rates[currency, self._rate(currency, day)] = None
            if len(parts) > 1:
                counted.chances[self._chance(*parts[1:])] = None
                minor = self._rates.weighted(value, currency, day, *parts[1:])
            else:
                minor = self._rates.convert(value, currency, day)
            counted.add(currency, value, minor)
        return counted

    def _chance(self, pipeline: str, stage: str) -> Decimal:
        known = self.config.pipelines.get(pipeline)
        stages = () if known is None else known.stages
        return next((each.probability for each in stages if each.name == stage), Decimal(0))

    def _rate(self, currency: str, day: int) -> Decimal:
        dated = self.config.currencies[currency]
        return next((rate for first, rate in reversed(dated) if first <= day), dated[0][1])

    def _day_of(self, bucket: int) -> int:
        if bucket < FIVE_MINUTE_BASE:
            return bucket
        return self.calendar.day_of((bucket - FIVE_MINUTE_BASE) * FIVE_MINUTES_US)

    def _shown(self, value: object, measure: str) -> Amount:
        """A value of a measure as a number, in major units."""
        if not isinstance(value, int):
            return 0
        scale = measure_scales(self.config)(measure) or 0
        return as_number(value, scale) or 0

    def _own(self, value: int, currency: str, measure: str) -> Amount:
        if not currency:
            return self._shown(value, measure)
        return as_number(value, exponent_of(currency)) or 0

    def _range(self, read: Read) -> tuple[str, str]:
        over = read.over
        if read.kind == "aged":
            return _date(over.end), _date(over.end)
        if isinstance(over, Days):
            return _date(over.first), _date(over.end - 1)
        return tuple(  # type: ignore[return-value] # two
            self.calendar.local(number * FIVE_MINUTES_US).isoformat(timespec="minutes")
            for number in (over.first, over.end)
        )


@dataclass(slots=True)
class _Counted:
    """What a unit adds to one question, in its own money and in minor units of the business's."""

    minor: int = 0
    own: dict[str, int] = field(default_factory=dict)
    rates: dict[tuple[str, Decimal], None] = field(default_factory=dict)
    chances: dict[Decimal, None] = field(default_factory=dict)

    def add(self, currency: str, own: int, minor: int) -> None:
        self.own[currency] = self.own.get(currency, 0) + own
        self.minor += minor


def _cells_of(read: Read, cells: dict[Place, Cell]) -> dict[Place, Cell]:
    """The cells of a unit that a question is about."""
    return {
        (bucket, key): cell
        for (bucket, key), cell in cells.items()
        if split_measure(key)[0] == read.measure and is_read(bucket, read)
    }


def _is_something(cells: dict[Place, Cell]) -> bool:
    """Whether anything is left of it: what was open and is closed cancels out."""
    sums: dict[str, int] = {}
    for (_, key), cell in cells.items():
        sums[key] = sums.get(key, 0) + cell.value
    return any(sums.values())


def _rate_day(read: Read) -> int:
    if isinstance(read.over, FiveMinutes) and read.kind != "at_start":
        return read.over.day
    return level_end(read) - 1


def _how(read: Read) -> str:
    words = {"at_start": "just before", "at_end": "at the end of", "aged": "since before"}
    if read.percent is not None:
        return f"{read.percent} % of those in"
    return words.get(read.kind, "in")


def _date(day: int) -> str:
    return date.fromordinal(day).isoformat()


def exponent_of(currency: str) -> int:
    """Decimals of a currency."""
    return MINOR_UNIT_EXPONENTS[currency]
