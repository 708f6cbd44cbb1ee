"""promtool, prometheus, amtool and alertmanager: found, or taken out of Debian's packages.

Nothing is installed and no service is started: the two packages are unpacked into a cache. It needs
no root, only apt and the network, once.
"""

import fcntl
import functools
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

PACKAGES = ("prometheus", "prometheus-alertmanager")
PROGRAMS = {
    "prometheus": ("prometheus",),
    "promtool": ("promtool",),
    "alertmanager": ("alertmanager", "prometheus-alertmanager"),
    "amtool": ("amtool",),
}
HOW_TO_GET_THEM = (
    "prometheus, promtool, alertmanager and amtool are needed on the PATH: on Debian or Ubuntu"
    " `apt-get install prometheus prometheus-alertmanager` (and stop the services that it starts),"
    " elsewhere from prometheus.io/download; with apt and a network they come by themselves"
)


@dataclass(frozen=True)
class Tools:
    """Where each program is."""

    prometheus: str
    promtool: str
    alertmanager: str
    amtool: str


@functools.cache
def tools() -> Tools | None:
    """The programs, or None where they cannot be had."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    unpacked = cache / "stream-app" / "prometheus"
    found = _found(os.environ.get("PATH", os.defpath))
    if found is None:
        unpacked.parent.mkdir(parents=True, exist_ok=True)
        with unpacked.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # tests run side by side, and want the same
            if not (unpacked / "usr").is_dir():
                _unpack(unpacked)
    return found or _found(str(unpacked / "usr" / "bin"))


def _found(path: str) -> Tools | None:
    where = {
        name: next(filter(None, (shutil.which(spelled, path=path) for spelled in spellings)), None)
        for name, spellings in PROGRAMS.items()
    }
    if None in where.values():
        return None
    return Tools(**where)  # type: ignore[arg-type] # none is None


def _unpack(directory: Path) -> None:
    """Unpack Debian's packages; leaves nothing behind where that is impossible."""
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        return
    downloads = directory.with_suffix(".downloads")
    lists = downloads / "lists"
    (lists / "partial").mkdir(parents=True, exist_ok=True)
    own = ["-q", "-o", f"Dir::State::Lists={lists}", "-o", f"Dir::Cache={downloads}"]
    own += ["-o", "APT::Sandbox::User=", "-o", "Debug::NoLocking=1"]
    unfinished = directory.with_suffix(".new")
    try:
        for step in (["update"], ["download", *PACKAGES]):
            subprocess.run(
                ["apt-get", *own, *step],
                cwd=downloads,
                check=True,
                capture_output=True,
                timeout=300,
            )
        for package in downloads.glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", package, unfinished], check=True, timeout=120)
        unfinished.rename(directory)
    except (OSError, subprocess.SubprocessError):
        shutil.rmtree(unfinished, ignore_errors=True)
    finally:
        shutil.rmtree(downloads, ignore_errors=True)
