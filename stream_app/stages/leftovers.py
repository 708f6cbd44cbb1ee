"""What predecessors may have left standing in `kpi.values`, to be taken back by their successor.

While a stage lives it knows every record that it said. Its successor knows less: which scopes
changed after they were last heard (the outbox), and the business days on which something was said
since everything was. Windows that existed on those days and are gone now may have records.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from stream_app.domain.windows import Window

_Place = tuple[str, str]


class Leftovers:
    """Where records may stand that nobody remembers."""

    __slots__ = ("_days", "_unheard", "_windows", "_windows_on", "changed")

    def __init__(self, windows_on: Callable[[int], Iterable[Window]]) -> None:
        """Nothing was ever said.

        Args:
            windows_on: the windows that had records at the end of a business day.

        Attributes:
            changed: scopes of which it is not known what they said last; every record that they
                do not have now may stand.
        """
        self._windows_on = windows_on
        self._days: set[int] = set()
        self._windows: dict[tuple[_Place, bool], Window] = {}
        self._unheard: set[str] = set()
        self.changed: set[str] = set()

    def recall(self, stored: str, scopes: Iterable[str], changed: Iterable[str]) -> None:
        """Continue after a predecessor, or after a loss of memory.

        Args:
            stored: what `stored` returned for the last commit; empty for none.
            scopes: all that are known.
            changed: those whose last publication was not acknowledged.
        """
        self._days.update(msgspec.json.decode(stored or "[]", type=list[int]))
        self._find_windows()
        self._unheard.update(scopes)
        self.changed.update(changed)

    def stored(self, day: int) -> str:
        """What to commit before something is said on a business day."""
        return msgspec.json.encode(sorted(self._days | {day})).decode()

    def speak(self, day: int) -> None:
        """Something is about to be said."""
        self._days.add(day)

    def heard(self, scopes: Iterable[str]) -> None:
        """These scopes said all that they have to say, and took back the rest."""
        self._unheard.difference_update(scopes)
        self.changed.difference_update(scopes)

    def heard_all(self, day: int) -> None:
        """All scopes did: what may stand is what there is on this day."""
        self._days = {day}
        self._windows.clear()

    def forget(self, scopes: Sequence[str]) -> None:
        """It is not known what these scopes said last."""
        self._find_windows()
        self._unheard.update(scopes)
        self.changed.update(scopes)

    def windows_left(self, scope: str, current: Iterable[Window]) -> Iterator[Window]:
        """Windows of earlier days that are not, or not in that form, among the current ones."""
        if scope not in self._unheard or not self._windows:
            return
        now = {(window.kind, window.key): window for window in current}
        for (place, _), then in self._windows.items():
            if place not in now or _differs(then, now[place]):
                yield then

    def _find_windows(self) -> None:
        self._windows = {
            ((window.kind, window.key), window.complete): window
            for day in sorted(self._days)
            for window in self._windows_on(day)
        }


def _differs(then: Window, now: Window) -> bool:
    """Whether a record may have existed then that does not exist now, its scope unchanged."""
    return then.kind == "hour" or then.complete != now.complete or then.start != now.start
