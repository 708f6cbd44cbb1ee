"""What experiments count, and what follows from it, against a slow reading of kpis.md."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stream_app.config.model import Config, Experiment
from stream_app.domain.cells import FIVE_MINUTE_BASE, Deltas
from stream_app.domain.events import Event, EventType
from stream_app.domain.experiment import Verdict, results
from stream_app.domain.measures import split_measure
from stream_app.domain.rules import FoldRules
from stream_app.domain.scopes import split_scope
from stream_app.domain.trial import is_trial_scope, trial_scope
from tests.oracle.core import counted, told, totals
from tests.oracle.reference_trials import DAY_US, Tally, looks, tally
from tests.oracle.test_fold import pieces
from tests.oracle.threads import HOUR_US, a_config, a_thread, instant

LOOKS = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example]
)
RANDOM = st.randoms(use_true_random=False)


def with_experiments(rnd: Random, config: Config) -> Config:
    """Some of them on a dimension by which nothing is split."""
    experiments = tuple(
        Experiment(
            name=name,
            dimension=rnd.choice(["technique", "team", "rep", "campaign"]),
            control="a",
            variants=("b+c",) if rnd.random() < 0.5 else ("b+c", "home"),
            horizon_days=rnd.choice([1, 1, 2, 30]),
        )
        for name in ("first", "second|%")[: rnd.randint(1, 2)]
    )
    return replace(config, experiments=experiments)


def a_courtship(rnd: Random, config: Config) -> list[Event]:
    """Anything, and in the midst of it a lead that is probably won near the end of a horizon."""
    events = a_thread(rnd, config, rnd.choice([1, 2, 5, 12]))
    created = instant(rnd, config)
    won = created + rnd.choice([1, 1, 2, 30]) * DAY_US + rnd.choice([-1, 0, 0, 1, -HOUR_US])
    story: list[tuple[EventType, int, dict[str, str]]] = [
        (EventType.LEAD_CREATED, created, {"lead_id": "l1"}),
        (EventType.LEAD_UPDATED, created + rnd.randint(-2, 2) * HOUR_US, {"lead_id": "l1"}),
        (EventType.DEAL_CREATED, created + rnd.randint(0, 2) * HOUR_US, {"deal_id": "d1"}),
        (EventType.DEAL_WON, won, {"deal_id": rnd.choice(["d1", "d1", "d2"])}),
    ]
    for place, (kind, time, data) in enumerate(story):
        if rnd.random() < 0.85:
            number = f"story {place}"
            events.append(Event(kind, time, None, "crm", number, number, dict(data)))
    for event in events:
        if event.type <= EventType.DEAL_DELETED and rnd.random() < 0.4:
            dimension = rnd.choice(["technique", "team", "rep", "campaign"])
            event.data[dimension] = rnd.choice(["a", "a", "b+c", None])
    return events


def tallied(deltas: Deltas) -> Tally:
    found: Tally = Counter()
    for (scope, bucket), measures in deltas.items():
        if is_trial_scope(scope):
            assert bucket < FIVE_MINUTE_BASE
            for key, value in measures.items():
                name, (arm,) = split_measure(key)
                found[split_scope(scope)[1], arm, bucket, name.removeprefix("experiment_")] = value
    return found


@settings(LOOKS, max_examples=200)
@given(RANDOM)
def test_leads_are_counted_in_their_arm_with_their_outcome(rnd: Random) -> None:
    config = with_experiments(rnd, a_config(rnd))
    events = a_courtship(rnd, config)

    assert tallied(counted(config, [events])) == tally([events], config)


@settings(LOOKS, max_examples=150)
@given(RANDOM)
def test_order_of_arrival_repeats_and_batches_do_not_matter(rnd: Random) -> None:
    config = with_experiments(rnd, a_config(rnd))
    events = a_courtship(rnd, config)
    rules = FoldRules.from_config(config)

    assert told(rules, pieces(rnd, events)) == counted(config, [events])


@settings(LOOKS, max_examples=60)
@given(RANDOM)
def test_experiments_change_nothing_else(rnd: Random) -> None:
    config = a_config(rnd)
    events = a_courtship(rnd, config)
    besides = counted(with_experiments(rnd, config), [events])

    assert counted(config, [events]) == {
        cell: measures for cell, measures in besides.items() if not is_trial_scope(cell[0])
    }


@settings(LOOKS, max_examples=150)
@given(RANDOM)
def test_results_are_those_of_one_look_a_day(rnd: Random) -> None:
    config = with_experiments(rnd, a_config(rnd))
    threads = [a_courtship(rnd, config) for _ in range(rnd.randint(1, 12))]
    threads = [moved(thread, rnd.randint(0, 5) * DAY_US) for thread in threads]
    counts, by_scope = tally(threads, config), totals(config, counted(config, threads))
    newest = max((day for _, _, day, _ in counts), default=739_000)
    today = newest + rnd.randint(0, 34)
    for experiment in config.experiments:
        scope = trial_scope(experiment.name)
        found = list(results(experiment, by_scope[scope], today)) if scope in by_scope else []
        has_any = any(name == experiment.name for name, *_ in counts)
        assert [r.variant for r in found] == (list(experiment.variants) if has_any else [])
        for result in found:
            numbers, p, days = looks(counts, experiment, result.variant, today)
            a, b = result.a, result.b
            assert [a.leads, a.converted, b.leads, b.converted] == numbers
            assert result.sequential_p == pytest.approx(p)
            assert result.days == days
            assert result.verdict is Verdict.TOO_EARLY


def moved(events: Sequence[Event], by_us: int) -> list[Event]:
    return [
        Event(event.type, event.time + by_us, *(getattr(event, f) for f in fields[2:]))
        for event in events
        for fields in [event.__struct_fields__]
    ]
