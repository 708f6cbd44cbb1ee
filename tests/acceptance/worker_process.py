"""A worker as its own process, to be killed; and what it says of itself."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from stream_app.local.ports import free_ports

POLL_SECONDS = 0.05


OURS = (sys.executable, "-m", "stream_app", "worker")
FAUSTS = (sys.executable, "-m", "faust", "-A", "stream_app", "worker", "--without-web")


class WorkerProcess:
    """A worker on a free metrics port, or on that of one that was killed."""

    def __init__(
        self,
        environment: Mapping[str, str],
        log_path: Path,
        command: Sequence[str] = OURS,
        *,
        port: int | None = None,
    ) -> None:
        self.port = free_ports(1)[0] if port is None else port
        self.log_path = log_path
        self._log = log_path.open("ab")
        self._process = subprocess.Popen(
            list(command),
            env=os.environ | dict(environment) | {"STREAM_APP_METRICS": f"127.0.0.1:{self.port}"},
            stdout=self._log,
            stderr=self._log,
        )

    @property
    def address(self) -> str:
        """Of its metrics."""
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What it has said so far."""
        return self.log_path.read_text(errors="replace")

    @property
    def exit_status(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def kill(self) -> None:
        """SIGKILL: it has no chance to save anything."""
        self._process.kill()
        self._process.wait()
        self._log.close()

    def stop(self) -> int:
        """SIGTERM; returns the exit status."""
        self._process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """The exit status, once it has ended."""
        status = self._process.wait(timeout=60)
        self._log.close()
        return status

    def pause(self) -> None:
        """SIGSTOP: a zombie to be."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self._process.send_signal(signal.SIGCONT)

    def readiness(self) -> tuple[int, str]:
        """HTTP status and status word of /readyz; (0, "") while nothing answers."""
        status, body = self._readyz()
        return status, body.get("status", "")

    def reasons(self) -> str:
        """Why it is not ready, as /readyz says it."""
        return "; ".join(self._readyz()[1].get("reasons", ()))

    def _readyz(self) -> tuple[int, dict[str, Any]]:
        try:
            with urllib.request.urlopen(f"http://{self.address}/readyz", timeout=2) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as answer:
            return answer.code, json.load(answer)
        except OSError:
            return 0, {}

    def records(self, topic: str) -> int:
        """How many source records the partitions it owns have accounted for."""
        return int(
            sum(
                value
                for name, labels, value in self.samples()
                if (name == "stream_app_partition_records" and labels["topic"] == topic)
            )
        )

    def gauges(self) -> int:
        """How many KPI gauges it shows."""
        return sum(name.startswith("kpi_") for name, _, _ in self.samples())

    def page(self) -> str:
        """Its metrics page; empty while nothing answers."""
        try:
            with urllib.request.urlopen(f"http://{self.address}/metrics", timeout=5) as answer:
                return answer.read().decode()
        except OSError:
            return ""

    def samples(self) -> list[tuple[str, dict[str, str], float]]:
        """What its metrics page says; nothing while nothing answers."""
        return [
            (sample.name, dict(sample.labels), sample.value)
            for family in text_string_to_metric_families(self.page())
            for sample in family.samples
        ]

    def await_ready(self, seconds: float = 60) -> None:
        """Return when it is ready."""
        wait_until(lambda: self.readiness()[0] == 200, seconds, self.log_path)


def wait_until(condition, seconds: float, log_path: Path | None = None) -> None:
    """Poll a condition of another process; fails with its log when it does not come true."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            log = "" if log_path is None else log_path.read_text(errors="replace")[-3000:]
            raise AssertionError(f"not within {seconds:g} s; the worker's log ends with:\n{log}")
        time.sleep(POLL_SECONDS)
