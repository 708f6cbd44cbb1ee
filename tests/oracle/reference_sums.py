"""Sums of cells over the sides of a window, with fractions only."""

from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from stream_app.config.model import Config
from stream_app.domain.currencies import MINOR_UNIT_EXPONENTS
from tests.oracle.reference_terms import Cells, When, half_even, local_day

FIVE_MINUTES_US = 300_000_000
MONEY = {
    "revenue", "revenue_sized", "revenue_costed", "cost", "lost_value", "open_value",
    "closing_value", "still_open_value", "spend", "expense",
}  # fmt: skip
STOCKS = {"open_deals", "open_value", "customers_active"}


class Undefined(Exception):
    """An operand is null, or a divisor is 0."""


@dataclass(frozen=True)
class Side:
    """What one side of a comparison is summed over; one of the first two is given.

    Attributes:
        days: the first business day, and the first one after; a stock is that of the last one.
        instants: [from, to), in five-minute buckets; a stock is that just before `to`.
        whole: the days of the window as a whole.
    """

    days: tuple[date, date] | None = None
    instants: tuple[int, int] | None = None
    whole: tuple[date, date] | None = None


class Sums:
    """What one log counts, asked for one member and side at a time."""

    def __init__(self, cells: Cells, config: Config, today: date) -> None:
        self.cells = cells
        self.config = config
        self.zone = config.business.timezone
        self.today = today
        self.known: dict[tuple[object, ...], Fraction] = {}

    def amount(self, cell: tuple[str, str], measure: str, side: Side) -> Fraction:
        """A measure on one side; money in the business currency's major unit."""
        return self._amount(cell, measure, side, stock=measure in STOCKS)

    def before(self, cell: tuple[str, str], stock: str, side: Side) -> Fraction:
        """A stock just before a side."""
        if side.days is not None:
            first = side.days[0]
        else:
            assert side.instants is not None
            first = local_day(side.instants[0], self.zone)
        return self._amount(cell, stock, Side(days=(first, first)), stock=True)

    def weighted(self, cell: tuple[str, str], measure: str, side: Side) -> Fraction:
        """Money times the chance of its stage."""
        whole = Fraction(0)
        for (name, currency), values in self.cells[cell].items():
            if name.startswith(f"{measure}|"):
                _, pipeline, stage = name.split("|")
                chance = self.chance(pipeline, stage)
                for day, units in self.sums(values, side, stock=measure in STOCKS):
                    whole += self.converted(units, str(currency), day, chance)
        return self.major(whole)

    def percentile(self, cell: tuple[str, str], percent: int, side: Side) -> Fraction:
        """The nearest rank among the cycles."""
        cycles: list[int] = []
        for (name, _), values in self.cells[cell].items():
            if name.startswith("cycle="):
                count = sum(units for _, units in self.sums(values, side, stock=False))
                cycles += [int(name.removeprefix("cycle="))] * count
        if not cycles:
            raise Undefined
        rank = -(-percent * len(cycles) // 100)
        return Fraction(sorted(cycles)[rank - 1])

    def stuck(self, cell: tuple[str, str], measure: str) -> Fraction:
        """What entered its stage on a day earlier than today - N."""
        limit = self.today - timedelta(days=self.config.stuck_after_days)
        return self._amount(cell, measure, Side(days=(date.min, limit)), stock=False)

    def _amount(self, cell: tuple[str, str], measure: str, side: Side, *, stock: bool) -> Fraction:
        key = (cell, measure, side, stock)
        if key not in self.known:
            whole = Fraction(0)
            for (name, currency), values in self.cells[cell].items():
                if name == measure:
                    for day, units in self.sums(values, side, stock=stock):
                        whole += units if currency is None else self.converted(units, currency, day)
            if measure in MONEY:
                whole = self.major(whole)
            elif measure in self.config.measures:
                whole /= 10_000
            self.known[key] = whole
        return self.known[key]

    def sums(self, values: dict[When, int], side: Side, *, stock: bool) -> list[tuple[date, int]]:
        """What is converted and rounded at once, with the day whose rate holds."""
        flows: dict[tuple[date, int], int] = {}
        for when, units in values.items():
            day = when if isinstance(when, date) else local_day(when, self.zone)
            if side.days is not None:
                inside = day < side.days[1] and (stock or day >= side.days[0])
                bucket = 0
            else:
                assert side.instants is not None
                assert not isinstance(when, date)
                start, end = side.instants
                inside = when < end and (stock or when >= start)
                bucket = when // FIVE_MINUTES_US
            if inside:
                key = (self.last_day(side), 0) if stock else (day, bucket)
                flows[key] = flows.get(key, 0) + units
        return [(day, units) for (day, _), units in flows.items()]

    def last_day(self, side: Side) -> date:
        if side.days is not None:
            return side.days[1] - timedelta(days=1)
        assert side.instants is not None
        return local_day(side.instants[1] - 1, self.zone)

    def converted(
        self, units: int, currency: str, day: date, chance: Fraction = Fraction(1)
    ) -> int:
        """Minor units of the business currency."""
        business = self.config.business.currency
        rate = Fraction(1)
        if currency != business:
            rates = self.config.currencies[currency]
            rate = Fraction(rates[0][1])
            for first_day, dated in rates:
                if first_day <= day.toordinal():
                    rate = Fraction(dated)
        major = Fraction(units, 10 ** MINOR_UNIT_EXPONENTS[currency]) * rate * chance
        return half_even(major * 10 ** MINOR_UNIT_EXPONENTS[business])

    def major(self, minor_units: Fraction) -> Fraction:
        return minor_units / 10 ** MINOR_UNIT_EXPONENTS[self.config.business.currency]

    def chance(self, pipeline: str, stage: str) -> Fraction:
        known = self.config.pipelines.get(pipeline)
        stages = known.stages if known is not None else ()
        return next((Fraction(s.probability) for s in stages if s.name == stage), Fraction(0))


@dataclass(frozen=True)
class Asked:
    """One member in one window, for the formula of one KPI; a side that is None has nothing."""

    sums: Sums
    cell: tuple[str, str]
    side: Side | None
    previous: Side | None
    last_year: Side | None

    def flow(self, measure: str) -> Fraction:
        return self.sums.amount(self.cell, measure, there(self.side))

    end = flow
    """A stock's amount on a side is that at its end."""

    def start(self, stock: str) -> Fraction:
        return self.sums.before(self.cell, stock, there(self.side))

    def before(self, measure: str) -> Fraction:
        return self.sums.amount(self.cell, measure, there(self.previous))

    def a_year_before(self, measure: str) -> Fraction:
        return self.sums.amount(self.cell, measure, there(self.last_year))

    def weighted_end(self, stock: str) -> Fraction:
        return self.sums.weighted(self.cell, stock, there(self.side))

    def weighted_whole(self, measure: str) -> Fraction:
        return self.sums.weighted(self.cell, measure, Side(days=there(self.side).whole))

    def percentile(self, percent: int) -> Fraction:
        return self.sums.percentile(self.cell, percent, there(self.side))

    def stuck(self, measure: str) -> Fraction:
        return self.sums.stuck(self.cell, measure)


def there(side: Side | None) -> Side:
    if side is None:
        raise Undefined
    return side
