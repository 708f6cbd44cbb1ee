"""One schedule: a log that grows, faults by timetable, healing, and the proof."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from redis import RedisError

from tests.acceptance.worker_process import wait_until
from tests.faults.arena import Arena
from tests.faults.scene import Verdict
from tests.faults.timetable import Entry, Period

_PROGRESS_SECONDS = 120.0
_CATCH_UP_SECONDS = 600.0

Told = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """What came of a schedule.

    Attributes:
        vacuous: faults before which no work was left; if there is one, the run does not count.
        problems: what must not happen besides differences.
    """

    records: int
    verdict: Verdict
    counts: dict[str, int]
    vacuous: int
    problems: tuple[str, ...]
    seconds: float

    @property
    def is_exact(self) -> bool:
        """Whether nothing at all was wrong."""
        return self.verdict.status == 0 and not self.verdict.differences and not self.problems


def run(arena: Arena, table: Sequence[Period], records_per_period: int, told: Told) -> Outcome:
    """Everything the timetable says; the last period's records are all that are left."""
    began = time.monotonic()
    vacuous = 0

    def say(what: str) -> None:
        told(f"{time.monotonic() - began:6.1f} s  {what}")

    with arena:
        for number, period in enumerate(table, 1):
            vacuous += _run_period(
                arena, period, records_per_period if number < len(table) else None, say
            )
            arena.look_after()
        scene = arena.scene
        say(f"healed; {_counted(arena):,} of {scene.sent:,} counted")
        logs = arena.workers[0].log_path
        wait_until(lambda: _counted(arena) >= scene.sent, _CATCH_UP_SECONDS, logs)
        scene.await_done(_CATCH_UP_SECONDS, logs)
        say("caught up")
        arena.look_after()
        verdict = scene.verify(*arena.addresses, wait_seconds=60)
        arena.look_after()
        for worker in arena.workers.values():
            arena.note(worker)
        if verdict.status:
            (scene.folder / "verify.json").write_text(verdict.text, encoding="utf-8")
            for worker in arena.workers.values():  # who says what tells who is wrong
                worker.log_path.with_suffix(".metrics").write_text(worker.page(), encoding="utf-8")
        say(f"verify: {verdict.differences} differences in {verdict.records:,} values")
    return Outcome(
        records=scene.sent,
        verdict=verdict,
        counts=dict(arena.counts),
        vacuous=vacuous,
        problems=tuple(arena.problems),
        seconds=time.monotonic() - began,
    )


def _run_period(arena: Arena, period: Period, records: int | None, say: Told) -> int:
    """Returns how many faults met no work."""
    scene = arena.scene
    base = _counted(arena)
    goal = base + period.share * scene.send(records)
    wait_until(lambda: _counted(arena) >= goal, _PROGRESS_SECONDS, arena.workers[0].log_path)
    if not period.entries:
        say(f"{_counted(arena):,} of {scene.sent:,} counted; a quiet period")
        return 0
    left = scene.left()
    say(f"{_counted(arena):,} of {scene.sent:,} counted, {left:,} records and outputs to do")
    steps: list[tuple[float, str, Entry]] = []
    for entry in period.entries:
        steps += [(entry.after, "begin", entry), (entry.after + entry.seconds, "heal", entry)]
    begin = time.monotonic()
    for at, what, entry in sorted(steps, key=lambda step: step[0]):
        time.sleep(max(0.0, begin + at - time.monotonic()))
        if what == "begin":
            say(str(entry))
            arena.begin(entry)
        else:
            arena.heal(entry)
    return int(left == 0)


def _counted(arena: Arena) -> int:
    try:
        return arena.scene.counted()
    except RedisError:
        return -1
