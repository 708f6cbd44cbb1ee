"""The broker's jars: downloaded once per user, checked, and never half there."""

import fcntl
import hashlib
import os
import shutil
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from stream_app.local import kafka_lock
from stream_app.local.errors import LocalError
from stream_app.local.progress import Listener, Progress, silent

MAVEN_CENTRAL = "https://repo.maven.apache.org/maven2"

_CONNECTIONS = 4
_TRIES = 3
_PAUSE_SECONDS = 1.0
_BYTES_PER_MB = 1_000_000
_TRUST_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


class LockedJar(NamedTuple):
    """One jar of kafka_lock.py; its coordinates are `group:artifact:version`."""

    coordinates: str
    size_bytes: int
    sha256: str

    @property
    def filename(self) -> str:
        """Its name in a Maven repository, and in our cache."""
        _group, artifact, version = self.coordinates.split(":")
        return f"{artifact}-{version}.jar"


def locked_jars(lock: str) -> list[LockedJar]:
    """Read the lock: for each jar its coordinates, size in bytes and SHA-256."""
    words = iter(lock.split())
    return [
        LockedJar(coordinates, int(size), sha256)
        for coordinates, size, sha256 in zip(words, words, words, strict=True)
    ]


def kafka_jars(
    cache_directory: Path,
    listener: Listener = silent,
    *,
    lock: str = kafka_lock.JARS,
    repository_url: str = MAVEN_CENTRAL,
) -> Path:
    """The directory with the broker's jars; downloads them where they are not there yet.

    A directory under its final name is complete: it is built beside it and renamed. Two processes
    wait for each other; one that is killed half way leaves what it has to the next, which checks
    every byte before it uses it. With everything there, neither the network nor jgo is touched.

    Args:
        cache_directory: made where it does not exist (environment.cache_directory).
        listener: is told how far the download is.
        lock: which jars, in the notation of kafka_lock.py.
        repository_url: a Maven repository that has them.

    Raises:
        LocalError: the cache cannot be written, or the download fails; it says what to do.
    """
    digest = hashlib.sha256(lock.encode()).hexdigest()[:8]
    complete = cache_directory / f"kafka-{kafka_lock.KAFKA_VERSION}-{digest}"
    jars = locked_jars(lock)
    if _is_complete(complete, jars):
        return complete
    try:
        cache_directory.mkdir(parents=True, exist_ok=True)
        with _alone(cache_directory / "kafka.lock", listener):
            if not _is_complete(complete, jars):
                _build(complete, _Download(jars, repository_url, listener))
    except (PermissionError, FileExistsError, NotADirectoryError) as problem:
        raise LocalError(
            f"cannot write the cache: {problem}; expected a directory of yours at "
            f"{cache_directory}. What to do: make it writable, or set XDG_CACHE_HOME"
        ) from problem
    return complete


def _is_complete(folder: Path, jars: list[LockedJar]) -> bool:
    try:
        sizes = {entry.name: entry.stat().st_size for entry in os.scandir(folder)}
    except (FileNotFoundError, NotADirectoryError):
        return False
    return all(sizes.get(jar.filename) == jar.size_bytes for jar in jars)


@contextmanager
def _alone(path: Path, listener: Listener) -> Iterator[None]:
    """Keep other processes out; the system lets them in again when this one dies."""
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            listener(Progress("Kafka", "waiting for another process that downloads it"))
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(complete: Path, download: "_Download") -> None:
    partial = complete.with_name(complete.name + ".partial")
    arrived = download.into(partial)
    ready = partial / "ready"
    ready.mkdir(exist_ok=True)
    for path in arrived:
        path.rename(ready / path.name)
    shutil.rmtree(complete, ignore_errors=True)  # somebody removed a part of it
    ready.rename(complete)
    shutil.rmtree(partial, ignore_errors=True)


class _Download:
    """Several jars at a time, counted together, and all ended when one fails or Ctrl-C comes."""

    def __init__(self, jars: list[LockedJar], repository_url: str, listener: Listener) -> None:
        self._jars = jars
        self._repository_url = repository_url
        self._listener = listener
        self._lock = threading.Lock()
        self._given_up = threading.Event()
        self._done_bytes: dict[str, int] = {}
        self._total_bytes = sum(jar.size_bytes for jar in jars)

    def into(self, folder: Path) -> list[Path]:
        """Download what is not there yet, into a Maven repository of our own; returns the jars."""
        connections = ThreadPoolExecutor(_CONNECTIONS, thread_name_prefix="kafka-download")
        try:
            with _certificates_of_the_system():
                downloads = [connections.submit(self._one, jar, folder) for jar in self._jars]
                return [download.result() for download in downloads]
        finally:
            self._given_up.set()  # whoever still downloads ends at its next chunk
            connections.shutdown(cancel_futures=True)

    def _one(self, jar: LockedJar, folder: Path) -> Path:
        from jgo.maven import MavenContext, PythonResolver  # noqa: PLC0415 - 0.2 s, when needed

        context = MavenContext(
            repo_cache=folder,
            remote_repos={"repository": self._repository_url},
            resolver=PythonResolver(progress_callback=self._watch),
        )
        artifact = context.create_dependency(jar.coordinates).artifact
        problem = ""
        for attempt in range(_TRIES):
            self._given_up.wait(_PAUSE_SECONDS * attempt)
            self._go_on()
            try:
                path = Path(artifact.resolve())  # what is there from an earlier time, or new
            except (OSError, RuntimeError, AssertionError) as failure:
                problem = f"{type(failure).__name__}: {failure}"
                continue
            found = hashlib.sha256(path.read_bytes()).hexdigest()
            if found == jar.sha256:
                self._arrived(jar.filename, jar.size_bytes)
                return path
            path.unlink()
            problem = f"its SHA-256 is {found}, expected {jar.sha256}"
        raise LocalError(
            f"cannot download {jar.filename}, a part of Kafka {kafka_lock.KAFKA_VERSION}: "
            f"{problem}. It is needed once, from {self._repository_url}. What to do: connect to "
            "the internet and try again (what has arrived is kept); behind a proxy set "
            "HTTPS_PROXY, behind one with a certificate of its own also REQUESTS_CA_BUNDLE"
        )

    @contextmanager
    def _watch(self, filename: str, _size_bytes: int) -> Iterator[Callable[[int], None]]:
        """What jgo enters for every file; the yielded function gets the size of each chunk."""
        done_bytes = 0

        def chunk_arrived(size_bytes: int) -> None:
            nonlocal done_bytes
            self._go_on()
            done_bytes += size_bytes
            self._arrived(filename, done_bytes)

        yield chunk_arrived

    def _arrived(self, filename: str, done_bytes: int) -> None:
        with self._lock:
            self._done_bytes[filename] = done_bytes
            done_in_all_bytes = sum(self._done_bytes.values())
            doing = f"downloading {self._total_bytes / _BYTES_PER_MB:.0f} MB, once"
            self._listener(Progress("Kafka", doing, done_in_all_bytes, self._total_bytes))

    def _go_on(self) -> None:
        if self._given_up.is_set():
            raise InterruptedError("another part of the download failed")


@contextmanager
def _certificates_of_the_system() -> Iterator[None]:
    """Trust what this machine trusts, as pip and curl do, unless the user said what to trust.

    `requests`, below jgo, otherwise knows only its own list, and fails behind a company's proxy.
    """
    system = ssl.get_default_verify_paths().cafile
    if system is None or any(os.environ.get(name) for name in _TRUST_VARIABLES):
        yield
        return
    os.environ["REQUESTS_CA_BUNDLE"] = system
    try:
        yield
    finally:
        del os.environ["REQUESTS_CA_BUNDLE"]
