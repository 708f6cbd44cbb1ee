"""What stands in `kpi.values`, whoever said it: another owner, another configuration, a zombie.

A stage knows what it said itself. What others left it learns by looking: it says again what is not
its own last word, and takes back what should not be there. So nothing about what may be left has to
be written down before it is said, and nothing that was not written down can be left for ever.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from stream_app.domain.placement import partition_of_scope

Seen = Mapping[str, Mapping[bytes, int]]
"""Scope → key of a record that stands → its revision."""

_PARTS: Final = 5  # kpi|window|start|dimension|member


class _Revised(msgspec.Struct, frozen=True, gc=False):
    revision: int = 0


_decode: Final = msgspec.json.Decoder(_Revised).decode


class StandingValues:
    """Takes in `kpi.values` in order, and says what stands of each partition of `kpi.partials`."""

    def __init__(self, partitions: int) -> None:
        """Nothing stands.

        Args:
            partitions: of `kpi.partials`.
        """
        self._partitions = partitions
        self._seen: list[dict[str, dict[bytes, int]]] = [{} for _ in range(partitions)]

    def add(self, key: bytes | None, value: bytes | None) -> None:
        """Take in the next record; one whose key is none of ours is left alone."""
        scope = None if key is None else _scope_of(key)
        if key is None or scope is None:
            return
        seen = self._seen[partition_of_scope(scope, self._partitions)]
        if value is not None:
            seen.setdefault(scope, {})[key] = _revision_of(value)
        elif scope in seen:
            seen[scope].pop(key, None)

    def of(self, partition: int) -> Seen:
        """What stands of the scopes of a partition."""
        return self._seen[partition]


def _scope_of(key: bytes) -> str | None:
    try:
        parts = key.decode().split("|")
    except UnicodeDecodeError:
        return None
    return f"{parts[3]}|{parts[4]}" if len(parts) == _PARTS else None


def _revision_of(value: bytes) -> int:
    try:
        return _decode(value).revision
    except msgspec.DecodeError:
        return 0  # not a word of ours: older than any
