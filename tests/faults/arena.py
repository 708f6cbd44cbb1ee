"""Servers and workers to be hurt: how each fault begins, and how it is healed."""

import contextlib
import shutil
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Self

from redis import Redis, RedisError

from stream_app.local.broker import LocalBroker
from stream_app.local.redis_server import LocalRedis
from tests.acceptance.worker_process import WorkerProcess
from tests.faults.scene import Scene
from tests.faults.timetable import Entry, Fault

WORKERS = 2
_JOINING = WORKERS
_LEAVE_SECONDS = 60.0
_REFUSES_REPLICA = "its role is slave, not master"
_FENCED, _REBALANCES = "stream_app_fenced_commits_total", "stream_app_rebalances_total"


class Arena:
    """A scene with two workers, its broker and its Redis.

    Attributes:
        counts: what was done and what came of it: signals, rebalances, fenced commits, replays.
        problems: what must not happen, as sentences.
    """

    def __init__(self, scene: Scene, broker: LocalBroker, redis: LocalRedis) -> None:
        self.scene = scene
        self.broker = broker
        self.redis = redis
        self.counts: Counter[str] = Counter()
        self.problems: list[str] = []
        self.workers: dict[int, WorkerProcess] = {}
        self._was_read_only = False
        self._started = 0
        self._rewinds = Rewinds(scene)
        self._client = Redis.from_url(redis.url, socket_timeout=5)
        begin: dict[Fault, Callable[[Entry], None]] = {
            Fault.WORKER_KILL: self._kill_worker,
            Fault.WORKER_PAUSE: lambda e: self.workers[e.worker].pause(),
            Fault.WORKER_LEAVES: lambda e: self._terminate(e.worker),
            Fault.WORKER_JOINS: lambda _: self.start(_JOINING),
            Fault.BROKER_KILL: lambda _: self.broker.kill(),
            Fault.BROKER_PAUSE: lambda _: self.broker.pause(),
            Fault.REDIS_KILL: lambda _: self.redis.kill(),
            Fault.REDIS_PAUSE: lambda _: self.redis.pause(),
            Fault.REDIS_ROLLBACK: lambda _: self._copy_aof(),
            Fault.REDIS_FULL: lambda _: self._client.config_set("maxmemory", 1),
            Fault.REDIS_READ_ONLY: lambda _: self._client.replicaof("127.0.0.1", "1"),
            Fault.REDIS_WIPE: lambda _: self._client.flushall(),
        }
        heal: dict[Fault, Callable[[Entry], None]] = {
            Fault.WORKER_KILL: lambda e: self.start(e.worker),
            Fault.WORKER_PAUSE: lambda e: self.workers[e.worker].resume(),
            Fault.WORKER_LEAVES: self._replace_who_left,
            Fault.WORKER_JOINS: lambda _: self._leave(_JOINING),
            Fault.BROKER_KILL: lambda _: self.broker.start(),
            Fault.BROKER_PAUSE: lambda _: self.broker.resume(),
            Fault.REDIS_KILL: lambda _: self.redis.start(),
            Fault.REDIS_PAUSE: lambda _: self.redis.resume(),
            Fault.REDIS_ROLLBACK: lambda _: self._roll_back(),
            Fault.REDIS_FULL: lambda _: self._client.config_set("maxmemory", 0),
            Fault.REDIS_READ_ONLY: lambda _: self._client.replicaof("NO", "ONE"),
            Fault.REDIS_WIPE: lambda _: None,
        }
        assert begin.keys() == heal.keys() == set(Fault)
        self._begin, self._heal = begin, heal

    def begin(self, entry: Entry) -> None:
        """The fault happens."""
        self.counts[entry.fault] += 1
        self._was_read_only |= entry.fault is Fault.REDIS_READ_ONLY
        self._begin[entry.fault](entry)

    def heal(self, entry: Entry) -> None:
        """It is over."""
        self._heal[entry.fault](entry)

    def start(self, slot: int) -> None:
        """A worker."""
        self._started += 1
        log = self.scene.folder / f"worker-{slot}-{self._started:03}.log"
        self.workers[slot] = WorkerProcess(self.scene.environment, log)

    def __enter__(self) -> Self:
        self._rewinds.start()
        for slot in range(WORKERS):
            self.start(slot)
        for worker in self.workers.values():
            worker.await_ready(90)
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers.values():
            if worker.exit_status is None:
                worker.resume()
                worker.kill()
        self.counts["replayed"] = self._rewinds.stop()
        self._client.close()

    @property
    def addresses(self) -> list[str]:
        """The metrics of all workers."""
        return [worker.address for worker in self.workers.values()]

    def look_after(self) -> None:
        """Who ended without being told to is a problem, and is replaced.

        But who finds a replica as it begins has to refuse it; a supervisor starts it again.
        """
        for slot, worker in list(self.workers.items()):
            if worker.exit_status is not None:
                tail = worker.log_path.read_text(errors="replace")[-1500:]
                if self._was_read_only and _REFUSES_REPLICA in tail:
                    self.counts["refusals"] += 1
                else:
                    self.problems.append(f"{worker.log_path.name} ended by itself: …{tail}")
                self.start(slot)
        self._was_read_only = False

    def note(self, worker: WorkerProcess) -> None:
        """Add what a worker says of itself, at the end of its life."""
        for name, _, value in worker.samples():
            if name in (_FENCED, _REBALANCES):
                self.counts[name] += int(value)
            elif name == "stream_app_audit_divergence" and value:
                self.problems.append(f"{worker.log_path.name} saw {value:g} cells diverge")

    def _kill_worker(self, entry: Entry) -> None:
        worker = self.workers[entry.worker]
        self.note(worker)
        worker.kill()

    def _terminate(self, slot: int) -> None:
        self.note(self.workers[slot])
        self.workers[slot]._process.send_signal(signal.SIGTERM)

    def _replace_who_left(self, entry: Entry) -> None:
        self._await_end(self.workers.pop(entry.worker))
        self.start(entry.worker)

    def _leave(self, slot: int) -> None:
        self._terminate(slot)
        self._await_end(self.workers.pop(slot))

    def _await_end(self, worker: WorkerProcess) -> None:
        try:
            status = worker._process.wait(_LEAVE_SECONDS)
        except subprocess.TimeoutExpired:
            worker.kill()
            self.problems.append(f"{worker.log_path.name} did not end on SIGTERM")
        else:
            if status not in (0, -signal.SIGTERM):  # the latter before it had begun to listen
                self.problems.append(f"{worker.log_path.name} ended with {status} on SIGTERM")

    # -- the append-only file ----------------------------------------------------------------------

    def _copy_aof(self) -> None:
        self.redis.pause()  # so that it is the file of one moment
        for path in self._aof():
            _copy(path, self._kept(path))
        self.redis.resume()

    def _roll_back(self) -> None:
        self.redis.kill()
        for path in self._aof():
            _copy(self._kept(path), path)
        self.redis.start()

    def _aof(self) -> list[Path]:
        """Redis 7 has a directory, 6 a file."""
        found = [p for p in self.redis.directory.iterdir() if p.name.startswith("appendonly")]
        assert found, "Redis has no append-only file"
        return found

    def _kept(self, path: Path) -> Path:
        return self.scene.folder / f"kept-{path.name}"


class Rewinds:
    """Watches the committed offsets: how many records had been counted and had to be again."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._ended = threading.Event()
        self._replayed = 0
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> int:
        """End; the number of records."""
        self._ended.set()
        self._thread.join(10)
        return self._replayed

    def _watch(self) -> None:
        before = [0] * len(self._scene.offsets())
        while not self._ended.wait(0.05):
            with contextlib.suppress(RedisError, OSError):
                offsets = self._scene.offsets()
                self._replayed += sum(
                    max(0, was - now) for was, now in zip(before, offsets, strict=True)
                )
                before = offsets


def _copy(source: Path, target: Path) -> None:
    if target.is_dir():
        shutil.rmtree(target)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copyfile(source, target)
