"""A bounded memory of what was read: the least recently used goes first."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Generic, TypeVar

_Value = TypeVar("_Value")


class BoundedCache(Generic[_Value]):
    """Values by key, at most `capacity` of them once `trim` was called.

    It is trimmed between batches, never within one: a batch keeps what it works on.
    """

    __slots__ = ("_capacity", "_values")

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._values: OrderedDict[bytes, _Value] = OrderedDict()

    def missing(self, keys: Iterable[bytes]) -> list[bytes]:
        """Those of the keys that are not here; the others become the most recently used."""
        absent = []
        for key in keys:
            if key in self._values:
                self._values.move_to_end(key)
            else:
                absent.append(key)
        return absent

    def __getitem__(self, key: bytes) -> _Value:
        return self._values[key]

    def get(self, key: bytes) -> _Value | None:
        """The value, or None."""
        return self._values.get(key)

    def __setitem__(self, key: bytes, value: _Value) -> None:
        self._values[key] = value

    def update(self, values: Mapping[bytes, _Value]) -> None:
        """Remember many values."""
        self._values.update(values)

    def drop_all(self, keys: Iterable[bytes]) -> None:
        """Forget these values, if they are here."""
        for key in keys:
            self._values.pop(key, None)

    def trim(self) -> None:
        """Forget the least recently used beyond the capacity."""
        while len(self._values) > self._capacity:
            self._values.popitem(last=False)

    def clear(self) -> None:
        """Forget everything."""
        self._values.clear()

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._values)
