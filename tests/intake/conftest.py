from pathlib import Path

import pytest

from tests.intake.imports import Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """An empty folder to import from."""
    return Folder(tmp_path)
