"""The example company, and the real tools that read what is rendered for it."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from stream_app.company import Company, load_company
from stream_app.render.files import Wishes, rendered_files
from tests.render.tools import HOW_TO_GET_THEM, Tools, tools

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "deploy" / "stream-app.yaml"


@pytest.fixture(scope="session")
def company() -> Company:
    return load_company(EXAMPLE)


@pytest.fixture(scope="session")
def files(company: Company) -> Mapping[str, str]:
    return rendered_files(company, Wishes())


@pytest.fixture(scope="session")
def rendered(files: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rendered files on disk."""
    directory = tmp_path_factory.mktemp("rendered")
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return directory


@pytest.fixture(scope="session")
def prometheus_tools() -> Tools:
    """Real ones. Where they cannot be had these tests do not run, and say why; in CI they fail."""
    found = tools()
    if found is None and os.environ.get("CI"):
        pytest.fail(HOW_TO_GET_THEM)
    if found is None:
        pytest.skip(HOW_TO_GET_THEM)
    return found
