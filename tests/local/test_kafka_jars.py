import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stream_app.local import kafka_jars as module
from stream_app.local import kafka_lock
from stream_app.local.errors import LocalError
from stream_app.local.kafka_jars import kafka_jars, locked_jars
from stream_app.local.progress import Progress
from tests.local.maven_repository import MavenRepository

ONE, OTHER = "org.example:one:1.0", "org.example.deep:other:2.1"

# A process of its own, for what only happens between processes.
DOWNLOAD = """
import sys
from pathlib import Path
from stream_app.local.kafka_jars import kafka_jars
cache, lock, url = sys.argv[1:]
kafka_jars(Path(cache), lambda told: print(told.doing, flush=True), lock=lock, repository_url=url)
print("done", flush=True)
"""


@pytest.fixture
def repository(monkeypatch: pytest.MonkeyPatch) -> Iterator[MavenRepository]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(module, "_PAUSE_SECONDS", 0)
    jars = {ONE: b"one jar..." * 10_000, OTHER: b"other jar." * 3_000}
    with MavenRepository(jars) as repository:
        yield repository


def fetch(repository: MavenRepository, cache: Path) -> dict[str, bytes]:
    folder = kafka_jars(cache, lock=repository.lock, repository_url=repository.url)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def expected(repository: MavenRepository) -> dict[str, bytes]:
    return {"one-1.0.jar": repository.jars[ONE], "other-2.1.jar": repository.jars[OTHER]}


def download_elsewhere(repository: MavenRepository, cache: Path) -> "subprocess.Popen[str]":
    arguments = [str(cache), repository.lock, repository.url]
    return subprocess.Popen(
        [sys.executable, "-c", DOWNLOAD, *arguments], stdout=subprocess.PIPE, text=True
    )


def test_the_jars_arrive_whole(repository: MavenRepository, tmp_path: Path) -> None:
    assert fetch(repository, tmp_path) == expected(repository)
    assert not list(tmp_path.glob("*.partial"))


def test_a_complete_cache_needs_no_network(repository: MavenRepository, tmp_path: Path) -> None:
    fetch(repository, tmp_path)
    repository.requested.clear()
    assert fetch(repository, tmp_path) == expected(repository)
    assert repository.requested == []


def test_progress_grows_to_the_whole(repository: MavenRepository, tmp_path: Path) -> None:
    told: list[Progress] = []
    kafka_jars(tmp_path, told.append, lock=repository.lock, repository_url=repository.url)
    assert {each.total_bytes for each in told} == {130_000}
    assert [each.done_bytes for each in told] == sorted(each.done_bytes for each in told)
    assert told[-1].done_bytes == 130_000


def test_a_jar_that_is_not_what_was_locked_is_refused(
    repository: MavenRepository, tmp_path: Path
) -> None:
    lock = repository.lock
    repository.jars[ONE] = b"something else"
    with pytest.raises(LocalError, match=r"one-1\.0\.jar.* its SHA-256 is [0-9a-f]+, expected"):
        kafka_jars(tmp_path, lock=lock, repository_url=repository.url)
    assert not list(tmp_path.rglob("one-1.0.jar"))


def test_an_unreachable_repository_is_named_with_what_to_do(
    repository: MavenRepository, tmp_path: Path
) -> None:
    nowhere = "http://127.0.0.1:9/maven2"
    with pytest.raises(LocalError) as failed:
        kafka_jars(tmp_path, lock=repository.lock, repository_url=nowhere)
    assert nowhere in str(failed.value)
    assert "HTTPS_PROXY" in str(failed.value)


def test_a_killed_download_does_not_spoil_the_cache(
    repository: MavenRepository, tmp_path: Path
) -> None:
    repository.may_finish.clear()
    with download_elsewhere(repository, tmp_path) as killed:
        assert repository.half_sent.wait(20)
        killed.send_signal(signal.SIGKILL)
    repository.may_finish.set()
    assert not [path for path in tmp_path.iterdir() if path.suffix not in {".partial", ".lock"}]
    assert fetch(repository, tmp_path) == expected(repository)


def test_half_a_jar_left_behind_is_replaced(repository: MavenRepository, tmp_path: Path) -> None:
    fetch(repository, tmp_path)
    complete = next(path for path in tmp_path.iterdir() if path.is_dir())
    left = complete.with_name(f"{complete.name}.partial") / "org" / "example" / "one" / "1.0"
    left.mkdir(parents=True)
    (left / "one-1.0.jar").write_bytes(repository.jars[ONE][:50_000])
    (complete / "one-1.0.jar").unlink()
    assert fetch(repository, tmp_path) == expected(repository)


def test_two_processes_at_once_download_once(repository: MavenRepository, tmp_path: Path) -> None:
    repository.may_finish.clear()
    with download_elsewhere(repository, tmp_path) as first:
        assert repository.half_sent.wait(20)
        with download_elsewhere(repository, tmp_path) as second:
            assert second.stdout is not None
            assert "waiting for another process" in second.stdout.readline()
            repository.may_finish.set()
            assert second.stdout.read() == "done\n"
        assert first.stdout is not None
        assert first.stdout.read().endswith("done\n")
    assert sorted(repository.requested) == ["one-1.0.jar", "other-2.1.jar"]


def test_a_cache_that_cannot_be_written_is_named(
    repository: MavenRepository, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LocalError, match=r"cannot write the cache: .*XDG_CACHE_HOME"):
        fetch(repository, tmp_path / "file")


def test_the_lock_holds_a_broker_of_one_release() -> None:
    jars = {jar.filename for jar in locked_jars(kafka_lock.JARS)}
    version = kafka_lock.KAFKA_VERSION
    kafka = {name for name in jars if name.startswith("kafka")}
    assert {f"kafka_2.13-{version}.jar", f"kafka-clients-{version}.jar"} < kafka
    assert all(name.endswith(f"-{version}.jar") for name in kafka)
    assert any(name.startswith("log4j-slf4j-impl-") for name in jars)
