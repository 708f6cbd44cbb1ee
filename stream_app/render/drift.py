"""Compares rendered files with those that are there, and writes them."""

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path

from stream_app.render.files import OWNED


def drift(directory: Path, files: Mapping[str, str]) -> Iterator[str]:
    """A unified diff for each file that is not as it would be rendered, and each leftover."""
    for name, wanted in files.items():
        found = _read(directory / name)
        if found == wanted:
            continue
        diff = difflib.unified_diff(
            found.splitlines(keepends=True),
            wanted.splitlines(keepends=True),
            f"{name} (as it is)",
            f"{name} (as rendered)",
            n=2,
        )
        yield "".join(diff)
    for name in leftovers(directory, files):
        yield f"{name}: is not rendered any more, remove it\n"


def write(directory: Path, files: Mapping[str, str]) -> list[str]:
    """Write what differs; returns the names. Nothing is removed: see `leftovers`."""
    changed = []
    for name, wanted in files.items():
        path = directory / name
        if _read(path) != wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted, encoding="utf-8")
            changed.append(name)
    return changed


def leftovers(directory: Path, files: Mapping[str, str]) -> list[str]:
    """Files that were rendered once and are not any more; whatever else lies there is not ours."""
    return sorted(
        name
        for folder, mark in OWNED.items()
        for path in (directory / folder).glob("*.json")
        if (name := path.relative_to(directory).as_posix()) not in files and mark in _read(path)
    )


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""
