"""A Redis as far as the state uses one: hashes, and the real Lua scripts, each applied at once.

What the real one guarantees and this one keeps: a command or script is atomic; a script that fails
keeps what it wrote; an acknowledged write is seen by every later command; unknown scripts are told.
It passes the suite of the state that the real one passes (tests/state). What a crash may undo
(`appendfsync everysec`) is a suffix of the writes, never one in the middle: `roll_back`.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from hashlib import sha1
from typing import Any
from weakref import WeakMethod

from lupa import lua51
from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, ResponseError

Row = tuple[bytes, bytes, bytes | None]
"""A hash, a field of it, and the value it had."""

_lua = lua51.LuaRuntime(encoding=None, unpack_returned_tuples=True)


@lru_cache(maxsize=64)
def _compiled(text: bytes) -> Any:
    return _lua.eval(b"function(KEYS, ARGV, redis) " + text + b"\nend")


class RedisServer:
    """The data, the known scripts, and how to undo the latest writes."""

    def __init__(self, now_ms: Callable[[], int] = lambda: 0) -> None:
        """Empty.

        Args:
            now_ms: the server's clock, by which keys expire.
        """
        self._now_ms = now_ms
        self._expires_ms: dict[bytes, int] = {}
        self.hashes: dict[bytes, dict[bytes, bytes]] = {}
        self.strings: dict[bytes, bytes] = {}
        self.on_written: Callable[[bytes], None] = lambda _: None
        self._scripts: dict[str, bytes] = {}
        self._undo: list[list[Row]] = []
        self._writing: list[Row] = []
        self._library = _library(WeakMethod(self._call))

    # -- what a client sees ----------------------------------------------------------------------

    def execute(self, *command: Any) -> Any:
        """One command, atomically; the reply as redis-py parses it.

        Raises:
            ResponseError: as Redis would answer.
        """
        name, *args = command
        words = str(name).split()
        arguments = [*words[1:], *args]
        method = getattr(self, f"_{words[0].lower()}", None)
        if method is None:
            raise ResponseError(f"unknown command '{name}'")
        self._writing = []
        self._expire()
        try:
            return method(*(_bytes(argument) for argument in arguments))
        finally:
            if self._writing:
                self._undo.append(self._writing)

    def roll_back(self, writes: int) -> int:
        """Forget the latest writes, as after a crash; how many were there to forget."""
        undone = 0
        while self._undo and undone < writes:
            for key, field, old in reversed(self._undo.pop()):
                if old is None:
                    self._remove(key, field)
                else:
                    self.hashes.setdefault(key, {})[field] = old
            undone += 1
        self._scripts.clear()
        return undone

    def wipe(self) -> None:
        """Forget everything."""
        self._flushall()
        self._scripts.clear()
        self._undo.clear()

    def _expire(self) -> None:
        now_ms = self._now_ms()
        for key in [key for key, at_ms in self._expires_ms.items() if at_ms <= now_ms]:
            del self._expires_ms[key]
            self.hashes.pop(key, None)

    # -- writes that can be undone ---------------------------------------------------------------

    def _set(self, key: bytes, field: bytes, value: bytes) -> bool:
        rows = self.hashes.setdefault(key, {})
        old = rows.get(field)
        self._writing.append((key, field, old))
        rows[field] = value
        return old is None

    def _delete(self, key: bytes, field: bytes) -> bool:
        old = self.hashes.get(key, {}).get(field)
        if old is None:
            return False
        self._writing.append((key, field, old))
        self._remove(key, field)
        return True

    def _remove(self, key: bytes, field: bytes) -> None:
        rows = self.hashes.get(key, {})
        rows.pop(field, None)
        if not rows:
            self.hashes.pop(key, None)

    # -- commands --------------------------------------------------------------------------------

    def _ping(self) -> bool:
        return True

    def _type(self, key: bytes) -> bytes:
        if key in self.strings:
            return b"string"
        return b"hash" if key in self.hashes else b"none"

    def _set_string(self, key: bytes, value: bytes) -> bool:
        self.strings[key] = value
        return True

    def _hget(self, key: bytes, field: bytes) -> bytes | None:
        return self.hashes.get(key, {}).get(field)

    def _hmget(self, key: bytes, *fields: bytes) -> list[bytes | None]:
        rows = self.hashes.get(key, {})
        return [rows.get(field) for field in fields]

    def _hgetall(self, key: bytes) -> dict[bytes, bytes]:
        return dict(self.hashes.get(key, {}))

    def _hkeys(self, key: bytes) -> list[bytes]:
        return list(self.hashes.get(key, {}))

    def _hlen(self, key: bytes) -> int:
        return len(self.hashes.get(key, {}))

    def _hset(self, key: bytes, *pairs: bytes) -> int:
        if key in self.strings:
            raise ResponseError("WRONGTYPE Operation against a key holding the wrong kind of value")
        return sum(self._set(key, *pair) for pair in _pairs(pairs))

    def _hsetnx(self, key: bytes, field: bytes, value: bytes) -> int:
        return 0 if self._hget(key, field) is not None else int(self._set(key, field, value))

    def _hdel(self, key: bytes, *fields: bytes) -> int:
        return sum(self._delete(key, field) for field in fields)

    def _hincrby(self, key: bytes, field: bytes, by: bytes) -> int:
        total = int(self._hget(key, field) or b"0") + int(by)
        self._set(key, field, b"%d" % total)
        return total

    def _pexpire(self, key: bytes, after_ms: bytes) -> int:
        if key not in self.hashes:
            return 0
        self._expires_ms[key] = self._now_ms() + int(after_ms)
        return 1

    def _pttl(self, key: bytes) -> int:
        if key not in self.hashes:
            return -2
        at_ms = self._expires_ms.get(key)
        return -1 if at_ms is None else at_ms - self._now_ms()

    def _hscan(self, key: bytes, *_: bytes) -> tuple[int, dict[bytes, bytes]]:
        return 0, self._hgetall(key)

    def _scan(self, _cursor: bytes, *options: bytes) -> tuple[int, list[bytes]]:
        pattern = dict(_pairs(options)).get(b"MATCH", b"*")
        return 0, self._keys(pattern)

    def _keys(self, pattern: bytes) -> list[bytes]:
        text = _glob(pattern)
        keys = (*self.hashes, *self.strings)
        return [key for key in keys if fnmatchcase(key.decode("latin-1"), text)]

    def _exists(self, *keys: bytes) -> int:
        return sum(self._type(key) != b"none" for key in keys)

    def _del(self, *keys: bytes) -> int:
        there = self._exists(*keys)
        for key in keys:
            self.strings.pop(key, None)
            for field in self._hkeys(key):
                self._delete(key, field)
        return there

    def _dbsize(self) -> int:
        return len(self.hashes) + len(self.strings)

    def _flushall(self) -> bool:
        self.hashes.clear()
        self.strings.clear()
        self._expires_ms.clear()
        return True

    def _script(self, action: bytes, text: bytes = b"") -> bytes:
        if action.upper() == b"FLUSH":
            self._scripts.clear()
            return b"OK"
        digest = sha1(text, usedforsecurity=False).hexdigest()
        self._scripts[digest] = text
        return digest.encode()

    # -- scripts ---------------------------------------------------------------------------------

    def _eval(self, text: bytes, count: bytes, *args: bytes) -> Any:
        return self._evalsha(self._script(b"LOAD", text), count, *args)

    def _evalsha(self, digest: bytes, count: bytes, *args: bytes) -> Any:
        text = self._scripts.get(digest.decode())
        if text is None:
            raise NoScriptError("No matching script. Please use EVAL.")
        keys, argv = args[: int(count)], args[int(count) :]
        try:
            reply = _compiled(text)(_lua.table_from(keys), _lua.table_from(argv), self._library)
        except lua51.LuaError as error:
            raise ResponseError(f"ERR Error running script: {error}") from None
        if reply[b"err"] is not None:
            raise ResponseError(reply[b"err"].decode())
        if self._writing:
            self.on_written(keys[0])
        return list(reply.values())

    def _call(self, command: bytes, *args: Any) -> Any:
        name = command.decode().lower()
        found = getattr(self, f"_{name}")(*(_bytes(argument) for argument in args))
        if name == "type":
            return _lua.table_from({b"ok": found})
        if isinstance(found, dict):
            return _lua.table_from([part for pair in found.items() for part in pair])
        if isinstance(found, list):
            return _lua.table_from([False if value is None else value for value in found])
        return False if found is None else found


def _library(server: WeakMethod) -> Any:
    """What scripts call `redis`. Weakly: Lua would keep the server, and with it its whole world."""

    def call(*args: Any) -> Any:
        return server()(*args)

    return _lua.table_from({b"call": call, b"error_reply": _error_reply})


def _error_reply(message: bytes) -> Any:
    return _lua.table_from({b"err": message})


def _bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, float):  # every number of Lua 5.1 is one
        value = int(value)
    return str(value).encode()


def _pairs(values: Sequence[bytes]) -> Iterable[tuple[bytes, bytes]]:
    return zip(values[::2], values[1::2], strict=True)


def _glob(pattern: bytes) -> str:
    """A pattern of Redis as Python's `fnmatch` writes it: what follows a backslash is itself."""
    text, found = pattern.decode("latin-1"), ""
    letters = iter(text)
    for letter in letters:
        if letter == "\\":
            escaped = next(letters, "")
            found += f"[{escaped}]" if escaped in "*?[" else escaped
        else:
            found += letter
    return found


class DirectClient(Redis):
    """A client whose every command is answered at once."""

    def __init__(self, server: RedisServer) -> None:
        pool = ConnectionPool(host="simulated", port=6379, retry=Retry(NoBackoff(), 0))
        super().__init__(connection_pool=pool)
        self.server = server

    async def execute_command(self, *args: Any, **_: Any) -> Any:
        if args[0] == "SET":
            return self.server._set_string(_bytes(args[1]), _bytes(args[2]))
        return await self.ask(lambda: self.server.execute(*args))

    async def ask(self, question: Callable[[], Any]) -> Any:
        """How a command reaches the server, and its reply the client."""
        await asyncio.sleep(0)
        return question()

    def pipeline(self, **_: Any) -> "Pipelined":  # type: ignore[override]
        return Pipelined(self)


class Pipelined:
    """Commands sent together; others may come between them."""

    def __init__(self, client: DirectClient) -> None:
        self._client = client
        self._commands: list[tuple[Any, ...]] = []

    def execute_command(self, *args: Any) -> None:
        """One more."""
        self._commands.append(args)

    async def execute(self, **_: Any) -> list[Any]:
        """All replies; an error is a reply here."""
        return [await self._client.execute_command(*command) for command in self._commands]
