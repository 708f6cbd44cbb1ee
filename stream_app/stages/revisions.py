"""Revisions of `kpi.values`: they only ever grow, over all owners and all that Redis may forget.

A revision is the time in milliseconds, or one more than the last. Before some are used, a limit for
them is announced in the owner's own input, `kpi.partials`. Whoever takes over reads what is there
before it speaks, so it has heard of all that its predecessors may have used, whatever Redis says.
"""

from typing import Final

from stream_app.stages.ports import WallClock

RESERVED: Final = 60_000
"""So many revisions (one a millisecond) are announced at a time."""


class Revisions:
    """The revisions of one partition, for one owner.

    Attributes:
        last: the last that was used, or may have been used by anybody.
    """

    __slots__ = ("_announced", "_day", "_wall_clock_us", "last")

    def __init__(self, heard: int, wall_clock_us: WallClock) -> None:
        """Continue after predecessors that may have used as many as were heard of."""
        self._wall_clock_us = wall_clock_us
        self._announced = 0
        self._day = 0
        self.last = max(heard, wall_clock_us() // 1000)

    def next(self) -> int:
        """A new one; greater than all before."""
        self.last = self._following()
        return self.last

    def limit_to_announce(self, day: int) -> int | None:
        """What must be in the log before the next revision is used; None: it is there already.

        Args:
            day: on which it is used. The log tells on which days something was said, too.
        """
        following = self._following()
        is_known = following < self._announced and day == self._day
        return None if is_known else following + RESERVED

    def announced(self, limit: int, day: int) -> None:
        """The limit is in the log."""
        self._announced, self._day = limit, day

    def hear(self, limit: int) -> None:
        """Somebody announced a limit; what is our own echo says nothing new."""
        if limit != self._announced:
            self.last = max(self.last, limit)

    def outdo(self, revision: int) -> None:
        """Others used revisions up to this one, so the next is above it."""
        self.last = max(self.last, revision)

    def _following(self) -> int:
        return max(self.last + 1, self._wall_clock_us() // 1000)
