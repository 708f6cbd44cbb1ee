"""A Redis connection as exactness needs it: no silent retries, errors that name the address."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha1
from importlib import resources
from typing import Any, Final

from redis import exceptions
from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from stream_app.state.errors import Kind, StoreUnavailable
from stream_app.state.packing import PACKING

Client = Redis

SOCKET_TIMEOUT_S: Final = 10.0
_DETAIL_CHARS: Final = 200

# Inside a script Redis 6.2 wraps the error in "ERR Error running script …": search the word.
_REPLY_KINDS: Final = (
    (re.compile(r"\bOOM\b"), Kind.OOM),
    (re.compile(r"\bMISCONF\b"), Kind.MISCONF),
    (re.compile(r"\bREADONLY\b"), Kind.READONLY),
    (re.compile(r"\bLOADING\b"), Kind.LOADING),
    (re.compile(r"\bMASTERDOWN\b"), Kind.READONLY),
    (re.compile(r"\bBUSY\b"), Kind.BUSY),
    (re.compile(r"\bNOREPLICAS\b"), Kind.NO_REPLICAS),
    (re.compile(r"\b(NOPERM|NOAUTH|WRONGPASS)\b"), Kind.PERMISSION),
)

# Some of these are subclasses of ConnectionError, which therefore comes last.
_ERROR_KINDS: Final = (
    (exceptions.BusyLoadingError, Kind.LOADING),
    (exceptions.AuthenticationError, Kind.PERMISSION),
    (exceptions.AuthorizationError, Kind.PERMISSION),
    (exceptions.NoPermissionError, Kind.PERMISSION),
    (exceptions.OutOfMemoryError, Kind.OOM),
    (exceptions.ReadOnlyError, Kind.READONLY),
    (exceptions.MasterDownError, Kind.READONLY),
    (exceptions.TimeoutError, Kind.TIMEOUT),
    (exceptions.ConnectionError, Kind.CONNECTION),
)


def connect(
    url: str, *, password: str | None = None, socket_timeout_s: float = SOCKET_TIMEOUT_S
) -> Client:
    """A client for the state; connects at its first command. Close it with `aclose()`.

    redis-py (6 and later) sends a command up to four times when a connection breaks. A commit must
    not be sent again before we know that it was not applied, so every retry is switched off here
    and `PartitionState` decides. RESP2, because version 3 brings nothing but extra handshakes.

    Args:
        url: `redis://`, `rediss://` or `unix://`.
        password: wins over the URL's.
        socket_timeout_s: how long one command may take.

    Raises:
        ValueError: the URL is none.
    """
    try:
        pool = ConnectionPool.from_url(
            url,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
            socket_timeout=socket_timeout_s,
            socket_connect_timeout=min(5.0, socket_timeout_s),
        )
    except ValueError:
        raise ValueError(
            "the Redis URL must start with redis://, rediss:// or unix://, "
            "for example redis://127.0.0.1:6379/0"
        ) from None
    pool.connection_class = PACKING[pool.connection_class]
    if password is not None:
        pool.connection_kwargs["password"] = password
    return Redis.from_pool(pool)


def retries_of(redis: Client) -> int:
    """How often the client repeats a command by itself; 0 for a client made by `connect`."""
    retry = redis.connection_pool.connection_kwargs.get("retry")
    return 0 if retry is None else int(retry.get_retries())


def address_of(redis: Client) -> str:
    """`host:port` (or a socket's path) of the server, without user and password."""
    kwargs = redis.connection_pool.connection_kwargs
    if path := kwargs.get("path"):
        return str(path)
    return f"{kwargs.get('host', 'localhost')}:{kwargs.get('port', 6379)}"


def kind_of(error: exceptions.RedisError) -> Kind | None:
    """Why Redis is unavailable; None when the error is of another sort (a bug, a wrong type)."""
    for classes, kind in _ERROR_KINDS:
        if isinstance(error, classes):
            return kind
    text = str(error)
    return next((kind for pattern, kind in _REPLY_KINDS if pattern.search(text)), None)


@contextmanager
def reported(redis: Client) -> Iterator[None]:
    """Turns what redis-py raises into `StoreUnavailable`; other errors pass."""
    try:
        yield
    except exceptions.RedisError as error:
        kind = kind_of(error)
        if kind is None:
            raise
        raise StoreUnavailable(kind, address_of(redis), str(error)[:_DETAIL_CHARS]) from error


async def execute(redis: Client, *command: bytes | str | int) -> Any:
    """One command; the reply as redis-py parses it.

    Raises:
        StoreUnavailable: with the kinds CONNECTION and TIMEOUT it may have run all the same.
    """
    with reported(redis):
        return await _untyped(redis).execute_command(*command)


async def pipelined(redis: Client, commands: Iterable[Sequence[bytes | str]]) -> list[Any]:
    """Reads, in one round trip.

    Raises:
        StoreUnavailable: the reads can be tried again.
    """
    with reported(redis):
        pipeline = _untyped(redis).pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        # Errors are raised by hand: redis-py would put keys of the command into the message.
        replies: list[Any] = await pipeline.execute(raise_on_error=False)
        for reply in replies:
            if isinstance(reply, Exception):
                raise reply
    return replies


class Script:
    """A Lua script of this package, run by its digest."""

    __slots__ = ("_digest", "_text")

    def __init__(self, name: str) -> None:
        self._text = (resources.files("stream_app.state") / f"{name}.lua").read_bytes()
        self._digest = sha1(self._text, usedforsecurity=False).hexdigest()

    async def run(self, redis: Client, keys: Sequence[bytes], args: Sequence[bytes]) -> list[Any]:
        """One EVALSHA. NOSCRIPT (a restarted Redis) means that nothing ran: run the whole text.

        Loading it first would leave a gap for Redis to restart in once more.

        Raises:
            StoreUnavailable: like `execute`.
        """
        command = ("EVALSHA", self._digest, len(keys), *keys, *args)
        with reported(redis):
            try:
                reply: list[Any] = await _untyped(redis).execute_command(*command)
            except exceptions.NoScriptError:
                command = ("EVAL", self._text, len(keys), *keys, *args)
                reply = await _untyped(redis).execute_command(*command)
        return reply

    async def load(self, redis: Client) -> None:
        """Makes the script known to the server."""
        await execute(redis, "SCRIPT LOAD", self._text)


def _untyped(redis: Client) -> Any:  # redis-py leaves execute_command without types
    return redis


CLAIM: Final = Script("claim")
COMMIT: Final = Script("commit")
ACKNOWLEDGE: Final = Script("acknowledge")
SPEAK: Final = Script("speak")
END_REIGN: Final = Script("end_reign")
