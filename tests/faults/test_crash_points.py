"""The crash points, each of them named, and a short pass over those that hurt most.

`python -m tests.faults --crash-points` hits every one of them twenty times.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from stream_app.local.broker import LocalBroker
from tests.faults.crash_points import POINTS, arm
from tests.faults.crashing import catch_up, crash_at
from tests.faults.scene import Scene

SHORT = ("measure.after_commit", "measure.amid_send", "evaluate.amid_send", "evaluate.after_commit")


def test_a_crash_point_that_does_not_exist_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"no crash point 'measure.after_comit'.*measure.after_com"
    ):
        arm("measure.after_comit:1")


def test_the_program_itself_knows_no_crash_points() -> None:
    package = Path(__file__).parents[2] / "stream_app"

    knowing = [
        path.name
        for path in package.rglob("*.py")
        if "CRASH_AT" in path.read_text() or "_exit(137)" in path.read_text()
    ]

    assert knowing == []


def test_every_crash_point_can_be_armed() -> None:
    arming = "import sys; from tests.faults.crash_points import arm; [arm(p) for p in sys.argv[1:]]"

    armed = subprocess.run([sys.executable, "-c", arming, *POINTS], check=False)

    assert armed.returncode == 0


def test_a_worker_that_dies_at_the_worst_moments_counts_exactly(
    broker: LocalBroker, redis_url: str, topic_prefix: str, tmp_path: Path
) -> None:
    scene = Scene(
        tmp_path,
        broker.bootstrap,
        redis_url,
        events=2_000,
        seed=5,
        prefix=topic_prefix,
        session_seconds=3,
        batch_records=40,
    )

    crashes = crash_at(scene, SHORT, 450, seed=5)
    assert all(crash.left > 0 for crash in crashes), crashes
    scene.send(None)
    verdict = catch_up(scene)

    assert (verdict.status, verdict.differences) == (0, 0), verdict.text
    assert verdict.records > 0
    scene.close()
