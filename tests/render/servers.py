"""A real Prometheus and a real Alertmanager on free ports, in a private directory."""

import contextlib
import json
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from stream_app.local.ports import free_ports
from tests.render.tools import Tools

READY_SECONDS = 30
POLL_SECONDS = 0.05


class Program:
    """A program that serves HTTP; `start` returns when it is ready, and may be called again."""

    def __init__(self, command: list[str | Path], port: int, log: Path) -> None:
        self._command = command
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self.port = port

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        until(lambda: answer(self.port, "/-/ready") is not None, READY_SECONDS, self._tail)

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """SIGTERM, and wait."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=30)
            self._process = None

    def _tail(self) -> str:
        return self._log.read_text(errors="replace")[-3_000:]


class Prometheus(Program):
    """Scrapes the targets and evaluates rules that do not say how often."""

    def __init__(
        self,
        tools: Tools,
        directory: Path,
        jobs: Mapping[str, str],
        *,
        rules: Path | None = None,
        alertmanager: str | None = None,
        every: str = "1s",
    ) -> None:
        """Take what to scrape (job → host:port) and how often, the rule files and whom to tell."""
        (port,) = free_ports(1)
        directory.mkdir(parents=True, exist_ok=True)
        document: dict[str, Any] = {
            "global": {"scrape_interval": every, "evaluation_interval": every},
            "scrape_configs": [
                {"job_name": name, "static_configs": [{"targets": [address]}]}
                for name, address in jobs.items()
            ],
        }
        if rules is not None:
            document["rule_files"] = [f"{rules}/*.yml"]
        if alertmanager is not None:
            told = {"static_configs": [{"targets": [alertmanager]}]}
            document["alerting"] = {"alertmanagers": [told]}
        configuration = directory / "prometheus.yml"
        configuration.write_text(yaml.safe_dump(document), encoding="utf-8")
        command: list[str | Path] = [tools.prometheus, f"--config.file={configuration}"]
        command += [f"--storage.tsdb.path={directory / 'data'}", "--log.level=warn"]
        command += [f"--web.listen-address=127.0.0.1:{port}"]
        super().__init__(command, port, directory / "prometheus.log")

    def query(self, expr: str, at: float | None = None) -> list[dict[str, Any]]:
        """The samples of an instant query; fails with Prometheus' words if it is none."""
        asked = {"query": expr} | ({} if at is None else {"time": str(at)})
        result = self._api("query", asked)
        assert result["resultType"] in {"vector", "scalar"}, result
        samples: list[dict[str, Any]] = result["result"]
        return samples

    def label_values(self, label: str, selector: str) -> list[str]:
        """What Grafana's `label_values(selector, label)` lists."""
        query = urllib.parse.urlencode({"match[]": selector})
        text = answer(self.port, f"/api/v1/label/{label}/values?{query}")
        assert text is not None, selector
        values: list[str] = json.loads(text)["data"]
        return values

    def alerts(self) -> list[dict[str, Any]]:
        """Every alert, pending ones too."""
        alerts: list[dict[str, Any]] = self._api("alerts", {})["alerts"]
        return alerts

    def _api(self, what: str, parameters: Mapping[str, str]) -> Any:
        path = f"/api/v1/{what}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}{path}", timeout=10
            ) as response:
                return json.load(response)["data"]
        except urllib.error.HTTPError as refused:
            raise AssertionError(f"{parameters}: {refused.read().decode()}") from None


class Alertmanager(Program):
    """Tells whom its configuration names."""

    def __init__(self, tools: Tools, directory: Path, configuration: Mapping[str, Any]) -> None:
        (port,) = free_ports(1)
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / "alertmanager.yml"
        path.write_text(yaml.safe_dump(configuration, allow_unicode=True), encoding="utf-8")
        command: list[str | Path] = [tools.alertmanager, f"--config.file={path}"]
        command += [f"--storage.path={directory / 'data'}", "--cluster.listen-address="]
        command += [f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"]
        super().__init__(command, port, directory / "alertmanager.log")
        self.address = f"127.0.0.1:{port}"


@contextlib.contextmanager
def running(program: Program) -> Iterator[None]:
    """Run a program for the body."""
    try:
        program.start()
        yield
    finally:
        program.stop()


def until(condition: Callable[[], bool], seconds: float, explain: Callable[[], str]) -> None:
    """Poll a condition of another process; fails with an explanation if it does not come true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {explain()}"
        time.sleep(POLL_SECONDS)


def answer(port: int, path: str) -> str | None:
    """What stands there; None while nobody answers with success."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as response:
            return str(response.read().decode())
    except OSError:
        return None
