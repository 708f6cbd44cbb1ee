"""Which faults happen when: data from a seed, to be logged and run again.

A timetable has periods. Before each the producer writes the next part of the log; a fault begins
when the workers have counted some share of it, so that there is work left, and ends after so many
seconds. A quarter of the periods is quiet. Some faults overlap with one of another victim.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random


class Fault(StrEnum):
    """What is done; its victim is the first word, and one victim suffers one fault at a time."""

    WORKER_KILL = "worker kill"
    WORKER_PAUSE = "worker pause"
    WORKER_LEAVES = "worker leaves"
    WORKER_JOINS = "worker joins"
    BROKER_KILL = "broker kill"
    BROKER_PAUSE = "broker pause"
    REDIS_KILL = "redis kill"
    REDIS_PAUSE = "redis pause"
    REDIS_ROLLBACK = "redis rollback"
    REDIS_FULL = "redis full"
    REDIS_READ_ONLY = "redis read-only"
    REDIS_WIPE = "redis wipe"

    @property
    def victim(self) -> str:
        """Who suffers."""
        return self.value.partition(" ")[0]


FAULTS = tuple(Fault)


@dataclass(frozen=True)
class Limits:
    """How long faults may last.

    Attributes:
        session: a worker that is silent for longer loses its partitions.
        longest: longer than every timeout that is configured.
    """

    session: float = 6.0
    longest: float = 33.0


@dataclass(frozen=True)
class Entry:
    """One fault.

    Attributes:
        worker: which of the workers there are, if one suffers.
        after: seconds after the period's first fault begins.
        seconds: until it is healed.
    """

    fault: Fault
    worker: int
    after: float
    seconds: float

    def __str__(self) -> str:
        who = f" {self.worker}" if self.fault.victim == "worker" else ""
        return f"{self.fault}{who} at +{self.after:.1f} s for {self.seconds:.1f} s"


@dataclass(frozen=True)
class Period:
    """Some records, and what happens while they are counted.

    Attributes:
        share: of the period's records that is counted when its first fault begins.
        entries: none: a quiet period.
    """

    share: float
    entries: tuple[Entry, ...]


def timetable(
    seed: int, periods: int, limits: Limits | None = None, faults: Sequence[Fault] = FAULTS
) -> tuple[Period, ...]:
    """The timetable of a seed.

    Args:
        seed: decides everything.
        periods: how many; a quarter of them is quiet.
        limits: how long faults may last.
        faults: those to choose from; none comes again before all others had their turn.
    """
    random = Random(seed)  # noqa: S311
    limits = limits or Limits()
    quiet = set(random.sample(range(periods), periods // 4))
    waiting: list[Fault] = []
    table = []
    for number in range(periods):
        entries: list[Entry] = []
        for _ in range(0 if number in quiet else 1 + (random.random() < 1 / 3)):
            waiting = waiting or random.sample(list(faults), len(faults))
            fault = waiting.pop()
            if any(fault.victim == entry.fault.victim for entry in entries):
                waiting.insert(0, fault)
                continue
            after = random.uniform(0, 2) if entries else 0.0
            seconds = _seconds(fault, random, limits)
            entries.append(Entry(fault, random.randrange(2), round(after, 2), round(seconds, 2)))
        table.append(Period(round(random.uniform(0, 0.6), 2), tuple(entries)))
    return tuple(table)


def _seconds(fault: Fault, random: Random, limits: Limits) -> float:
    if fault in {Fault.REDIS_WIPE, Fault.WORKER_LEAVES}:
        return random.uniform(0.5, 3)
    if fault is Fault.REDIS_ROLLBACK:
        return random.uniform(0.5, 4)  # from the copy to the restoration
    if fault.value.endswith("pause"):
        # Unnoticed, noticed by the group, longer than anybody is patient.
        choices = [random.uniform(0.3, limits.session / 2), 1.5 * limits.session, limits.longest]
        return random.choices(choices, weights=(2, 2, 1))[0]
    return random.uniform(0.5, limits.session + 2)
