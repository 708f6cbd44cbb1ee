"""What predecessors may have left standing in `kpi.values`, to be taken back by their successor.

While a stage lives it knows every record that it said. Its successor knows less: which scopes
changed after they were last heard (the outbox), and the business days on which something was said
since everything was. Windows that existed on those days and are gone now may have records.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import msgspec

from stream_app.domain.windows import Window

_DAYS_HEARD_OF: Final = 3
"""Whoever speaks takes back first what was said on earlier days: of all the days that a log tells
of, after a loss of Redis, only the last can have left something."""


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
        self._windows: dict[Window, None] = {}
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

    def hear_of(self, day: int) -> None:
        """Somebody said something on that day, and is not known to have taken it back."""
        if day not in self._days:
            self._days.add(day)
            while len(self._days) > _DAYS_HEARD_OF:
                self._days.remove(min(self._days))
            self._find_windows()

    def change(self, scope: str) -> None:
        """A scope's numbers changed: if it was not heard yet, what it said before is lost."""
        if scope in self._unheard:
            self.changed.add(scope)

    @property
    def are_pending(self) -> bool:
        """Whether some scope was not said again yet since a predecessor said it."""
        return bool(self._unheard)

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
        if not scopes:
            return
        self._find_windows()
        self._unheard.update(scopes)
        self.changed.update(scopes)

    def windows_left(self, scope: str, current: Iterable[Window]) -> Iterator[Window]:
        """Windows of earlier days that are not, or not in that form, among the current ones."""
        if scope in self._unheard and self._windows:
            among = set(current)
            yield from (window for window in self._windows if window not in among)

    def _find_windows(self) -> None:
        windows = (window for day in sorted(self._days) for window in self._windows_on(day))
        self._windows = dict.fromkeys(windows)


def is_remembered(window: Window) -> bool:
    """Whether totals still tell which records a window of an earlier day had.

    They do by days, for ever; by five minutes they do not.
    """
    return window.complete or window.kind not in ("hour", "day")
