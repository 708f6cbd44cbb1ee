"""What a scraper sees while workers come, go, freeze and wake, and while Redis is emptied."""

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from redis import Redis

from stream_app.local.broker import LocalBroker
from stream_app.metrics.scrape import ScrapeError, fetch_metrics
from tests.acceptance.worker_process import WorkerProcess, wait_until
from tests.faults.scene import Scene
from tests.faults.workers import Workers

SCRAPE_SECONDS = 15.0
SESSION_SECONDS = 3
LOOK_SECONDS = 0.5
Series = str
"""Name and labels, as the page has them."""


def shown_by(worker: WorkerProcess) -> dict[Series, str]:
    """The KPI series of a worker's page and their values; none while nothing answers.

    Read by hand: the parser of the Prometheus client would take a core for itself.
    """
    host, _, port = worker.address.partition(":")
    try:
        page = fetch_metrics(host, int(port), timeout_seconds=5)
    except ScrapeError:
        return {}
    rows = (line.rpartition(" ") for line in page.splitlines() if line.startswith("kpi_"))
    return {series: value for series, _, value in rows}


def together(workers: Iterable[WorkerProcess]) -> dict[Series, set[str]]:
    """What a scraper of all of them sees."""
    seen: dict[Series, set[str]] = {}
    for worker in workers:
        for series, value in shown_by(worker).items():
            seen.setdefault(series, set()).add(value)
    return seen


def longest_gap(
    workers: list[WorkerProcess], all_series: set[Series], is_over: Callable[[], bool]
) -> float:
    """For how long, at most, some series was on nobody's page before everything was there again."""
    gone_since: dict[Series, float] = {}
    longest = 0.0
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        now = time.monotonic()
        missing = all_series - together(workers).keys()
        for series in [s for s in gone_since if s not in missing]:
            longest = max(longest, now - gone_since.pop(series))
        for series in missing:
            gone_since.setdefault(series, now)
        if is_over() and not missing:
            return longest
        time.sleep(LOOK_SECONDS)
    raise AssertionError(f"{len(gone_since)} series are still missing")


def settled(scene: Scene, workers: list[WorkerProcess]) -> set[Series]:
    """Everything is counted and shown; which series there are."""
    scene.await_counted(scene.sent, 90, workers[0].log_path)
    wait_until(lambda: scene.left() == 0, 90, workers[0].log_path)
    before: dict[Series, set[str]] = {}

    def is_still() -> bool:
        nonlocal before
        now = together(workers)
        still, before = bool(now) and now == before, now
        return still

    deadline = time.monotonic() + 60
    while not is_still():
        assert time.monotonic() < deadline, "the pages do not come to rest"
        time.sleep(LOOK_SECONDS)
    return set(before)


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    with Workers(tmp_path) as workers:
        yield workers


def test_no_series_has_a_gap_or_two_values_whatever_becomes_of_workers(
    broker: LocalBroker, redis_url: str, topic_prefix: str, tmp_path: Path, workers: Workers
) -> None:
    scene = Scene(
        tmp_path,
        broker.bootstrap,
        redis_url,
        events=700,
        seed=6,
        prefix=topic_prefix,
        session_seconds=SESSION_SECONDS,
    )
    staying = workers.start(scene.environment, "staying")
    leaving = workers.start(scene.environment, "leaving")
    for worker in (staying, leaving):
        worker.await_ready()
    scene.send(500)
    series = settled(scene, [staying, leaving])
    assert series

    # One leaves: the other has everything, before two scrapes have missed it.
    assert leaving.stop() == 0
    gap_at_leaving = longest_gap([staying], series, lambda: True)
    # One joins: half of everything moves.
    joining = workers.start(scene.environment, "joining")
    both = [staying, joining]
    gap_at_joining = longest_gap(both, series, lambda: bool(shown_by(joining)))
    assert max(gap_at_leaving, gap_at_joining) < 2 * SCRAPE_SECONDS

    # One freezes for longer than its session; what it had shown changes meanwhile.
    before = shown_by(joining)
    joining.pause()
    scene.send(None)
    settled(scene, [staying])
    now = shown_by(staying)
    changed = [name for name, value in before.items() if now.get(name, value) != value]
    assert changed, "what it had shown is still true: this shows nothing"
    time.sleep(SESSION_SECONDS)  # the lease: nobody can ask a frozen worker whether it is over
    joining.resume()
    woken_at = time.monotonic()
    differing = 0
    while time.monotonic() - woken_at < 2:
        seen = together(both)
        differing += sum(len(values) > 1 for values in seen.values())
    assert differing == 0
    assert longest_gap(both, set(now), lambda: True) < 2 * SCRAPE_SECONDS

    # Redis is emptied in a quiet hour: nobody commits, and it is noticed all the same.
    series = settled(scene, both)
    with Redis.from_url(redis_url) as redis:
        redis.flushall()
    scene.await_counted(scene.sent, 90, staying.log_path)
    longest_gap(both, series, lambda: True)  # pages at rest may still be half of all
    assert settled(scene, both) == series
    verdict = scene.verify(*(worker.address for worker in both))
    assert (verdict.status, verdict.differences) == (0, 0), verdict.text

    # Somebody lets Redis throw keys away: rather stop than count wrong.
    with Redis.from_url(redis_url) as redis:
        redis.config_set("maxmemory-policy", "allkeys-lru")
        for worker in both:
            wait_until(lambda: worker.exit_status is not None, 60, worker.log_path)  # noqa: B023
        redis.config_set("maxmemory-policy", "noeviction")
    for worker in both:
        assert worker.exit_status == 1
        assert "config set maxmemory-policy noeviction" in worker.log_path.read_text()
    scene.close()
