"""The names of Redis keys: `<namespace>:{<topic>:<partition>}:…`, one hash slot per partition."""

import re
from typing import Final

Place = str | tuple[str, bytes]
"""Where a row lives: a flat table's name, or (grouped table's name, group)."""

_TABLE: Final = re.compile(r"[a-z][a-z0-9_-]*")
_NAMESPACE: Final = re.compile(r"[^{}\s]+")


def namespace(topic_prefix: str, state_version: str) -> str:
    """What the names of all keys of one state version begin with."""
    return f"stream-app:{topic_prefix}{state_version}"


class PartitionKeys:
    """Names the keys of one partition.

    Args:
        namespace: `stream-app:<topic prefix><state version>`; no braces, no white space.
    """

    __slots__ = ("_by_place", "meta", "outbox", "prefix")

    def __init__(self, namespace: str, topic: str, partition: int) -> None:
        if not _NAMESPACE.fullmatch(namespace):
            raise ValueError(
                f"namespace {namespace!r}: expected some text without braces and white space"
            )
        self.prefix: Final = f"{namespace}:{{{topic}:{partition}}}:"
        self.meta: Final = f"{self.prefix}meta".encode()
        self.outbox: Final = f"{self.prefix}outbox".encode()
        self._by_place: dict[str, bytes] = {}

    def of(self, place: Place) -> bytes:
        """The hash of a flat table or of one group."""
        if isinstance(place, str):
            return self._by_place.get(place) or self._named(place, f"t:{place}")
        table, group = place
        return self.groups(table) + group

    def groups(self, table: str) -> bytes:
        """What the names of all groups of a grouped table begin with."""
        name = f"{table}:"
        return self._by_place.get(name) or self._named(name, f"g:{name}")

    def _named(self, name: str, suffix: str) -> bytes:
        table = name.removesuffix(":")
        if not _TABLE.fullmatch(table):
            raise ValueError(f"table name {table!r}: expected small letters, digits, '_' and '-'")
        key = self._by_place[name] = f"{self.prefix}{suffix}".encode()
        return key


def escaped_glob(name: bytes) -> bytes:
    """The pattern for SCAN that matches this name and nothing else."""
    return re.sub(rb"([*?\[\]\\^-])", rb"\\\1", name)
