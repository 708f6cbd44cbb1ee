"""From a fresh clone to a running demo, or to passed tests, with nothing but Python.

    python3 -m stream_app.bootstrap demo [arguments of stream-app demo]
    python3 -m stream_app.bootstrap test [arguments of pytest]

It makes a virtual environment `.venv` in the clone, installs the project into it, and runs what was
asked for. The environment is used again while pyproject.toml stays the same; one that was left half
made is made anew. Standard library only: nothing is installed when this runs. Its syntax is that of
Python 3.6, so that an old Python gets a message instead of a syntax error.
"""

import contextlib
import hashlib
import importlib.util
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

OLDEST_PYTHON = (3, 11)
WRONG_USAGE = 2
SIGNALLED = 128  # and the number of the signal

if sys.version_info < OLDEST_PYTHON:
    _others = [shutil.which(name) for name in ("python3.12", "python3.11", "python3.13")]
    _runs = [
        path
        for path in _others
        if path and subprocess.call([path, "-c", "import venv"], stderr=subprocess.DEVNULL) == 0
    ]
    _advice = "install one (python.org, your package manager, pyenv) and run it again with it"
    sys.stderr.write(
        "stream-app needs Python 3.11 or newer; this is Python {} ({}).\nWhat to do: {}.\n".format(
            ".".join(map(str, sys.version_info[:3])),
            sys.executable,
            "run it again with " + _runs[0] + " in place of python3" if _runs else _advice,
        )
    )
    sys.exit(WRONG_USAGE)

_USAGE = """usage: python3 -m stream_app.bootstrap demo [arguments of stream-app demo]
       python3 -m stream_app.bootstrap test [arguments of pytest]
"""
# Two files of tests at a time: those with real processes mostly wait for one another's timeouts. In
# the order of collection, so that the long files are not the last.
_SIDE_BY_SIDE = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")
_STATE = "stream-app.json"
_LOG = "install.log"
_LOG_TAIL_LINES = 25
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_SPIN_SECONDS = 0.1
_LINE_SECONDS = 15.0
_LINE_CHARACTERS = 120  # pip tells all that it installs in one line


class BootstrapError(Exception):
    """It cannot go on here; the message says why and what to do."""

    status = WRONG_USAGE


class InstallError(BootstrapError):
    """A step of the installation failed."""

    status = 1


def main(arguments: list[str]) -> int:
    """Do what the command line asks for; returns the exit status."""
    if arguments and arguments[0] in {"-h", "--help"}:
        sys.stdout.write(_USAGE)
        return 0
    if not arguments or arguments[0] not in {"demo", "test"}:
        asked = f"unknown command {arguments[0]!r}; expected demo or test\n" if arguments else ""
        sys.stderr.write(asked + _USAGE)
        return WRONG_USAGE
    root = Path(__file__).resolve().parent.parent
    # A script that starts us in the background has us ignore Ctrl-C, and all that we start as well.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        if arguments[0] == "demo":
            return _demo(root, arguments[1:])
        return _test(root, arguments[1:])
    except BootstrapError as problem:
        sys.stderr.write(f"{problem}\n")
        return problem.status
    except KeyboardInterrupt:
        sys.stderr.write("\ninterrupted; the next start goes on from here\n")
        return SIGNALLED + signal.SIGINT


def _demo(root: Path, arguments: list[str]) -> int:
    environment = Environment(root)
    environment.prepare("demo")
    program = str(environment.program("stream-app"))
    # In place of this process: signals and the exit status need nobody to pass them on.
    os.execve(program, [program, "demo", *arguments], environment.variables())  # noqa: S606


def _test(root: Path, arguments: list[str]) -> int:
    environment = Environment(root)
    environment.prepare("dev")
    python = str(environment.python)
    steps = {
        "ruff format": [python, "-m", "ruff", "format", "--check", "."],
        "ruff check": [python, "-m", "ruff", "check", "."],
        "mypy": [python, "-m", "mypy"],
        "lint-imports": [str(environment.program("lint-imports"))],
        "pytest": [python, "-m", "pytest", "-q", *_SIDE_BY_SIDE, *arguments],
    }
    report = []
    first_failure = 0
    for name, command in steps.items():
        _say(f"\n── {name}")
        begun = time.monotonic()
        status = _run(command, root, environment.variables())
        verdict = "ok" if status == 0 else f"failed with status {status}"
        report.append(f"{name:<13} {time.monotonic() - begun:6.1f} s  {verdict}")
        if status in {SIGNALLED + signal.SIGINT, SIGNALLED + signal.SIGTERM}:
            first_failure = status
            break  # somebody wants this to end
        first_failure = first_failure or status
    _say("\n" + "\n".join(report))
    return first_failure


def _run(command: list[str], root: Path, variables: dict[str, str]) -> int:
    """Run one step in the foreground; returns its exit status, 128 + n after signal n.

    Ctrl-C reaches it without our help, being in the terminal's foreground as we are: we only wait
    until it has ended in its own way. SIGTERM reaches only us and is passed on.
    """
    received: list[int] = []
    step = subprocess.Popen(command, cwd=root, env=variables)

    def reply(number: int, _frame: object) -> None:
        received.append(number)
        if number == signal.SIGTERM:
            step.terminate()

    before = {number: signal.signal(number, reply) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        status = step.wait()
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
    if received:
        return SIGNALLED + received[0]
    return status if status >= 0 else SIGNALLED - status


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
            _say(f"installed in {time.monotonic() - begun:.0f} s")

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
        with log_path.open("ab") as log, _Progress(doing) as progress:
            step = subprocess.Popen(
                command,
                cwd=self.root,
                env=self.variables(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
            try:
                for chunk in _chunks(step):
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
                _say("waiting for another start in this clone")
                fcntl.flock(clone, fcntl.LOCK_EX)
            yield
        finally:
            os.close(clone)


class _Progress:
    """What is being done, for how long, and its last words; one line that changes, or a few."""

    def __init__(self, doing: str) -> None:
        self._doing = doing
        self._live = sys.stderr.isatty()
        self._begun = self._shown = time.monotonic()
        self._turns = 0
        self._last_words = ""

    def __enter__(self) -> "_Progress":  # noqa: PYI034 - an old Python has no typing.Self
        if not self._live:
            _say(self._doing)
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()

    def show(self, chunk: bytes) -> None:
        words = chunk.decode("utf-8", "replace").strip()
        self._last_words = words.rpartition("\n")[2].strip() or self._last_words
        now = time.monotonic()
        if now - self._shown < (_SPIN_SECONDS if self._live else _LINE_SECONDS):
            return
        self._shown = now
        self._turns += 1
        spin = _SPINNER[self._turns % len(_SPINNER)] if self._live else "…"
        line = f"{spin} {now - self._begun:3.0f} s  {self._doing}"
        if not self._live:
            _say(f"{line}: {self._last_words}"[:_LINE_CHARACTERS])
            return
        columns = shutil.get_terminal_size().columns - 1
        sys.stderr.write(f"\r\033[K{line}: {self._last_words}"[: columns + len("\r\033[K")])
        sys.stderr.flush()


def _chunks(step: "subprocess.Popen[bytes]") -> Iterator[bytes]:
    """The step's output as it comes, and nothing now and then, so that a clock can tick."""
    if step.stdout is None:
        return
    output = step.stdout.fileno()
    while True:
        readable, _, _ = select.select([output], [], [], _SPIN_SECONDS)
        chunk = os.read(output, 65536) if readable else b""
        if readable and not chunk:
            return
        yield chunk


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
