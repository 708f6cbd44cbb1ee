"""Prepares a directory for a new broker, as `kafka-storage format` does, without its JVM."""

import base64
import contextlib
import os
import shutil
import subprocess
import uuid
from pathlib import Path

from stream_app.local.environment import child_environment
from stream_app.local.errors import LocalError

_TIMEOUT_SECONDS = 120
_FEATURES = (
    "bootstrap.checkpoint"  # the levels of the broker's features: the same for every cluster
)
_IDENTITY = "meta.properties"  # names the cluster; a directory that has it is formatted


def format_log_directory(
    log_directory: Path, settings: Path, *, java_command: list[str], jars: Path
) -> None:
    """Format the log directory of node 1, unless it is formatted already.

    The first time Kafka's own tool does it, in a JVM of its own that takes as long as the broker's
    start. What it writes beside a random identity is kept with the jars, for all later times.

    Args:
        log_directory: the only one in the settings' `log.dirs`.
        settings: the broker's `server.properties`.
        java_command: how to run Java with Kafka's classes, up to the name of the class.
        jars: the directory of Kafka's jars, in the cache.

    Raises:
        LocalError: Kafka's tool failed.
    """
    if (log_directory / _IDENTITY).is_file():
        return
    log_directory.mkdir(parents=True, exist_ok=True)
    kept = jars / _FEATURES
    if not kept.is_file():
        _run_kafkas_tool(settings, java_command)
        with contextlib.suppress(OSError):  # a cache that is not ours to write: next time again
            _copy_whole(log_directory / _FEATURES, kept)
        return
    shutil.copyfile(kept, log_directory / _FEATURES)
    identity = {"version": "1", "node.id": "1", "cluster.id": _id(), "directory.id": _id()}
    lines = "".join(f"{key}={value}\n" for key, value in identity.items())
    (log_directory / _IDENTITY).write_text(lines)


def cluster_id(log_directory: Path) -> str:
    """The identity of the cluster to which a formatted directory belongs."""
    lines = (log_directory / _IDENTITY).read_text().splitlines()
    values = dict(line.split("=", 1) for line in lines if "=" in line)
    return values["cluster.id"]


def _run_kafkas_tool(settings: Path, java_command: list[str]) -> None:
    arguments = ["format", "--cluster-id", _id(), "--config", str(settings)]
    answer = subprocess.run(
        [*java_command, "kafka.tools.StorageTool", *arguments],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=_TIMEOUT_SECONDS,
        check=False,
        env=child_environment(),
        start_new_session=True,
    )
    if answer.returncode:
        raise LocalError(
            f"Kafka cannot format its directory (exit status {answer.returncode}); expected it to "
            f"accept {settings}. It says:\n{(answer.stderr or answer.stdout).strip()}"
        )


def _copy_whole(source: Path, target: Path) -> None:
    """Copy so that nobody ever sees half a file under the target's name."""
    unfinished = target.with_name(f"{target.name}.{os.getpid()}")
    shutil.copyfile(source, unfinished)
    unfinished.replace(target)


def _id() -> str:
    """A random id in Kafka's notation: 16 bytes in 22 letters, not starting with a dash."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text
