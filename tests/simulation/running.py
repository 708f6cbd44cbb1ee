"""Many seeds, also in several processes."""

from collections.abc import Callable, Iterable, Iterator
from multiprocessing import get_context
from typing import Any

from tests.simulation.ground import planted
from tests.simulation.world import Outcome, simulate

_SEEDS_AT_ONCE = 10


def outcomes(seeds: range, processes: int) -> Iterator[Outcome]:
    """What became of each seed, in their order."""
    if processes == 1:
        yield from map(without_trace, seeds)
        return
    with get_context("spawn").Pool(processes) as pool:
        yield from pool.imap(without_trace, seeds, _SEEDS_AT_ONCE)


def without_trace(seed: int) -> Outcome:
    """One seed; the trace of a good one is nobody's business."""
    outcome = simulate(seed)
    outcome.trace.clear()
    return outcome


def first_catch(bug: Callable[[Any], None], seeds: Iterable[int]) -> tuple[int | None, str]:
    """The first of the seeds that fails with the bug, and how; None for none."""
    with planted(bug):
        for seed in seeds:
            if problems := simulate(seed).problems:
                return seed, problems[0]
    return None, ""
