"""Workers as users run them: own processes, a real broker, a real Redis, and the proof."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from stream_app.settings import load
from stream_app.simulate import simulate
from tests.acceptance.commands import assert_proven, sent
from tests.acceptance.conftest import OPTIONS
from tests.acceptance.worker_process import FAUSTS, WorkerProcess, wait_until


def test_a_killed_worker_neither_loses_nor_repeats_an_event(
    environment: Mapping[str, str], tmp_path: Path
) -> None:
    settings = load(environment)
    topic = settings.topics.events
    first = WorkerProcess(environment, tmp_path / "first.log")
    second = WorkerProcess(environment, tmp_path / "second.log")
    first.await_ready()
    second.await_ready()

    records = sent(settings, simulate(OPTIONS))
    wait_until(lambda: first.records(topic) + second.records(topic) > 0, 60, first.log_path)
    assert first.records(topic) + second.records(topic) < records, "nothing left to interrupt"
    first.kill()
    again = WorkerProcess(environment, tmp_path / "again.log")
    again.await_ready()
    wait_until(lambda: again.records(topic) + second.records(topic) >= records, 120, again.log_path)

    proof = assert_proven(environment, second.address, again.address)
    assert "1 results of experiments" in proof
    assert again.stop() == 0
    assert second.stop() == 0


def test_a_worker_told_to_stop_under_load_leaves_at_once_and_fausts_own_command_goes_on(
    environment: Mapping[str, str], tmp_path: Path
) -> None:
    # Who is not told that a member left waits for this long.
    patient = dict(environment) | {"STREAM_APP_SESSION_TIMEOUT_SECONDS": "120"}
    settings = load(patient)
    topic = settings.topics.events
    stopped = WorkerProcess(patient, tmp_path / "stopped.log")
    stopped.await_ready()

    records = sent(settings, simulate(OPTIONS))
    wait_until(lambda: stopped.records(topic) > 0, 60, stopped.log_path)
    counted = stopped.records(topic)
    assert stopped.stop() == 0
    assert counted < records, "nothing left to interrupt"
    following = WorkerProcess(patient, tmp_path / "following.log", FAUSTS)
    following.await_ready()
    wait_until(lambda: following.records(topic) >= records, 60, following.log_path)

    assert_proven(patient, following.address)
    assert following.stop() == 0
    for worker in (stopped, following):
        assert "Traceback" not in worker.log


def test_a_zombie_hides_what_it_no_longer_owns_and_comes_back(
    environment: Mapping[str, str], tmp_path: Path
) -> None:
    settings = load(environment)
    topic = settings.topics.events
    events = list(simulate(OPTIONS))
    zombie = WorkerProcess(environment, tmp_path / "zombie.log")
    other = WorkerProcess(environment, tmp_path / "other.log")
    zombie.await_ready()
    other.await_ready()
    sent(settings, events[:2_000])
    wait_until(lambda: zombie.gauges() > 0 and other.gauges() > 0, 60, zombie.log_path)

    zombie.pause()
    sent(settings, events[2_000:])
    wait_until(lambda: other.records(topic) >= len(events), 120, other.log_path)
    with ThreadPoolExecutor(1) as scraping:
        # Asked while it sleeps, so that nothing can happen between its waking and the question.
        scraped = scraping.submit(zombie.samples)
        zombie.resume()
        woken = scraped.result()

    assert woken
    assert [name for name, _, _ in woken if name.startswith("kpi_")] == []
    wait_until(lambda: zombie.gauges() > 0, 60, zombie.log_path)
    wait_until(
        lambda: zombie.records(topic) + other.records(topic) >= len(events), 60, zombie.log_path
    )
    assert_proven(environment, zombie.address, other.address)
    assert zombie.stop() == 0
    assert other.stop() == 0
