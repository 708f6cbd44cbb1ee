"""`repeat_misses`: an alert beside a target's level, while closed windows in a row are missed."""

from collections.abc import Iterator
from dataclasses import dataclass

from stream_app.domain.alerts import Alert, Steps, Tick, Transition
from stream_app.domain.goal import Goal
from stream_app.domain.targets import Standing, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Streak:
    """Closed windows of one target and member, newest first, that could be judged.

    Attributes:
        misses: how many in a row were missed, up to the newest.
        newest: the newest one.
    """

    misses: int
    newest: Standing | None


def streak(closed: Iterator[Standing | None], enough: int) -> Streak:
    """Count misses in a row; a window that could not be judged neither breaks nor counts.

    Args:
        closed: the standings in closed windows, newest first.
        enough: how many are counted at most.
    """
    misses = 0
    newest: Standing | None = None
    for standing in closed:
        if standing is None or standing.verdict is Verdict.NOT_JUDGED:
            continue
        newest = newest or standing
        if standing.verdict is Verdict.MET:
            break
        misses += 1
        if misses >= enough:
            break
    return Streak(misses=misses, newest=newest)


def coach(
    goal: Goal, scope: str, before: Alert | None, at: Tick, found: Streak
) -> tuple[Alert, list[Transition]]:
    """`repeat_misses` at the next tick: fires while so many closed windows in a row are missed."""
    steps = Steps(goal, "coaching", scope, before or Alert(), at)
    enough = goal.target.repeat_misses
    if enough is not None and found.misses >= enough and found.newest is not None:
        steps.miss("missed_repeatedly", found.newest.window.key, found.newest, 0)
    else:
        steps.calm(found.newest)
    return steps.alert, steps.made
