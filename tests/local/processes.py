"""What tests ask the system about processes (Linux)."""

import os
import select
from pathlib import Path

_PATIENCE_SECONDS = 20
_LISTEN = "0A"


def wait_until_gone(pid: int) -> None:
    """Returns when the process has ended, whoever its parent is."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        gone, _, _ = select.select([handle], [], [], _PATIENCE_SECONDS)
        assert gone, f"process {pid} is still there: {Path(f'/proc/{pid}/cmdline').read_text()}"
    finally:
        os.close(handle)


def is_paused(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def listening_addresses(pid: int) -> set[str]:
    """The addresses on which the process accepts connections, as the kernel writes them."""
    sockets = {
        str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()
    }
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == _LISTEN and f"socket:[{fields[9]}]" in sockets:
                found.add(fields[1].partition(":")[0])
    return found


LOOPBACK_ONLY = {"0100007F"}  # 127.0.0.1
