"""The core under test, asked so that its answers have the shape of the reference's."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction

from stream_app.config.model import Config
from stream_app.domain.calendar import FIVE_MINUTES_US
from stream_app.domain.cells import FIVE_MINUTE_BASE, CellSplitter, Deltas, without_zeros
from stream_app.domain.evaluation import Evaluator
from stream_app.domain.events import Event
from stream_app.domain.ledger import ThreadLedger, Verdict
from stream_app.domain.rates import Rates
from stream_app.domain.rules import FoldRules
from stream_app.domain.scopes import split_scope
from stream_app.domain.totals import ScopeTotals
from stream_app.domain.windows import WindowRules, last_instant_of
from stream_app.kpis import catalogue
from tests.oracle.reference_terms import (
    FLOWS_OF_STAGES,
    UNASSIGNED,
    Cells,
    When,
    first_instant,
    local_day,
)
from tests.oracle.reference_values import Key, Value

Sums = dict[tuple[str, str], dict[int, dict[str, int]]]
"""Scope as (dimension, member) → bucket → measure key → value."""

ONLY_BY_STAGE = FLOWS_OF_STAGES | {"still_open", "still_open_value"}
STAGE_SPLITS = {"stage", "team+stage", "rep+stage"}


def told(rules: FoldRules, batches: Iterable[Sequence[Event]]) -> Deltas:
    """What one thread tells when its events arrive in these batches."""
    ledger = ThreadLedger(rules)
    splitter = CellSplitter(rules)
    deltas: Deltas = {}
    for batch in batches:
        for event in batch:
            assert ledger.accept(event) in {Verdict.APPLIED, Verdict.DUPLICATE}
        splitter.add(deltas, ledger.changes(), 0)
    return without_zeros(deltas)


def counted(config: Config, threads: Iterable[Sequence[Event]]) -> Deltas:
    """What whole threads count together."""
    rules = FoldRules.from_config(config)
    splitter = CellSplitter(rules)
    deltas: Deltas = {}
    for events in threads:
        ledger = ThreadLedger(rules)
        for event in events:
            ledger.accept(event)
        splitter.add(deltas, ledger.changes(), 0)
    return without_zeros(deltas)


def by_scope(deltas: Deltas) -> Sums:
    """The core's cells without what only weighs money by stage."""
    sums: Sums = {}
    for (scope, bucket), measures in deltas.items():
        for key, value in measures.items():
            if "_staged/" not in key and not key.startswith("cycle_bin/"):
                sums.setdefault(split_scope(scope), {}).setdefault(bucket, {})[key] = value
    return sums


def expected(cells: Cells, config: Config) -> Sums:
    """The reference's cells in the core's buckets, where the core counts the same."""
    sums: Sums = {}
    for (dimension, member), counts in cells.items():
        for (measure, currency), values in counts.items():
            by_stage = dimension in STAGE_SPLITS
            if (
                measure.startswith("cycle=")
                or "|" in measure
                or by_stage != (measure in ONLY_BY_STAGE)
            ):
                continue
            key = measure if currency is None else f"{measure}/{currency}"
            for when, value in values.items():
                instant = _instant(when, config)
                day = local_day(instant, config.business.timezone).toordinal()
                for bucket in (day, FIVE_MINUTE_BASE + instant // FIVE_MINUTES_US):
                    row = sums.setdefault((dimension, member), {}).setdefault(bucket, {})
                    row[key] = row.get(key, 0) + value
    return _without_zeros(sums)


Staged = dict[tuple[str, str, str, int], int]
"""(measure, currency, stage member, day) → the company's money that probabilities weigh."""


def staged(deltas: Deltas, config: Config) -> Staged:
    """What the core keeps so that a stage's probability can be applied after summing."""
    several = len(config.pipelines) > 1
    sums: Staged = {}
    for (scope, bucket), measures in deltas.items():
        for key, value in measures.items():
            if "_staged/" in key and scope == "company|all" and bucket < FIVE_MINUTE_BASE:
                name, currency, pipeline, stage = key.split("/")
                member = f"{pipeline or UNASSIGNED}:{stage}" if several else stage
                place = (name.removesuffix("_staged"), currency, member, bucket)
                sums[place] = sums.get(place, 0) + value
    return {place: value for place, value in sums.items() if value}


def expected_staged(cells: Cells, config: Config) -> Staged:
    """The same from the reference: there it is the dimension `stage`."""
    sums: Staged = {}
    for (dimension, member), counts in cells.items():
        for (measure, currency), values in counts.items():
            staged_money = measure in {"open_value", "closing_value"} and dimension == "stage"
            if not staged_money or member.endswith(UNASSIGNED):
                continue
            for when, value in values.items():
                day = local_day(_instant(when, config), config.business.timezone).toordinal()
                place = (measure, str(currency), member, day)
                sums[place] = sums.get(place, 0) + value
    return {place: value for place, value in sums.items() if value}


def totals(config: Config, deltas: Deltas) -> dict[str, ScopeTotals]:
    """The totals of every scope."""
    calendar = FoldRules.from_config(config).calendar
    rates = Rates.from_config(config)
    by_scope: dict[str, ScopeTotals] = {}
    for (scope, bucket), measures in deltas.items():
        if scope not in by_scope:
            by_scope[scope] = ScopeTotals(
                rates, lambda five: calendar.day_of(five * FIVE_MINUTES_US)
            )
        by_scope[scope].put(bucket, "0", 1, measures)
    return by_scope


def values(config: Config, deltas: Deltas, now_us: int) -> dict[Key, Value]:
    """All records that exist, in the reference's shape."""
    rules = FoldRules.from_config(config)
    windows = WindowRules.from_config(config, rules.calendar)
    evaluator = Evaluator(catalogue(config), windows)
    if config.business.as_of is not None:
        now_us = last_instant_of(config.business.as_of.toordinal(), rules.calendar)
    found: dict[Key, Value] = {}
    for scope, of_scope in totals(config, deltas).items():
        for record in evaluator.values(scope, of_scope, evaluator.windows_at(now_us)):
            window = record.window
            start = rules.calendar.day_of(window.start_us) if window.complete else None
            found[(record.kpi.name, window.kind, start, *split_scope(scope))] = Value(
                value=_fraction(record.value),
                numerator=_fraction(record.numerator),
                denominator=_fraction(record.denominator),
                previous=_fraction(record.previous),
                start=window.start_us,
                end=window.end_us,
                complete=window.complete,
                must_exist=True,
            )
    return found


def _fraction(number: float | Decimal | None) -> Fraction | None:
    return None if number is None else Fraction(number)


def _instant(when: When, config: Config) -> int:
    return when if isinstance(when, int) else first_instant(when, config.business.timezone)


def _without_zeros(sums: Sums) -> Sums:
    kept: Sums = {}
    for scope, buckets in sums.items():
        for bucket, measures in buckets.items():
            left = {key: value for key, value in measures.items() if value}
            if left:
                kept.setdefault(scope, {})[bucket] = left
    return kept
