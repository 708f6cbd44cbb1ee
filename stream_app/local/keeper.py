"""A small program that keeps one server, and never lets it outlive the program that wanted it.

    python -I -S keeper.py PARENT_PID LOG DISCARD COMMAND...

It starts COMMAND in a process group of its own, writes one line to its standard output (`started
PID`, or `failed REASON`), and ends when the server has ended, with the server's exit status. Its
standard input is a pipe held by the parent. When that closes without the server having been
stopped, the parent is gone, however it died: the keeper kills the server's group and removes the
directory DISCARD (`-`: none).

Why a program and not `PR_SET_PDEATHSIG` alone: that fires when the *thread* that started the
server ends, and exists on Linux only. Here it is the second line of defence, should somebody kill
the keeper: the keeper has one thread. Why not a thread of the parent: SIGKILL ends that as well.

Standard library only, and no import of stream_app: it must be up in milliseconds.
"""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

_PARENT_CHECK_SECONDS = 1.0
_STDIN = 0


def main(arguments: list[str]) -> int:
    """Keep the server until it ends or the parent is gone; returns the exit status."""
    parent_pid, log_path, discard = int(arguments[0]), arguments[1], arguments[2]
    server_died = _pipe_written_when_a_child_dies()
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # The parent decides when the server ends; a signal to the whole family must not.
        signal.signal(ignored, lambda *_: None)
    try:
        with Path(log_path).open("ab") as log:
            server = subprocess.Popen(
                arguments[3:],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
                preexec_fn=_die_with_the_keeper,  # noqa: PLW1509 - there is only this one thread
            )
    except OSError as problem:
        _say(f"failed {problem}")
        return 127
    _say(f"started {server.pid}")
    while server.poll() is None:
        readable, _, _ = select.select([_STDIN, server_died], [], [], _PARENT_CHECK_SECONDS)
        if server_died in readable:
            os.read(server_died, 4096)
        # A child that the parent forked may still hold the pipe, hence the second question.
        if (_STDIN in readable and not os.read(_STDIN, 4096)) or os.getppid() != parent_pid:
            _end(server, discard)
    return server.returncode if server.returncode >= 0 else 128 - server.returncode


def _end(server: "subprocess.Popen[bytes]", discard: str) -> None:
    os.killpg(server.pid, signal.SIGKILL)
    server.wait()
    if discard != "-":
        import shutil  # noqa: PLC0415 - 20 ms that a server which is stopped in order never needs

        shutil.rmtree(discard, ignore_errors=True)


def _pipe_written_when_a_child_dies() -> int:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    return reader


def _die_with_the_keeper() -> None:
    """Ask Linux to kill the server when the keeper dies; elsewhere do nothing."""
    try:
        import ctypes  # noqa: PLC0415 - not everywhere

        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL, 0, 0, 0)
    except (ImportError, OSError, AttributeError):
        pass


def _say(line: str) -> None:
    try:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    except OSError:
        pass  # the parent is gone already: the loop will notice


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
