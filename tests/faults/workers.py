"""Workers to be hurt: real processes, and what they can be made to do."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from stream_app.local.ports import free_ports
from tests.acceptance.worker_process import WorkerProcess


class Workers:
    """Starts workers; those that still run at the end of its `with` block are killed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started: list[WorkerProcess] = []

    def start(self, environment: Mapping[str, str], name: str) -> WorkerProcess:
        """One that logs to `<name>.log`."""
        worker = WorkerProcess(environment, self._folder / f"{name}.log")
        self._started.append(worker)
        return worker

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._started:
            if worker.exit_status is None:
                worker.kill()


class CrashingWorker(WorkerProcess):
    """A worker that ends at a crash point (see `crash_points`)."""

    def __init__(self, environment: Mapping[str, str], log_path: Path, crash_at: str) -> None:
        self.port = free_ports(1)[0]
        self.log_path = log_path
        self._log = log_path.open("ab")
        where = {
            "STREAM_APP_METRICS": f"127.0.0.1:{self.port}",
            "STREAM_APP_CRASH_AT": crash_at,
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.crashing_worker"],
            env=os.environ | dict(environment) | where,
            stdout=self._log,
            stderr=self._log,
        )

    def await_end(self, seconds: float) -> int | None:
        """The exit status; None: it still runs after so many seconds."""
        try:
            status = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        self._log.close()
        return status
