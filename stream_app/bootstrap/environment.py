"""The virtual environment `.venv` of a clone, with the project installed in it."""

import contextlib
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stream_app.bootstrap import OLDEST_PYTHON, WRONG_USAGE
from stream_app.bootstrap.progress import Progress, chunks, say

_STATE = "stream-app.json"
_LOG = "install.log"
_LOG_TAIL_LINES = 25


class BootstrapError(Exception):
    """It cannot go on here; the message says why and what to do."""

    status = WRONG_USAGE


class InstallError(BootstrapError):
    """A step of the installation failed."""

    status = 1


class Environment:
    """The virtual environment `.venv` of a clone.

    Its state is in a file of ours inside it: absent in one that somebody else made, which is used
    but never removed while its Python runs.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.directory = root / ".venv"
        self.python = self.program("python")

    def program(self, name: str) -> Path:
        """Where a program of the environment is, whether it exists or not."""
        return self.directory / "bin" / name

    def variables(self) -> dict[str, str]:
        """The variables with which its programs run: those of an activated environment."""
        variables = {name: value for name, value in os.environ.items() if name != "PYTHONHOME"}
        path = f"{self.directory / 'bin'}{os.pathsep}{variables.get('PATH', os.defpath)}"
        return {**variables, "PATH": path, "VIRTUAL_ENV": str(self.directory)}

    def prepare(self, extra: str) -> None:
        """Make sure that the project is installed in it with this extra.

        Args:
            extra: `demo`, or `dev`, which contains it.

        Raises:
            BootstrapError: that is impossible here; it says why and what to do.
        """
        if sys.platform == "win32":
            raise BootstrapError(
                "stream-app runs on Linux and macOS; this is Windows. What to do: use the Windows "
                "Subsystem for Linux (wsl --install) and run this there"
            )
        if not (self.root / "pyproject.toml").is_file():
            raise BootstrapError(
                f"there is no pyproject.toml in {self.root}; expected a clone of the project. What "
                "to do: clone it and run this inside the clone"
            )
        with self._alone():
            state = self._state()
            wanted = self._wanted(extra, state)
            if state.get("installed") == wanted and self._works():
                return
            begun = time.monotonic()
            mine = self._make_if_needed(state, wanted)
            self._remember({"mine": mine})
            self._install(wanted["extra"])
            self._remember({"mine": mine, "installed": wanted})
            say(f"installed in {time.monotonic() - begun:.0f} s")

    def _wanted(self, extra: str, state: dict[str, Any]) -> dict[str, str]:
        """What the state says when there is nothing to do."""
        has_all = (state.get("installed") or {}).get("extra") == "dev"
        return {
            "extra": "dev" if has_all else extra,
            "root": str(self.root),
            "python": f"{sys.version_info[0]}.{sys.version_info[1]}",
            "pyproject": hashlib.sha256((self.root / "pyproject.toml").read_bytes()).hexdigest(),
        }

    def _works(self) -> bool:
        """Whether its Python runs and finds this clone's package; 50 ms."""
        found = self._ask_python("import stream_app; print(stream_app.__file__)")
        return found == str(self.root / "stream_app" / "__init__.py")

    def _make_if_needed(self, state: dict[str, Any], wanted: dict[str, str]) -> bool:
        """Leave an environment whose Python runs; returns whether it is one of ours."""
        if state.get("mine"):
            finished = state.get("installed") or {}
            usable = all(finished.get(key) == wanted[key] for key in ("root", "python"))
            if not (usable and self._ask_python("print()") is not None):
                self._make()
            return True
        version = self._ask_python("import sys; print(*sys.version_info[:2])")
        if version is None:
            self._make()
            return True
        if tuple(map(int, version.split())) < OLDEST_PYTHON:
            raise BootstrapError(
                f"{self.directory} has Python {version.replace(' ', '.')}; expected 3.11 or newer. "
                f"What to do: remove it (rm -r {self.directory}) and run this again"
            )
        return False

    def _make(self) -> None:
        for module in ("venv", "ensurepip"):
            if importlib.util.find_spec(module) is None:
                package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
                raise BootstrapError(
                    f"this Python ({sys.executable}) has no module {module}, which makes virtual "
                    f"environments. What to do: on Debian or Ubuntu apt install {package}; "
                    "elsewhere use a Python that has it"
                )
        self._remove()
        self.directory.mkdir()
        self._remember({"mine": True})
        self._run_shown(
            [sys.executable, "-m", "venv", str(self.directory)],
            "making the virtual environment .venv",
            f"remove {self.directory} and run this again; is there space on the disk?",
        )

    def _remove(self) -> None:
        if not self.directory.exists():
            return
        entries = {entry.name for entry in self.directory.iterdir()}
        if entries and not entries & {"pyvenv.cfg", _STATE}:
            raise BootstrapError(
                f"{self.directory} is no virtual environment; expected one, or nothing. What to "
                "do: move it away and run this again"
            )
        shutil.rmtree(self.directory)

    def _install(self, extra: str) -> None:
        if self._ask_python("import pip; print()") is None:
            self._run_shown(
                [str(self.python), "-m", "ensurepip"],
                "installing pip",
                f"remove {self.directory} and run this again",
            )
        pip = [str(self.python), "-m", "pip", "install", "--disable-pip-version-check"]
        self._run_shown(
            [*pip, "--no-input", "--progress-bar=off", "-e", f"{self.root}[{extra}]"],
            "installing what is needed, once",
            "connect to the internet and run this again (what was downloaded is kept)",
        )

    def _run_shown(self, command: list[str], doing: str, advice: str) -> None:
        """Run one step of the installation while showing what it does and for how long."""
        log_path = self.directory / _LOG
        with log_path.open("ab") as log, Progress(doing) as progress:
            step = subprocess.Popen(
                command,
                cwd=self.root,
                env=self.variables(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
            try:
                for chunk in chunks(step):
                    log.write(chunk)
                    progress.show(chunk)
                status = step.wait()
            except BaseException:
                step.kill()
                step.wait()
                raise
        if status:
            tail = log_path.read_text("utf-8", "replace").splitlines()[-_LOG_TAIL_LINES:]
            raise InstallError(
                "\n".join(tail) + f"\n\n{doing}: failed with status {status}; all it said is in "
                f"{log_path}. What to do: {advice}"
            )

    def _ask_python(self, code: str) -> str | None:
        """What the environment's Python prints; None where it fails or is not there."""
        try:
            answer = subprocess.run(
                [self.python, "-I", "-c", code],
                capture_output=True,
                text=True,
                check=False,
                env=self.variables(),
            )
        except OSError:
            return None
        return None if answer.returncode else answer.stdout.strip()

    def _state(self) -> dict[str, Any]:
        try:
            state = json.loads((self.directory / _STATE).read_text())
        except (OSError, ValueError):
            return {}
        return state if isinstance(state, dict) else {}

    def _remember(self, state: dict[str, Any]) -> None:
        unfinished = self.directory / f"{_STATE}.new"
        unfinished.write_text(json.dumps(state, indent=1))
        unfinished.replace(self.directory / _STATE)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep a second start in the same clone waiting; a dead one keeps nobody."""
        import fcntl  # noqa: PLC0415 - not on Windows, where we have said so by now

        clone = os.open(self.root, os.O_RDONLY)
        try:
            try:
                fcntl.flock(clone, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say("waiting for another start in this clone")
                fcntl.flock(clone, fcntl.LOCK_EX)
            yield
        finally:
            os.close(clone)
