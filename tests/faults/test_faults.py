"""Two short schedules of real faults; `python -m tests.faults` runs long ones.

Between them they have every fault once. Pauses are longer than the group's patience.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from stream_app.local.stack import LocalStack
from tests.faults.arena import Arena
from tests.faults.scene import Scene
from tests.faults.schedule import run
from tests.faults.timetable import FAULTS, Entry, Fault, Limits, Period, timetable

FIRST = (
    Period(0.2, (Entry(Fault.WORKER_KILL, 0, 0.0, 1.0), Entry(Fault.REDIS_PAUSE, 0, 0.3, 1.0))),
    Period(0.2, (Entry(Fault.REDIS_ROLLBACK, 0, 0.0, 1.0), Entry(Fault.BROKER_PAUSE, 0, 0.2, 4.0))),
    Period(0.3, (Entry(Fault.WORKER_PAUSE, 1, 0.0, 5.0), Entry(Fault.REDIS_FULL, 0, 0.5, 1.0))),
)
SECOND = (
    Period(0.3, (Entry(Fault.REDIS_WIPE, 0, 0.0, 0.1), Entry(Fault.WORKER_JOINS, 0, 0.1, 5.0))),
    Period(0.2, (Entry(Fault.BROKER_KILL, 0, 0.0, 0.5), Entry(Fault.REDIS_READ_ONLY, 0, 0.2, 1.0))),
    Period(0.3, (Entry(Fault.WORKER_LEAVES, 1, 0.0, 0.5), Entry(Fault.REDIS_KILL, 0, 0.4, 0.5))),
)


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with LocalStack() as stack:
        yield stack


@pytest.mark.real
@pytest.mark.parametrize("table", [FIRST, SECOND], ids=["first", "second"])
def test_after_all_faults_every_value_is_what_the_log_says(
    stack: LocalStack, table: tuple[Period, ...], topic_prefix: str, tmp_path: Path
) -> None:
    scene = Scene(
        tmp_path,
        stack.broker.bootstrap,
        stack.redis.url,
        events=2_400,
        seed=len(table[0].entries) + table.index(table[-1]),
        prefix=topic_prefix,
        session_seconds=3,
        batch_records=50,
    )
    told: list[str] = []

    outcome = run(Arena(scene, stack.broker, stack.redis), table, 800, told.append)

    assert outcome.vacuous == 0, told
    assert outcome.problems == (), told
    assert outcome.verdict.differences == 0, (told, outcome.verdict.text)
    assert outcome.verdict.records > 0
    assert {str(e.fault) for period in table for e in period.entries} <= outcome.counts.keys()
    scene.close()


def test_the_two_short_schedules_have_every_fault() -> None:
    assert {e.fault for p in FIRST + SECOND for e in p.entries} == set(Fault)


def test_a_timetable_is_a_function_of_its_seed() -> None:
    assert timetable(7, 12) == timetable(7, 12)
    assert timetable(7, 12) != timetable(8, 12)


@pytest.mark.parametrize("seed", range(20))
def test_a_quarter_of_the_periods_is_quiet_and_all_faults_come(seed: int) -> None:
    table = timetable(seed, 20)

    assert sum(not period.entries for period in table) == 5
    faults = [entry.fault for period in table for entry in period.entries]
    assert set(faults) == set(FAULTS)
    for period in table:
        victims = [entry.fault.victim for entry in period.entries]
        assert len(set(victims)) == len(victims)


def test_some_pauses_are_longer_than_every_timeout() -> None:
    limits = Limits()
    pauses = {
        entry.seconds
        for seed in range(10)
        for period in timetable(seed, 12, limits)
        for entry in period.entries
        if entry.fault.value.endswith("pause")
    }

    assert any(seconds == limits.longest for seconds in pauses)
    assert any(seconds < limits.session for seconds in pauses)
    assert limits.longest > 30
