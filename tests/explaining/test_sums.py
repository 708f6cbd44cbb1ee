"""What explain lists adds up to what the evaluator says, whatever happened."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from random import Random

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_app.company import Company
from stream_app.config.load import parse_config
from stream_app.domain.evaluation import Evaluator
from stream_app.domain.windows import Window
from stream_app.explaining.adding_up import Explaining
from stream_app.explaining.explanation import Explanation
from stream_app.explaining.question import scope_of, windows_of
from stream_app.explaining.span import Span
from stream_app.explaining.trace import Trace
from stream_app.kpis import catalogue
from stream_app.simulate import Options, matching_configuration, simulate
from stream_app.simulate.record import SimRecord
from stream_app.verification.recompute import Recomputation
from stream_app.wire.value import Said, said
from tests.explaining.stories import Logged

NOW_US = int(datetime(2026, 3, 20, 12, 3, tzinfo=UTC).timestamp()) * 1_000_000
SEEDS = (2, 3)


def options(seed: int) -> Options:
    return Options(
        start=datetime(2026, 1, 20, tzinfo=UTC),
        seed=seed,
        events=500,
        days=59.0,
        reps=4,
        teams=2,
        currencies=("EUR", "USD", "JPY") if seed % 2 else ("EUR",),
        pipelines=1 + seed % 2,
        disorder=0.1,
        duplicates=0.03,
        corrections=0.1,
        bad=0.02,
    )


class World:
    """A simulated company, its log, and every value that stands."""

    def __init__(self, seed: int) -> None:
        found = matching_configuration(options(seed))
        found["kpis"] = {
            "change": {
                "formula": "(revenue - previous(revenue)) / previous(revenue)",
                "unit": "ratio",
            },
            "held": {
                "formula": "mean(at_start(open_value), at_end(open_value))",
                "unit": "currency",
            },
        }
        config = parse_config(yaml.safe_dump(found), "test", Path())
        self.company = Company(config, catalogue(config), "v")
        self.records = list(records(simulate(options(seed))))
        recomputation = Recomputation(
            config, self.company.catalogue, self.company.goals, self.company.working_days
        )
        recomputation.begin(0, 0)
        for record in self.records:
            recomputation.add(0, record)
        self.values = [value for _, value in recomputation.values(NOW_US)]
        self.rules = windows_of(self.company)
        at_now = Evaluator(self.company.catalogue, self.rules).windows_at(NOW_US)
        self.windows = {(window.kind, window.start): window for window in at_now}

    def explained(
        self, value: Said, threads_held: int = 50, records: list[Logged] | None = None
    ) -> Explanation:
        window: Window = self.windows[value.window, value.start]
        kpi = next(kpi for kpi in self.company.catalogue.kpis if kpi.name == value.kpi)
        scope = scope_of(value.dimension, value.member)
        span = Span.of(kpi.formula, window)
        trace = Trace(self.company.config, scope, span, window.end_us, threads_held)
        for record in self.records if records is None else records:
            trace.add(0, record)
        return Explaining(self.company.config, self.rules.calendar).explain(trace, kpi, window)


def records(simulation: Iterator[SimRecord]) -> Iterator[Logged]:
    for offset, record in enumerate(simulation):
        yield Logged(offset, record.timestamp_ms, record.key, record.value)


@lru_cache(maxsize=1)
def world(seed: int) -> World:
    return World(seed)


def assert_adds_up(explanation: Explanation, value: Said) -> None:
    assert said(explanation.said)[: len(value)] == value
    for side in explanation.sides:
        for part in side.parts:
            if part.total is not None:
                adds = sum((share.adds for share in part.shares), start=0)
                assert adds + part.rounding == part.total, part.measure
    if not value.complete:
        assert not any(restatement.late for restatement in explanation.restatements)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_sums_are_the_value_for_every_kpi(seed: int) -> None:
    by_kpi: dict[str, list[Said]] = {}
    for value in world(seed).values:
        by_kpi.setdefault(value.kpi, []).append(value)
    choice = Random(seed)  # noqa: S311 - the same every time
    assert {"change", "held", "win_rate", "nps", "pipeline_value"} <= set(by_kpi)
    for values in by_kpi.values():
        value = choice.choice(values)
        assert_adds_up(world(seed).explained(value), value)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(data=st.data())
def test_the_sums_are_the_value_of_any_record(data: st.DataObject) -> None:
    value = data.draw(st.sampled_from(world(1).values))
    assert_adds_up(world(1).explained(value), value)


def test_how_many_threads_are_held_changes_nothing() -> None:
    value = next(v for v in world(1).values if v.kpi == "revenue" and v.complete and v.value)
    few, many = (world(1).explained(value, held) for held in (1, 10_000))
    assert few == many
