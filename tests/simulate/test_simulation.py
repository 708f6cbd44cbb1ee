from collections import Counter
from itertools import islice

import pytest
from hypothesis import given, settings

from stream_app.domain.events import EVENT_TYPE_BY_NAME
from stream_app.simulate import Options, simulate
from tests.simulate.reading import (
    EVERYTHING,
    START,
    accepted,
    instant_ms,
    options,
    rules,
    small_options,
    verdicts,
)


@given(small_options)
@settings(max_examples=40, deadline=None)
def test_the_same_options_give_the_same_bytes(drawn: Options) -> None:
    assert list(simulate(drawn)) == list(simulate(drawn))


@given(small_options)
@settings(max_examples=80, deadline=None)
def test_a_worker_makes_of_every_record_what_is_expected(drawn: Options) -> None:
    simulation = simulate(drawn)
    records = list(simulation)
    expected = [record.expected for record in records]
    assert verdicts(records, rules(drawn)) == expected
    manifest = simulation.manifest
    counts = Counter(expected)
    assert manifest.records == len(records)
    assert manifest.applied == counts.pop("applied") == drawn.events + (drawn.live_events or 0)
    assert manifest.duplicates == counts.pop("duplicate", 0)
    assert manifest.ignored == counts.pop("ignored", 0)
    assert manifest.dead_letters == dict(counts)


@given(small_options)
@settings(max_examples=60, deadline=None)
def test_event_times_stay_within_bounds(drawn: Options) -> None:
    records = list(simulate(drawn))
    start_ms = round(drawn.start.timestamp() * 1000)
    end_ms = round(drawn.end.timestamp() * 1000)
    for record in records:
        assert record.due_seconds >= 0
        if record.expected == "applied":
            (event,) = accepted([record])
            time_ms = instant_ms(event["time"])
            live_ms = record.due_seconds * 1000 if drawn.live_events else 0
            assert start_ms <= time_ms <= record.timestamp_ms <= end_ms + live_ms


def test_another_seed_gives_another_company() -> None:
    one, other = (accepted(simulate(options(seed=seed))) for seed in (1, 2))
    assert [event["data"] for event in one] != [event["data"] for event in other]


def test_two_different_runs_never_share_an_id_or_a_key() -> None:
    one, other = (accepted(simulate(options(seed=seed))) for seed in (1, 2))
    assert not {event["id"] for event in one} & {event["id"] for event in other}
    assert not {event["key"] for event in one} & {event["key"] for event in other}


def test_ids_are_unique_and_keys_say_source_and_kind() -> None:
    events = accepted(simulate(options(**EVERYTHING, company="umbrella")))
    assert len({event["id"] for event in events}) == len(events)
    kinds = {event["key"].decode().rsplit(":", 1)[0] for event in events}
    assert kinds == {
        f"umbrella:{kind}"
        for kind in ("lead", "deal", "customer", "survey", "spend", "expense", "measure")
    }
    assert {event["source"].split("/")[3] for event in events} == {"umbrella"}


def test_faults_do_not_change_what_happened() -> None:
    clean = simulate(options(corrections=0.02))
    faulty = simulate(
        options(corrections=0.02, duplicates=0.2, disorder=0.3, bad=0.1, with_too_large=True)
    )
    by_id = {event["id"]: event for event in accepted(faulty)}
    assert by_id == {event["id"]: event for event in accepted(clean)}
    assert faulty.manifest.types == clean.manifest.types
    assert faulty.manifest.threads == clean.manifest.threads


def test_every_type_of_the_contract_happens() -> None:
    simulation = simulate(options(events=20_000, measures=("defects",)))
    assert len(list(simulation)) == 20_000
    assert set(simulation.manifest.types) == set(EVENT_TYPE_BY_NAME)


def test_the_manifest_counts_threads_as_distinct_keys() -> None:
    simulation = simulate(options(**EVERYTHING))
    events = accepted(simulation)
    assert simulation.manifest.threads == len({event["key"] for event in events})


def test_the_manifest_knows_how_many_records_are_late() -> None:
    simulation = simulate(options(disorder=0.2))
    latest, late = "", 0
    for event in accepted(simulation):
        late += event["time"] < latest
        latest = max(latest, event["time"])
    assert simulation.manifest.disordered == late > 0


def test_the_manifest_knows_the_range_of_times() -> None:
    simulation = simulate(options(**EVERYTHING))
    times = [event["time"] for event in accepted(simulation)]
    document = simulation.manifest.document()
    assert (document["first_time"], document["last_time"]) == (min(times), max(times))


def test_the_past_reaches_from_its_start_to_its_end() -> None:
    events = accepted(simulate(options(events=5_000, days=30)))
    hours = [(instant_ms(event["time"]) / 1000 - START.timestamp()) / 3600 for event in events]
    assert min(hours) < 12
    assert max(hours) > 29 * 24


@pytest.mark.parametrize("name", ["duplicates", "disorder", "corrections", "bad"])
@pytest.mark.parametrize("share", [0.02, 0.2])
def test_a_fault_has_about_its_share(name: str, share: float) -> None:
    simulation = simulate(options(events=6_000, **{name: share}))
    list(simulation)
    manifest = simulation.manifest
    counted = {
        "duplicates": manifest.duplicates,
        "disorder": manifest.disordered,
        "corrections": manifest.corrections,
        "bad": manifest.ignored + sum(manifest.dead_letters.values()),
    }
    assert counted.pop(name) / 6_000 == pytest.approx(share, rel=0.2)
    assert not any(counted.values())


def test_live_goes_on_where_the_past_ends_and_never_passes_now() -> None:
    live = Options.live(START, history_days=5, history_events=500, rate=50.0)
    records = list(islice(simulate(live), 900))
    assert all(record.due_seconds == 0 for record in records[:500])
    assert [record.due_seconds for record in records[500:]] == [n / 50 for n in range(1, 401)]
    for record in records[500:]:
        ahead_ms = record.timestamp_ms - START.timestamp() * 1000
        assert 0 <= ahead_ms <= record.due_seconds * 1000


def test_a_faster_live_run_catches_up_with_now_and_then_keeps_its_pace() -> None:
    fast = options(
        events=100, days=1.0, live_events=1_000, rate=10.0, speed=3_600.0, now=START.replace(day=7)
    )
    start_ms, now_ms = (round(at.timestamp() * 1000) for at in (fast.end, START.replace(day=7)))

    def latest_ms(due_seconds: float) -> float:
        return min(start_ms + 3_600_000 * due_seconds, now_ms + 1_000 * due_seconds)

    for record in list(simulate(fast))[100:]:
        due_seconds = record.due_seconds
        # What one step tells (a win, a new customer) carries one instant and is due in a row.
        assert latest_ms(due_seconds - 0.3) - 1 <= record.timestamp_ms <= latest_ms(due_seconds) + 1


def test_live_without_a_past_begins_at_once() -> None:
    live = options(events=0, live_events=50, rate=20.0)
    assert len(list(simulate(live))) == 50


def test_a_bulk_run_with_a_rate_is_spread_over_real_time() -> None:
    records = list(simulate(options(events=10, rate=4.0)))
    assert [record.due_seconds for record in records] == [n / 4 for n in range(10)]


def test_an_endless_run_does_not_remember_everything() -> None:
    endless = simulate(Options.live(START, history_days=1, history_events=100, rate=1e6))
    assert len(list(islice(endless, 5_000))) == 5_000
    assert endless.manifest.records == 5_000
