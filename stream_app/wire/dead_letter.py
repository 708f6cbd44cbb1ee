"""`crm.dead-letters`: refused input, where it came from and why (contract.md, section 1).

The key is `topic/partition/offset`, the value the original bytes cut at 64 KiB, and the headers
say `reason`, `detail`, `topic`, `partition`, `offset`, all of them UTF-8 text. What was cut, and
the record's own key and timestamp, are read from the log at these coordinates.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from stream_app.domain.scopes import encode
from stream_app.wire.reasons import Rejection

MAX_VALUE_BYTES: Final = 64 * 1024
MAX_DETAIL_CHARACTERS: Final = 1024

Headers = Sequence[tuple[str, bytes | None]]


class NotADeadLetter(ValueError):
    """A record that does not have the form of a dead letter: somebody else wrote it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """One refused record.

    Attributes:
        topic: where the original record lies, with `partition` and `offset`.
        reason: a `Reason`; plain text, so that one of a newer version can still be listed.
        detail: what is wrong, without content of the record; at most 1024 characters.
        value: the original bytes, cut at 64 KiB; None where the original value was null. The
            topic is never compacted, so a null value deletes nothing: it says what was there.
    """

    topic: str
    partition: int
    offset: int
    reason: str
    detail: str
    value: bytes | None

    @classmethod
    def of(
        cls, rejection: Rejection, topic: str, partition: int, offset: int, value: bytes | None
    ) -> Self:
        """The dead letter of a record that was refused."""
        return cls(
            topic=topic,
            partition=partition,
            offset=offset,
            reason=rejection.reason.value,
            detail=rejection.detail[:MAX_DETAIL_CHARACTERS],
            value=None if value is None else value[:MAX_VALUE_BYTES],
        )

    @property
    def key(self) -> bytes:
        """`topic/partition/offset`: repeats of a dead letter have the same key."""
        return f"{encode(self.topic)}/{self.partition}/{self.offset}".encode()

    @property
    def headers(self) -> list[tuple[str, bytes]]:
        """The headers in the contract's order."""
        return [
            ("reason", self.reason.encode()),
            ("detail", self.detail.encode()),
            ("topic", self.topic.encode()),
            ("partition", str(self.partition).encode()),
            ("offset", str(self.offset).encode()),
        ]

    @classmethod
    def read(cls, headers: Headers, value: bytes | None) -> Self:
        """A record of the topic as the dead letter that it is; other headers are ignored.

        Raises:
            NotADeadLetter: a header is missing or unreadable; the message says which.
        """
        said = dict(reversed(headers))  # of repeated headers the first counts
        return cls(
            topic=_text(said, "topic"),
            partition=_number(said, "partition"),
            offset=_number(said, "offset"),
            reason=_text(said, "reason"),
            detail=_text(said, "detail"),
            value=value,
        )


def _text(headers: dict[str, bytes | None], name: str) -> str:
    raw = headers.get(name)
    if raw is None:
        raise NotADeadLetter(f"header {name} is missing, expected UTF-8 text")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise NotADeadLetter(f"header {name} is not UTF-8, expected UTF-8 text") from None


def _number(headers: dict[str, bytes | None], name: str) -> int:
    text = _text(headers, name)
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(2**63))):
        raise NotADeadLetter(f"header {name} is not a number, expected decimal digits")
    return int(text)
