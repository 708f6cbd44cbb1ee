"""Where bugs are planted: a function of the product is replaced, or a line of a Lua script."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha1
from typing import Any

from stream_app.stages.ports import OutRecord
from stream_app.state.client import Script
from stream_app.transport.errors import BrokerUnavailable


class Ground:
    """Where bugs are planted: whatever is replaced is put back."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []

    def put(self, where: Any, name: str, what: Any) -> Any:
        """Replace an attribute; returns what was there."""
        before = where.__dict__[name] if isinstance(where, type) else getattr(where, name)
        self._undo.append(lambda: setattr(where, name, before))
        setattr(where, name, what)
        return before

    def rewrite(self, script: Script, line: str, instead: str) -> None:
        """Replace a part of a Lua script, which must be there once."""
        text = script._text.decode()
        assert text.count(line) == 1, line
        mutated = text.replace(line, instead).encode()
        self.put(script, "_text", mutated)
        self.put(script, "_digest", sha1(mutated, usedforsecurity=False).hexdigest())

    def clear(self) -> None:
        """Everything is as it was."""
        while self._undo:
            self._undo.pop()()


Bug = Callable[[Ground], None]
"""Replaces something of the product by what is wrong."""


@contextmanager
def planted(bug: Bug) -> Iterator[None]:
    """A bug, for a while."""
    ground = Ground()
    try:
        bug(ground)
        yield
    finally:
        ground.clear()


def publishing(ground: Ground, stage: type, method: str, wrap: Callable[..., Any]) -> None:
    """Wrap what a stage publishes with, while one of its methods runs."""

    async def wrapped(self: Any) -> Any:
        publish = self._publish

        async def instead(records: Sequence[OutRecord]) -> None:
            await wrap(self, publish, records)

        self._publish = instead
        try:
            return await original(self)
        finally:
            self._publish = publish

    original = ground.put(stage, method, wrapped)


async def send_and_hope(_self: Any, publish: Any, records: Any) -> None:
    """Whatever becomes of it."""
    try:
        await publish(records)
    except BrokerUnavailable:
        return
