"""The command line of `python3 -m stream_app.bootstrap`."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from stream_app.bootstrap import WRONG_USAGE
from stream_app.bootstrap.environment import BootstrapError, Environment
from stream_app.bootstrap.progress import say

SIGNALLED = 128  # and the number of the signal
_USAGE = """usage: python3 -m stream_app.bootstrap demo [arguments of stream-app demo]
       python3 -m stream_app.bootstrap test [arguments of pytest]
"""
# Two files of tests at a time: those with real processes mostly wait for one another's timeouts. In
# the order of collection, so that the long files are not the last.
_SIDE_BY_SIDE = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")


def main(arguments: list[str]) -> int:
    """Do what the command line asks for; returns the exit status."""
    if arguments and arguments[0] in {"-h", "--help"}:
        sys.stdout.write(_USAGE)
        return 0
    if not arguments or arguments[0] not in {"demo", "test"}:
        asked = f"unknown command {arguments[0]!r}; expected demo or test\n" if arguments else ""
        sys.stderr.write(asked + _USAGE)
        return WRONG_USAGE
    root = Path(__file__).resolve().parent.parent.parent
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
        say(f"\n── {name}")
        begun = time.monotonic()
        status = _run(command, root, environment.variables())
        verdict = "ok" if status == 0 else f"failed with status {status}"
        report.append(f"{name:<13} {time.monotonic() - begun:6.1f} s  {verdict}")
        if status in {SIGNALLED + signal.SIGINT, SIGNALLED + signal.SIGTERM}:
            first_failure = status
            break  # somebody wants this to end
        first_failure = first_failure or status
    say("\n" + "\n".join(report))
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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
