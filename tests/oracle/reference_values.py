"""The KPIs of the first issue in every window, from cells of `reference`, with fractions only."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

from stream_app.config.model import Config
from stream_app.domain.currencies import MINOR_UNIT_EXPONENTS
from tests.oracle.reference_terms import Cells, When, first_instant, half_even, local_day

FIVE_MINUTES_US = 300_000_000
CALENDAR = ("day", "week", "month", "quarter", "year")
MONEY = {"revenue", "revenue_sized", "open_value"}
STOCKS = {"open_deals", "open_value"}

Amounts = Callable[[str], Fraction]
Formula = Callable[[Amounts], tuple[Fraction, Fraction | None]]
"""Numerator and denominator; the latter None for what is no quotient."""


def total(measure: str) -> Formula:
    return lambda x: (x(measure), None)


KPIS: dict[str, tuple[tuple[str, ...], Formula]] = {
    **{
        name: ((name,), total(name))
        for name in (
            "revenue", "leads", "conversions", "deals_created", "deals_won", "deals_lost",
        )
    },
    "conversion_rate": (("conversions", "leads"), lambda x: (x("conversions"), x("leads"))),
    "win_rate": (
        ("deals_won", "deals_lost"),
        lambda x: (x("deals_won"), x("deals_won") + x("deals_lost")),
    ),
    "average_deal_size": (
        ("revenue_sized", "deals_won_sized"),
        lambda x: (x("revenue_sized"), x("deals_won_sized")),
    ),
    "sales_cycle": (
        ("cycle_seconds", "cycle_deals"),
        lambda x: (x("cycle_seconds"), x("cycle_deals")),
    ),
    "pipeline_deals": (("open_deals",), total("open_deals")),
    "pipeline_value": (("open_value",), total("open_value")),
    "nps": (
        ("nps_promoters", "nps_passives", "nps_detractors"),
        lambda x: (
            100 * (x("nps_promoters") - x("nps_detractors")),
            x("nps_promoters") + x("nps_passives") + x("nps_detractors"),
        ),
    ),
    "csat": (
        ("csat_satisfied", "csat_responses"),
        lambda x: (x("csat_satisfied"), x("csat_responses")),
    ),
}  # fmt: skip


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


@dataclass(frozen=True)
class Side:
    """What one side of a comparison is summed over; one of the two is given.

    Attributes:
        days: the first business day, and the first one after; a stock is that of the last one.
        instants: [from, to), in five-minute buckets; a stock is that just before `to`.
    """

    days: tuple[date, date] | None = None
    instants: tuple[int, int] | None = None

    @property
    def is_empty(self) -> bool:
        return self.days is not None and self.days[0] >= self.days[1]


class Evaluation:
    """All values at one instant."""

    def __init__(self, cells: Cells, config: Config, now: int) -> None:
        self.cells = cells
        self.config = config
        self.zone = config.business.timezone
        if config.business.as_of is not None:
            now = first_instant(config.business.as_of + timedelta(days=1), self.zone) - 1
        self.now = now
        self.today = local_day(now, self.zone)

    def values(self) -> dict[Key, Value]:
        found: dict[Key, Value] = {}
        for dimension, member in self.cells:
            for kpi in KPIS:
                for window in self.config.windows:
                    if self.exists(kpi, window, dimension):
                        for start, value in self.windows(kpi, window, dimension, member):
                            found[(kpi, window, start, dimension, member)] = value
        return found

    def exists(self, kpi: str, window: str, dimension: str) -> bool:
        """Which KPI has which dimension, and what `hour` is for."""
        if window == "hour":
            stock = any(measure in STOCKS for measure in KPIS[kpi][0])
            fixed = self.config.business.as_of is not None
            return dimension in {"company", "team"} and not stock and not fixed
        built_in = {
            "loss_reason": {"deals_lost"},
            "theme": {"nps", "csat"},
            "pipeline": {"pipeline_deals", "pipeline_value"},
        }
        if dimension in built_in:
            return kpi in built_in[dimension]
        configured = {"+".join(split) for split in self.config.dimensions}
        return dimension == "company" or dimension in configured

    # --- windows

    def windows(
        self, kpi: str, window: str, dimension: str, member: str
    ) -> Iterator[tuple[int | None, Value]]:
        """The running window and the closed ones of the history."""
        cell = (dimension, member)
        yield None, self.running(kpi, window, cell)
        if window not in CALENDAR or (window == "day" and dimension not in {"company", "team"}):
            return
        first = self.period(window, self.today)[0]
        for _ in range(getattr(self.config.history, window)):
            first, after = self.period(window, first - timedelta(days=1))
            earlier = self.period(window, first - timedelta(days=1))
            side = Side(days=(first, after))
            previous = Side(days=earlier)
            span = first_instant(first, self.zone), first_instant(after, self.zone)
            yield first.toordinal(), self.value(kpi, cell, side, previous, span)

    def running(self, kpi: str, window: str, cell: tuple[str, str]) -> Value:
        if window == "hour":
            end = self.now // FIVE_MINUTES_US * FIVE_MINUTES_US + FIVE_MINUTES_US
            start = end - 12 * FIVE_MINUTES_US
            before = start - 12 * FIVE_MINUTES_US
            side, previous = Side(instants=(start, end)), Side(instants=(before, start))
            return self.value(kpi, cell, side, previous, (start, end))
        tomorrow = self.today + timedelta(days=1)
        if window not in CALENDAR:
            length = timedelta(days=int(window.removesuffix("d")))
            first, after = tomorrow - length, tomorrow
            previous = Side(days=(first - length, first))
        else:
            first, after = self.period(window, self.today)
            earlier = self.period(window, first - timedelta(days=1))
            completed = self.today - first
            previous = Side(days=(earlier[0], min(earlier[1], earlier[0] + completed)))
            if window == "day":
                previous = Side(days=earlier)
            # NOT LITERAL: a fixed now should convert every five-minute bucket as well; the core has
            # none of them any more for a day long ago.
            if window == "day" and self.config.business.as_of is None:
                yesterday = first_instant(earlier[0], self.zone)
                previous = Side(instants=(yesterday, self.same_time(earlier[0])))
        span = first_instant(first, self.zone), first_instant(after, self.zone)
        side = Side(days=(first, tomorrow))
        return self.value(kpi, cell, side, previous, span)

    def same_time(self, day: date) -> int:
        """The end of the five-minute bucket of an earlier day that holds now's local time."""
        local = self.local(self.now)
        # AMBIGUOUS: a time that the earlier day shows twice is the first of the two; one that it
        # skips is reckoned with the offset before the gap (RFC 5545, and Python's default).
        same = datetime(day.year, day.month, day.day, local.hour, local.minute, tzinfo=self.zone)
        instant = int(same.timestamp()) * 1_000_000
        bucket_end = instant // FIVE_MINUTES_US * FIVE_MINUTES_US + FIVE_MINUTES_US
        return min(bucket_end, first_instant(day + timedelta(days=1), self.zone))

    def local(self, instant: int) -> datetime:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=instant)
        return moment.astimezone(self.zone)

    def period(self, window: str, day: date) -> tuple[date, date]:
        """The calendar window that holds a day: its first day, and the first day after it."""
        business = self.config.business
        if window == "day":
            return day, day + timedelta(days=1)
        if window == "week":
            first = day
            while first.weekday() != business.week_starts:
                first -= timedelta(days=1)
            return first, first + timedelta(days=7)
        months = {"month": 1, "quarter": 3, "year": 12}[window]
        first = day.replace(day=1)
        while (first.month - business.fiscal_year_starts) % months:
            first = (first - timedelta(days=1)).replace(day=1)
        after = first
        for _ in range(months):
            after = (after + timedelta(days=31)).replace(day=1)
        return first, after

    # --- sums and quotients

    def value(
        self,
        kpi: str,
        cell: tuple[str, str],
        side: Side,
        previous: Side,
        span: tuple[int, int],
    ) -> Value:
        measures, formula = KPIS[kpi]
        numerator, denominator = formula(lambda measure: self.amount(cell, measure, side))
        before: Fraction | None = None
        if not previous.is_empty:
            before = quotient(*formula(lambda measure: self.amount(cell, measure, previous)))
        return Value(
            value=quotient(numerator, denominator),
            numerator=None if denominator is None else numerator,
            denominator=denominator,
            previous=before,
            start=span[0],
            end=span[1],
            complete=self.now >= span[1],
            must_exist=any(self.amount(cell, measure, side) for measure in measures),
        )

    def amount(self, cell: tuple[str, str], measure: str, side: Side) -> Fraction:
        """A measure on one side; money in the business currency's major unit."""
        whole = Fraction(0)
        for (name, currency), values in self.cells[cell].items():
            if name == measure:
                sums = self.sums(values, side, stock=measure in STOCKS)
                for day, units in sums:
                    whole += units if currency is None else self.converted(units, currency, day)
        if measure in MONEY:
            return whole / 10 ** MINOR_UNIT_EXPONENTS[self.config.business.currency]
        return whole

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

    def converted(self, units: int, currency: str, day: date) -> int:
        if currency == self.config.business.currency:
            return units
        rates = self.config.currencies[currency]
        rate = rates[0][1]
        for first_day, dated in rates:
            if first_day <= day.toordinal():
                rate = dated
        major = Fraction(units, 10 ** MINOR_UNIT_EXPONENTS[currency]) * Fraction(rate)
        return half_even(major * 10 ** MINOR_UNIT_EXPONENTS[self.config.business.currency])


def quotient(numerator: Fraction, denominator: Fraction | None) -> Fraction | None:
    if denominator is None:
        return numerator
    return None if denominator == 0 else numerator / denominator


def values(cells: Cells, config: Config, now: int) -> dict[Key, Value]:
    """Every KPI of issue 3, for every member, in every window."""
    return Evaluation(cells, config, now).values()
