"""Workers that end at a crash point, again and again, and the proof that nothing came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from tests.acceptance.worker_process import WorkerProcess
from tests.faults.crash_points import EXIT_STATUS
from tests.faults.scene import Scene, Verdict
from tests.faults.workers import CrashingWorker

_LATEST_PASSAGE = {"claim": 4, "commit": 3, "send": 3, "clear": 3}
_SECONDS = 90.0
_CATCH_UP_SECONDS = 600.0


@dataclass(frozen=True)
class Crash:
    """One death, and what was left to do then (`Scene.left`)."""

    point: str
    count: int
    left: int


def crash_at(scene: Scene, points: Sequence[str], slice_records: int, seed: int) -> list[Crash]:
    """One worker after the other, each of which dies at its point.

    Raises:
        AssertionError: one did not die there.
    """
    random = Random(seed)  # noqa: S311
    crashes = []
    for number, point in enumerate(points):
        scene.send(slice_records)
        step = point.rpartition("_")[2]
        # Kafka is told of an offset every few seconds: of one slice perhaps only once.
        latest = 1 if point.startswith("advisory") else _LATEST_PASSAGE[step]
        count = random.randint(1, latest)
        log = scene.folder / f"crash-{number:03}-{point}.log"
        worker = CrashingWorker(scene.environment, log, f"{point}:{count}")
        status = worker.await_end(_SECONDS)
        if status is None:
            worker.kill()
        assert status == EXIT_STATUS, (
            f"{point}:{count} was not passed within {_SECONDS:g} s (exit status {status}); "
            f"seed {seed}; the log ends with:\n{log.read_text(errors='replace')[-2000:]}"
        )
        crashes.append(Crash(point, count, scene.left()))
    return crashes


def catch_up(scene: Scene) -> Verdict:
    """A worker without a crash point takes over what is left; then the proof."""
    log = scene.folder / "last.log"
    worker = WorkerProcess(scene.environment, log)
    try:
        worker.await_ready(_SECONDS)
        scene.await_done(_CATCH_UP_SECONDS, log)
        return scene.verify(worker.address)
    finally:
        if worker.exit_status is None:
            worker.kill()
