"""What this worker's KPIs are worth right now, for whoever renders them.

The board belongs to the event loop: every method is called there and returns at once. Whoever
renders takes a `Snapshot`, which never changes, into its own thread.
"""

import math
import time
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from typing import Final

import msgspec

Number = float | int | Decimal
OwnerKey = tuple[int, Hashable]
"""(partition, scope): who owns some series; `drop_partition` takes a partition's away."""

SERIES_MAX: Final = 20_000
RETAINED_PER_SERIES: Final = 4
"""The board keeps at most this many times `series_max`: memory stays flat whatever comes."""


class TargetState(IntEnum):
    """An alert's state as the value of `kpi_target_state`."""

    OK = 0
    PENDING = 1
    FIRING = 2
    ACHIEVED = 3

    @classmethod
    def of(cls, alert_state: str) -> "TargetState":
        """Return the state of a `kpi.alerts` record; `resolved` is `OK` again.

        Raises:
            KeyError: no state of contract.md, section 5.
        """
        return cls.OK if alert_state == "resolved" else cls[alert_state.upper()]


class Sample(msgspec.Struct, frozen=True, gc=False):
    """The value of one KPI for one member in one current window.

    A struct, not a dataclass: a scope has hundreds, and these cost a thirteenth and no garbage
    collection.

    Attributes:
        unit: as in the catalogue: `ratio`, `seconds`, `count`, `currency` …
        value: in that unit. An undefined KPI is no sample; NaN and infinities are not exposed.
        sample_size: how many things the value rests on (leads, deals, answers); None: unknown,
            dropped first when there are too many series.
        previous: the same one window earlier, for what compares the two; None: no series.
    """

    kpi: str
    unit: str
    window: str
    dimension: str
    member: str
    value: Number
    sample_size: int | None = None
    previous: Number | None = None


class TargetSample(msgspec.Struct, frozen=True, gc=False):
    """How one member stands against one target; whatever is None or empty has no series.

    Attributes:
        reason: why it is in that state, or is not judged.
        of_closed: the state is news of the window that ended last.
        coaching: state of what `repeat_misses` asks for.
    """

    target: str
    kpi: str
    window: str
    dimension: str
    member: str
    target_value: Number | None
    attainment: Number | None
    state: TargetState | None
    reason: str = ""
    of_closed: bool = False
    coaching: TargetState | None = None


class ScopeSeries:
    """All series of one scope; immutable and, as a key, itself only.

    Attributes:
        size: how many series at most.
        rank: how soon the whole scope is withheld; the greatest first.
    """

    __slots__ = ("rank", "samples", "size", "targets")

    def __init__(self, samples: tuple[Sample, ...], targets: tuple[TargetSample, ...]) -> None:
        self.samples: Final = samples
        self.targets: Final = targets
        before = sum(sample.previous is not None for sample in samples)
        beside = sum(bool(goal.reason) + (goal.coaching is not None) for goal in targets)
        self.size: Final = len(samples) + before + 3 * len(targets) + beside
        self.rank: Final = _coarse_rank(samples, targets)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The board at one instant.

    Attributes:
        version: equal versions have equal content.
        series_max: how many of the series may be exposed.
        withheld: series the board itself no longer keeps, because there were far too many.
    """

    version: int
    series_max: int
    scopes: tuple[ScopeSeries, ...]
    withheld: int


def dimension_rank(dimension: str) -> int:
    """0 company, 1 team, 2 all others: the order in which series are kept."""
    return ("company", "team").index(dimension) if dimension in {"company", "team"} else 2


def _coarse_rank(samples: tuple[Sample, ...], targets: tuple[TargetSample, ...]) -> int:
    """Return how soon a whole scope may go (the greatest first), by powers of two of its size."""
    dimensions = {sample.dimension for sample in samples} | {goal.dimension for goal in targets}
    largest = max((sample.sample_size or 0 for sample in samples), default=0)
    return 64 * min(map(dimension_rank, dimensions), default=2) + 63 - min(largest.bit_length(), 63)


class SnapshotBoard:
    """The current series of every scope that this worker owns.

    Hidden until the first `show`: a worker that has just started owns nothing it could vouch for.
    """

    def __init__(
        self, *, series_max: int = SERIES_MAX, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.series_max: Final = series_max
        self._clock = clock
        self._visible_until = -math.inf
        self._version = 0
        self._scopes: dict[OwnerKey, ScopeSeries] = {}
        self._by_rank: dict[int, dict[OwnerKey, None]] = {}
        self._size = 0
        self._withheld: dict[OwnerKey, int] = {}
        self._withheld_size = 0

    def replace(
        self,
        owner_key: OwnerKey,
        samples: Iterable[Sample],
        targets: Iterable[TargetSample] = (),
    ) -> None:
        """Make these the scope's only series; none at all removes the scope (a member has left)."""
        self._version += 1
        self._forget(owner_key)
        scope = ScopeSeries(tuple(samples), tuple(targets))
        if not scope.size:
            return
        self._scopes[owner_key] = scope
        self._by_rank.setdefault(scope.rank, {})[owner_key] = None
        self._size += scope.size
        while self._size > self.series_max * RETAINED_PER_SERIES:
            self._withhold_the_least()

    def drop_partition(self, partition: int) -> None:
        """Take away everything a partition owned; call it in the revoke callback."""
        self._version += 1
        for owner_key in [key for key in (*self._scopes, *self._withheld) if key[0] == partition]:
            self._forget(owner_key)

    def show(self, for_seconds: float = math.inf) -> None:
        """Expose the series, for this long unless renewed.

        The lease ends by itself on the monotonic clock, so a worker that was paused and wakes up
        as a zombie exposes nothing before it has heard from its group again.
        """
        self._visible_until = self._clock() + for_seconds

    def hide(self) -> None:
        """Expose nothing until `show`; the values stay and keep being replaced."""
        self._visible_until = -math.inf

    @property
    def visible(self) -> bool:
        """Whether the worker currently vouches for its series."""
        return self._clock() < self._visible_until

    def snapshot(self) -> Snapshot:
        """Return what may be exposed now: everything, or nothing while hidden."""
        if not self.visible:
            return Snapshot(-1, self.series_max, (), 0)
        return Snapshot(
            self._version, self.series_max, tuple(self._scopes.values()), self._withheld_size
        )

    def _withhold_the_least(self) -> None:
        owner_key = next(reversed(self._by_rank[max(self._by_rank)]))
        size = self._scopes[owner_key].size
        self._forget(owner_key)
        self._withheld[owner_key] = size
        self._withheld_size += size

    def _forget(self, owner_key: OwnerKey) -> None:
        self._withheld_size -= self._withheld.pop(owner_key, 0)
        scope = self._scopes.pop(owner_key, None)
        if scope is None:
            return
        self._size -= scope.size
        same_rank = self._by_rank[scope.rank]
        del same_rank[owner_key]
        if not same_rank:
            del self._by_rank[scope.rank]
