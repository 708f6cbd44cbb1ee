"""Files that are there whole or not at all, whenever the machine stops."""

import os
import tempfile
from pathlib import Path


def replace_file(path: Path, content: bytes, *, mode: int) -> None:
    """Write a file in one step; an existing one keeps its permissions.

    Args:
        path: the file; its folder is made if need be.
        content: all of it.
        mode: the permissions of a new file.
    """
    path = path.resolve()  # a link stays one
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        kept = path.stat().st_mode & 0o777 if path.exists() else mode
        Path(name).chmod(kept)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
