"""Programs for tests that look for one."""

from pathlib import Path


def program(path: Path, says: str, *, status: int = 0) -> Path:
    """Make a program that says something on both outputs and ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\necho '{says}' >&2\nexit {status}\n")
    path.chmod(0o755)
    return path
