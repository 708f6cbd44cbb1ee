"""Long runs of real faults. Each can be interrupted: what was done on this commit is not repeated.

    python -m tests.faults --schedules 30 --events 60000
    python -m tests.faults --crash-points --hits 20
    python -m tests.faults --show

Exit status: 0, or 1 if something was not exact.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from stream_app.local.stack import LocalStack
from tests.faults.arena import Arena
from tests.faults.crash_points import POINTS
from tests.faults.crashing import catch_up, crash_at
from tests.faults.results import Result, Results, show, this_commit
from tests.faults.scene import Clock, Scene
from tests.faults.schedule import run
from tests.faults.timetable import FAULTS, timetable

FOLDER = Path(".stream-app")
KILLS = ("worker kill", "broker kill", "redis kill")
PAUSES = ("worker pause", "broker pause", "redis pause")
COLUMNS = (
    ("faults", [str(fault) for fault in FAULTS]),
    ("kills", KILLS),
    ("pauses", PAUSES),
    ("Redis lost", ("redis rollback", "redis wipe")),
    ("fenced", ("stream_app_fenced_commits_total",)),
    ("rebalances", ("stream_app_rebalances_total",)),
    ("replayed", ("replayed",)),
)
CRASH_COLUMNS = (("hits", ("hits",)), ("with work left", ("left",)))
EVENTS_PER_SLICE = 120


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--schedules", type=int, default=30, help="how many seeds (30)")
    parser.add_argument("--events", type=int, default=60_000, help="of each schedule (60000)")
    parser.add_argument("--periods", type=int, default=12, help="of each schedule (12)")
    parser.add_argument("--seed", type=int, default=1, help="the first one (1)")
    parser.add_argument("--crash-points", action="store_true", help="hit all of them instead")
    parser.add_argument("--hits", type=int, default=20, help="of each crash point (20)")
    parser.add_argument("--only", default="", help="crash points that begin like this")
    parser.add_argument("--show", action="store_true", help="only print what was found so far")
    parser.add_argument("--results", type=Path, default=FOLDER / "faults.jsonl")
    asked = parser.parse_args()
    results = Results(asked.results)
    if not asked.show:
        (_crash_points if asked.crash_points else _schedules)(asked, results)
    commit = this_commit()
    found = [each for each in results.load() if asked.show or each.commit == commit]
    schedules = [each for each in found if each.name.startswith("seed ")]
    points = [each for each in found if not each.name.startswith("seed ")]
    if schedules:
        show(schedules, COLUMNS)
    if points:
        show(points, CRASH_COLUMNS)
    return 0 if all(each.is_exact for each in found) else 1


def _schedules(asked: argparse.Namespace, results: Results) -> None:
    commit = this_commit()
    for seed in range(asked.seed, asked.seed + asked.schedules):
        name = f"seed {seed}"
        if results.has(name, commit, asked.events):
            continue
        clock: Clock = "wall" if seed % 3 == 0 else "event"
        table = timetable(seed, asked.periods)
        print(f"{name}, {clock} clock; again: python -m tests.faults --schedules 1 --seed {seed}")
        for number, period in enumerate(table, 1):
            print(f"  period {number}: {'; '.join(map(str, period.entries)) or 'quiet'}")
        folder = FOLDER / f"faults-{commit}-seed-{seed}"
        with LocalStack() as stack:
            scene = Scene(
                folder.absolute(),
                stack.broker.bootstrap,
                stack.redis.url,
                events=asked.events,
                seed=seed,
                clock=clock,
            )
            slice_records = asked.events // asked.periods
            outcome = run(
                Arena(scene, stack.broker, stack.redis),
                table,
                slice_records,
                lambda line: print(f"  {line}", flush=True),
            )
            scene.close()
        if not outcome.is_exact:
            (folder / "verify.json").write_text(outcome.verdict.text, encoding="utf-8")
            print(f"  NOT EXACT: logs and differences in {folder}")
        results.add(
            Result(
                name,
                commit,
                outcome.records,
                outcome.verdict.differences,
                outcome.verdict.records,
                round(outcome.seconds, 1),
                outcome.counts,
                outcome.vacuous == 0,
                outcome.problems,
            )
        )


def _crash_points(asked: argparse.Namespace, results: Results) -> None:
    commit = this_commit()
    with LocalStack() as stack:
        for number, point in enumerate(POINTS):
            if not point.startswith(asked.only) or results.has(point, commit, 1):
                continue
            began = time.monotonic()
            clock: Clock = "wall" if point.startswith("clock") else "event"
            with tempfile.TemporaryDirectory() as folder:
                scene = Scene(
                    Path(folder),
                    stack.broker.bootstrap,
                    stack.redis.url,
                    events=EVENTS_PER_SLICE * (asked.hits + 1),
                    seed=number,
                    prefix=f"{point}-{number}.",
                    session_seconds=3,
                    batch_records=20,
                    clock=clock,
                )
                crashes = crash_at(scene, [point] * asked.hits, EVENTS_PER_SLICE, seed=number)
                scene.send(None)
                verdict = catch_up(scene)
                scene.close()
            counts = Counter(hits=len(crashes), left=sum(crash.left > 0 for crash in crashes))
            print(f"{point}: {counts['hits']} hits, {verdict.differences} differences", flush=True)
            if verdict.status:
                found = FOLDER / f"faults-{commit}-{point}.json"
                found.parent.mkdir(exist_ok=True)
                found.write_text(verdict.text, encoding="utf-8")
                print(f"  NOT EXACT: differences in {found}", flush=True)
            results.add(
                Result(
                    point,
                    commit,
                    scene.sent,
                    verdict.differences,
                    verdict.records,
                    round(time.monotonic() - began, 1),
                    dict(counts),
                    counts_as=counts["hits"] >= asked.hits,
                )
            )


if __name__ == "__main__":
    sys.exit(main())
