"""Workers to be hurt: real processes, and what they can be made to do."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from stream_app.local.ports import free_ports
from tests.acceptance.worker_process import WorkerProcess


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
