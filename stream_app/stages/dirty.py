"""Which of the scopes that changed are said first."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from stream_app.stages.scopes import Dirt

_URGENT: Final = ("company", "team")


class DirtyScopes:
    """Scopes that changed since they were last said, and what changed in them.

    The company and the teams come first (and leave a quarter to the others, if these are so many).
    The other dimensions take turns, and within each it is the turn of who has waited longest: one
    with a hundred thousand members takes no more than its share, and nobody waits for ever because
    others keep changing.
    """

    def __init__(self) -> None:
        self._by_dimension: dict[str, dict[str, Dirt]] = {}
        self._turn = 0

    def __bool__(self) -> bool:
        return bool(self._by_dimension)

    def soil(self, scope: str, *, is_new: bool = False) -> Dirt:
        """What changed in a scope, to be added to: everything, if it is new and was clean."""
        dirty = self._by_dimension.setdefault(_dimension(scope), {})
        dirt = dirty.get(scope)
        if dirt is None:
            dirt = dirty[scope] = Dirt.all() if is_new else Dirt()
        return dirt

    def soil_all_of(self, scope: str) -> None:
        """Everything in a scope must be looked at."""
        self._by_dimension.setdefault(_dimension(scope), {})[scope] = Dirt.all()

    def clear(self) -> None:
        """Nothing is dirty."""
        self._by_dimension.clear()

    def first(self, room: int) -> list[str]:
        """The scopes to be said now, at most so many; they stay dirty."""
        waiting = [iter(d) for name, d in self._by_dimension.items() if name not in _URGENT]
        urgent = (scope for name in _URGENT for scope in self._by_dimension.get(name, ()))
        chosen = list(islice(urgent, room - room // 4 if waiting else room))
        if waiting:
            self._turn = (self._turn + 1) % len(waiting)
            waiting = waiting[self._turn :] + waiting[: self._turn]
        return chosen + list(islice(_in_turn(waiting), room - len(chosen)))

    def take(self, scope: str) -> Dirt:
        """It is said: clean again; returns what had changed."""
        name = _dimension(scope)
        dirty = self._by_dimension[name]
        dirt = dirty.pop(scope)
        if not dirty:
            del self._by_dimension[name]
        return dirt


def _dimension(scope: str) -> str:
    return scope.partition("|")[0]


def _in_turn(waiting: list[Iterator[str]]) -> Iterator[str]:
    """One of each, as long as there are any."""
    while waiting:
        left = []
        for scopes in waiting:
            scope = next(scopes, None)
            if scope is not None:
                yield scope
                left.append(scopes)
        waiting = left
