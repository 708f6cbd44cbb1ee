import pytest

from stream_app.simulate import SimRecord, simulate
from stream_app.simulate.bad_values import BAD_WAYS, IGNORED_WAYS, TOO_LARGE_WAYS
from tests.simulate.reading import EVERYTHING, accepted, options, rules, verdicts


@pytest.fixture(scope="module")
def faulty() -> list[SimRecord]:
    return list(simulate(options(**{**EVERYTHING, "events": 6_000, "bad": 0.1})))


def test_every_way_of_every_reason_is_planted_and_rejected_for_it() -> None:
    run = options(events=5_000, bad=0.3, with_too_large=True)
    simulation = simulate(run)
    records = list(simulation)
    assert verdicts(records, rules(run)) == [record.expected for record in records]
    ways = {**BAD_WAYS, "ignored": IGNORED_WAYS, "too_large": TOO_LARGE_WAYS}
    names = {f"{reason}/{name}" for reason, named in ways.items() for name in named}
    conflicts = {
        f"id_conflict/{name}"
        for name in ("other_data", "unknown_field", "other_time", "other_type")
    }
    assert set(simulation.manifest.planted) == names | conflicts


def test_records_over_a_mebibyte_are_only_planted_when_asked_for(faulty: list[SimRecord]) -> None:
    assert max(len(record.value or b"") for record in faulty) < 1024 * 1024


def test_a_null_value_always_has_a_key(faulty: list[SimRecord]) -> None:
    nulls = [record for record in faulty if record.value is None]
    assert nulls
    assert all(record.key for record in nulls)


def test_a_conflict_comes_after_the_event_it_contradicts(faulty: list[SimRecord]) -> None:
    told: set[tuple[bytes | None, str]] = set()
    conflicts = 0
    for record in faulty:
        if record.expected == "applied":
            (event,) = accepted([record])
            told.add((record.key, event["id"]))
        elif record.expected == "id_conflict":
            conflicts += 1
            value = record.value or b""
            assert any(id_.encode() in value for key, id_ in told if key == record.key)
    assert conflicts


def test_duplicates_repeat_key_and_value_near_and_far(faulty: list[SimRecord]) -> None:
    first: dict[tuple[bytes | None, bytes | None], int] = {}
    distances = []
    for place, record in enumerate(faulty):
        original = first.setdefault((record.key, record.value), place)
        if record.expected == "duplicate":
            assert original < place
            distances.append(place - original)
    assert min(distances) < 10
    assert max(distances) > 1_000


def test_bad_records_are_repeated_as_well(faulty: list[SimRecord]) -> None:
    bad = [(r.key, r.value) for r in faulty if r.expected not in ("applied", "duplicate")]
    assert len(set(bad)) < len(bad)


def test_late_events_are_overtaken_by_their_own_thread_and_by_others() -> None:
    latest: dict[bytes | None, str] = {}
    latest_of_all = ""
    within_thread = across_threads = 0
    for event in accepted(simulate(options(events=6_000, disorder=0.1))):
        within_thread += event["time"] < latest.get(event["key"], "")
        across_threads += event["time"] < latest_of_all
        latest[event["key"]] = max(latest.get(event["key"], ""), event["time"])
        latest_of_all = max(latest_of_all, event["time"])
    assert within_thread > 50
    assert across_threads > 2 * within_thread


def test_corrections_reach_back_behind_what_their_thread_has_told() -> None:
    simulation = simulate(options(events=6_000, corrections=0.05))
    latest: dict[bytes | None, str] = {}
    back = 0
    for event in accepted(simulation):
        back += event["time"] < latest.get(event["key"], "")
        latest[event["key"]] = max(latest.get(event["key"], ""), event["time"])
    assert 0 < back <= simulation.manifest.corrections


def test_record_timestamps_of_good_records_never_go_back(faulty: list[SimRecord]) -> None:
    good = [r.timestamp_ms for r in faulty if r.expected in ("applied", "duplicate")]
    assert good == sorted(good)
