"""Sends commits and finds out what became of them when the reply is lost."""

from asyncio import CancelledError
from collections.abc import Sequence
from typing import Final, NoReturn

from stream_app.state.client import COMMIT, Client, execute
from stream_app.state.errors import Fenced, Kind, StateTorn, StoreUnavailable
from stream_app.state.keys import PartitionKeys

_ATTEMPTS: Final = 3
_UNSURE: Final = (Kind.CONNECTION, Kind.TIMEOUT)


class CommitPoint:
    """The commits of one claim.

    Attributes:
        in_doubt: (expected, next) of a commit of which we do not know whether it was applied.
    """

    __slots__ = ("_keys", "_redis", "_token", "in_doubt", "partition", "topic")

    def __init__(
        self, redis: Client, keys: PartitionKeys, token: str, topic: str, partition: int
    ) -> None:
        self._redis = redis
        self._keys = keys
        self._token = token.encode()
        self.topic = topic
        self.partition = partition
        self.in_doubt: tuple[int | None, int] | None = None

    async def apply(
        self, hashes: Sequence[bytes], args: Sequence[bytes], expected: int | None, following: int
    ) -> None:
        """Applies one commit, exactly once.

        After a lost reply owner and offset are read again. Only this claim can store an offset
        under its token, so the following offset says that the lost attempt was applied, even if it
        arrived late (a blocked Redis still runs what lies in a closed connection's buffer).

        Args:
            hashes: the keys of commit.lua.
            args: its arguments behind owner and offsets.
            expected: the offset that must be stored.
            following: the offset to store.

        Raises:
            Fenced: owner or offset differ.
            StoreUnavailable: call again with the same arguments.
            StateTorn: the stored state cannot be built upon.
        """
        args = (self._token, _stored(expected), _stored(following), *args)
        attempts_left = _ATTEMPTS
        applied = False
        while not applied:
            attempts_left -= 1
            try:
                reply = await COMMIT.run(self._redis, hashes, args)
            except StoreUnavailable as error:
                if error.kind not in _UNSURE:
                    raise
                self.in_doubt = (expected, following)
                applied = self._was_applied(await self._stored_fence(), expected, following)
                if not applied and (error.kind is Kind.TIMEOUT or not attempts_left):
                    raise
            except CancelledError:
                self.in_doubt = (expected, following)
                raise
            else:
                if reply[0] == b"torn":
                    raise StateTorn(self._keys.prefix, reply[1].decode())
                applied = reply[0] == b"ok" or self._was_applied(
                    (reply[1], reply[2]), expected, following
                )
        self.in_doubt = None

    def refuse_owner(self, owner: bytes) -> NoReturn:
        """Raises the `Fenced` for a stored owner that is not ours."""
        self._refuse("owner", f"stored owner {_shown(owner)}, ours {_shown(self._token)}")

    async def _stored_fence(self) -> tuple[bytes, bytes]:
        owner, offset = await execute(self._redis, "HMGET", self._keys.meta, "owner", "offset")
        return owner or b"", offset or b""

    def _was_applied(
        self, stored: tuple[bytes, bytes], expected: int | None, following: int
    ) -> bool:
        owner, offset = stored
        if owner != self._token:
            self.refuse_owner(owner)
        if offset == _stored(following) and self.in_doubt == (expected, following):
            return True
        if offset != _stored(expected):
            shown = offset.decode() or None
            self._refuse("offset", f"stored offset {shown}, expected {expected}")
        return False

    def _refuse(self, which: str, detail: str) -> NoReturn:
        raise Fenced(self.topic, self.partition, which, detail)


def _stored(offset: int | None) -> bytes:
    return b"" if offset is None else b"%d" % offset


def _shown(token: bytes) -> str:
    return f"{token.decode()[:8]}…" if token else "none"
