"""What stands in `kpi.values` and `kpi.experiments`, whoever said it: another owner, a zombie.

A stage knows what it said itself. What others left it learns by looking: it says again what is not
its own last word, and takes back what should not be there. So nothing about what may be left has to
be written down before it is said, and nothing that was not written down can be left for ever.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from stream_app.domain.placement import partition_of_scope
from stream_app.domain.trial import trial_scope
from stream_app.wire.keys import split_key

Seen = Mapping[str, Mapping[bytes, int]]
"""Scope → key of a record that stands → its revision."""

_PARTS: Final = 5  # kpi|window|start|dimension|member


class _Revised(msgspec.Struct, frozen=True, gc=False):
    revision: int = 0


_decode: Final = msgspec.json.Decoder(_Revised).decode


class Standing:
    """Takes in both topics in order, and says what stands of each partition of `kpi.partials`.

    Attributes:
        newest: the highest revision that was met, in whatever partition.
    """

    def __init__(self, partitions: int) -> None:
        """Nothing stands.

        Args:
            partitions: of `kpi.partials`.
        """
        self._partitions = partitions
        self.newest = 0
        self._seen: list[dict[str, dict[bytes, int]]] = [{} for _ in range(partitions)]

    def add_value(self, key: bytes | None, value: bytes | None) -> None:
        """Take in the next record of `kpi.values`; one whose key is none of ours is left alone."""
        self._add(None if key is None else _scope_of(key), key, value)

    def add_result(self, key: bytes | None, value: bytes | None) -> None:
        """The same of `kpi.experiments`."""
        self._add(None if key is None else _trial_scope_of(key), key, value)

    def _add(self, scope: str | None, key: bytes | None, value: bytes | None) -> None:
        if key is None or scope is None:
            return
        seen = self._seen[partition_of_scope(scope, self._partitions)]
        if value is not None:
            revision = seen.setdefault(scope, {})[key] = _revision_of(value)
            self.newest = max(self.newest, revision)
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


def _trial_scope_of(key: bytes) -> str | None:
    try:
        name, variant = split_key(key.decode())
    except ValueError:
        return None
    return trial_scope(name[0]) if len(name) == len(variant) == 1 else None


def _revision_of(value: bytes) -> int:
    try:
        return _decode(value).revision
    except msgspec.DecodeError:
        return 0  # not a word of ours: older than any
