"""The simulation's agenda: what happens next, and what has just been said about it."""

from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from math import inf
from random import Random
from typing import Any, Final, Generic, TypeVar

import msgspec

Step = Callable[[Any], None]
Fates = tuple[tuple[float, str], ...]
Item = TypeVar("Item")


class Thread:
    """What shares one Kafka key. `seen`: one of its events was delivered."""

    __slots__ = ("key", "seen")

    def __init__(self, key: str) -> None:
        self.key: Final = key.encode()
        self.seen = False


class Happening(msgspec.Struct):
    """One distinct CRM event, before faults and before it is put into bytes.

    Attributes:
        type: CloudEvents type.
        data: CloudEvents data.
        thread: whose key it carries.
        time_ms: event time.
        at_ms: the instant at which it is reported; later than `time_ms` only for corrections.
        sequence: CloudEvents `sequence`, or None.
        due_seconds: see `SimRecord`.
        corrects: it is one of the `corrections`.
    """

    type: str
    data: dict[str, object]
    thread: Thread
    time_ms: int
    at_ms: int
    sequence: int | None = None
    due_seconds: float = 0.0
    corrects: bool = False


class Timeline:
    """An agenda in business days, and the queue of happenings that its steps produced.

    Attributes:
        rng: the one source of chance of everything that happens.
        days: business days since the simulation's start, as of the step that runs.
        now_ms: the instant of that step.
        said: happenings nobody has taken yet, oldest first.
    """

    __slots__ = ("_agenda", "_company", "_entries", "_ids", "_run", "days", "now_ms", "rng", "said")

    def __init__(self, rng: Random, *, company: str, run: str, now_ms: int) -> None:
        self.rng = rng
        self.days = 0.0
        self.now_ms = now_ms
        self.said: deque[Happening] = deque()
        self._company = company
        self._run = run
        self._ids: dict[str, int] = {}
        self._agenda: list[tuple[float, int, Step, Any]] = []
        self._entries = 0

    def maybe(self, likelihood: float) -> bool:
        """Return True so often (0 to 1)."""
        return self.rng.random() < likelihood

    def fate(self, fates: Fates) -> str | None:
        """Return one of the fates, each as often as it says, or None for the rest."""
        draw = self.rng.random()
        for likelihood, name in fates:
            draw -= likelihood
            if draw < 0:
                return name
        return None

    def new_id(self, kind: str) -> str:
        """Return an id that no other entity of any kind, run or company has."""
        number = self._ids.get(kind, 0) + 1
        self._ids[kind] = number
        return f"{self._company}:{kind}:{self._run}-{number}"

    def after(self, days: float, step: Step, subject: object) -> None:
        """Run `step(subject)` in so many business days."""
        self._entries += 1
        heappush(self._agenda, (self.days + days, self._entries, step, subject))

    def next_days(self) -> float:
        """Return when the next step runs, in business days since the start; inf: never."""
        return self._agenda[0][0] if self._agenda else inf

    def take_step(self) -> tuple[float, Step, Any]:
        """Remove and return the next step: its time, itself, its subject."""
        days, _, step, subject = heappop(self._agenda)
        return days, step, subject

    def say(
        self,
        type_: str,
        thread: Thread,
        data: dict[str, object],
        *,
        time_ms: int | None = None,
        sequence: int | None = None,
    ) -> None:
        """Append an event; with `time_ms` it is a correction that reaches back to then."""
        now_ms = self.now_ms
        if time_ms is None:
            self.said.append(Happening(type_, data, thread, now_ms, now_ms, sequence))
        else:
            self.said.append(
                Happening(type_, data, thread, time_ms, now_ms, sequence, corrects=True)
            )


class Recent(Generic[Item]):
    """The last so many items, to pick one of: a bounded memory for an endless simulation."""

    __slots__ = ("_added", "_capacity", "_items")

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._items: list[Item] = []
        self._added = 0

    def __len__(self) -> int:
        return len(self._items)

    def add(self, item: Item) -> None:
        """Remember an item; when full, the oldest is forgotten."""
        if self._added < self._capacity:
            self._items.append(item)
        else:
            self._items[self._added % self._capacity] = item
        self._added += 1

    def any(self, rng: Random) -> Item:
        """Return one of the items, each as likely; there must be one."""
        return self._items[int(rng.random() * len(self._items))]
