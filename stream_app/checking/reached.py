"""What was reached so far: targets that nobody ever met, experiments that cannot be joined (pure).

Both are told from `kpi.values` alone, so what a new configuration asks can be checked before a
worker runs with it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final

import msgspec

from stream_app.checking.findings import Finding, note
from stream_app.config.model import Experiment
from stream_app.domain.goal import Goal
from stream_app.wire.published import Published, decode_published

WINDOWS_LOOKED_AT: Final = 12
LEAST_WINDOWS: Final = 3
"""Closed windows with a value; fewer say nothing about what can be reached."""

MANY_DEALS: Final = 20
CONVERTED: Final = "cohort_conversion_rate"
WON: Final = "deals_won"
_LONGEST: Final = ("365d", "year", "quarter", "90d", "30d", "month")
_DATE_CHARACTERS: Final = 10
_KEY_PARTS: Final = 5

_Place = tuple[str, str, str]
"""(KPI, window, dimension)."""


@dataclass(slots=True)
class Reached:
    """What stands in `kpi.values`, as far as targets and experiments ask for it.

    Attributes:
        goals: those without a closed window are left out.
        experiments: whose dimension must be one that values are split by, to be looked at.
    """

    goals: Iterable[Goal]
    experiments: Iterable[Experiment]
    _asked: set[_Place] = field(init=False)
    _closed: dict[_Place, dict[str, dict[str, Published]]] = field(default_factory=dict)
    _running: dict[_Place, dict[str, Published]] = field(default_factory=dict)
    _looked_at: dict[_Place, tuple[list[str], dict[str, dict[str, Published]]]] = field(
        default_factory=dict
    )

    def __post_init__(self) -> None:
        self.goals = tuple(goal for goal in self.goals if not goal.moves)
        self.experiments = tuple(self.experiments)
        self._asked = {_place(goal) for goal in self.goals} | {
            (kpi, window, each.dimension)
            for each in self.experiments
            for kpi in (CONVERTED, WON)
            for window in _LONGEST
        }

    @property
    def asks(self) -> bool:
        """Whether there is anything to look for."""
        return bool(self._asked)

    def take(self, key: bytes | None, value: bytes | None) -> None:
        """Take in the next record of the topic."""
        parts = (key or b"").decode(errors="replace").split("|")
        if len(parts) != _KEY_PARTS:
            return
        kpi, window, start, dimension, member = parts
        place = (kpi, window, dimension)
        if place not in self._asked:
            return
        closed = self._closed.setdefault(place, {}).setdefault(member, {})
        running = self._running.setdefault(place, {})
        closed.pop(start, None)
        if value is None:
            return
        try:
            record = decode_published(value)
        except msgspec.DecodeError:
            return
        if record.complete:
            closed[start] = record
        else:
            running[record.member] = record

    def findings(self) -> Iterator[Finding]:
        """What is worth knowing."""
        self._looked_at.clear()
        for goal in self.goals:
            yield from self._unreached(goal)
        for experiment in self.experiments:
            yield from self._unjoined(experiment)

    # -- targets ---------------------------------------------------------------------------------

    def _unreached(self, goal: Goal) -> Iterator[Finding]:
        """Nobody whom the target concerns has met it in any of the last closed windows."""
        last, by_member = self._last_closed(_place(goal))
        named = goal.target.member
        members = by_member.values() if named == "*" else [by_member.get(named, {})]
        judged = [
            (record.value, wanted, record)
            for start in last
            for by_start in members
            if (record := by_start.get(start)) is not None
            and record.value is not None
            and (wanted := _wanted(goal, record)) is not None
            and not _is_too_small(goal, record)
        ]
        windows = len({record.start for _, _, record in judged})
        if windows < LEAST_WINDOWS:
            return
        nearest = max(judged, key=lambda each: (each[0] - each[1]) * (1 if goal.wants_more else -1))
        value, wanted, record = nearest
        if (value >= wanted) if goal.wants_more else (value <= wanted):
            return
        who = "" if goal.dimension == "company" else f" by any {goal.dimension}"
        whose = "" if goal.dimension == "company" else f", by {record.member}"
        yield note(
            f"targets.{goal.name}: not SMART (R): it was not reached{who} in any of the last "
            f"{windows} closed windows ({goal.target.window}); nearest: {value:f} where "
            f"{wanted:f} was asked{whose}, from "
            f"{record.start[:_DATE_CHARACTERS]} on",
            "ask for what can be reached, or for steps towards it",
        )

    def _last_closed(self, place: _Place) -> tuple[list[str], dict[str, dict[str, Published]]]:
        """The last closed windows of anybody, and each member's by their beginning."""
        found = self._looked_at.get(place)
        if found is None:
            closed = [by_start for by_start in self._closed.get(place, {}).values() if by_start]
            starts = sorted({start for by_start in closed for start in by_start}, reverse=True)
            by_member = {next(iter(each.values())).member: each for each in closed}
            found = self._looked_at[place] = starts[:WINDOWS_LOOKED_AT], by_member
        return found

    # -- experiments -----------------------------------------------------------------------------

    def _unjoined(self, experiment: Experiment) -> Iterator[Finding]:
        """Far more deals are won in its arms than leads are: the rest has no lead in its thread."""
        arms = (experiment.control, *experiment.variants)
        for window in _LONGEST:
            won, converted = (
                self._running.get((kpi, window, experiment.dimension), {})
                for kpi in (WON, CONVERTED)
            )
            if not won:
                continue
            deals = sum(int(won[arm].value or 0) for arm in arms if arm in won)
            leads = sum(int(converted[arm].numerator or 0) for arm in arms if arm in converted)
            if deals >= MANY_DEALS and 2 * leads < deals:
                yield note(
                    f"experiments.{experiment.name}: {deals:,} deals were won in its arms "
                    f"({window}), and only {leads:,} leads: most deals seem to lie under keys of "
                    "their own, where they cannot be joined with their leads, which count as lost",
                    "write a deal under its lead's key where its producer knows the lead (README, "
                    "“Your own events”)",
                )
            return


def _place(goal: Goal) -> _Place:
    return goal.kpi.name, goal.target.window, goal.dimension


def _wanted(goal: Goal, record: Published) -> Decimal | None:
    """What the target asks for in a closed window; None: nothing, or it cannot be told from it."""
    target, member = goal.target, record.member
    if target.member not in ("*", member):
        return None
    if goal.quotas is not None:
        first = date.fromisoformat(record.start[:_DATE_CHARACTERS]).toordinal()
        keys = ((member, first), (member, None), ("*", first), ("*", None))
        return next((goal.quotas[key] for key in keys if key in goal.quotas), None)
    if target.growth is None:
        return target.at_least if target.at_least is not None else target.at_most
    if target.over != "previous" or record.previous is None or record.previous <= 0:
        return None
    return record.previous * (1 + target.growth)


def _is_too_small(goal: Goal, record: Published) -> bool:
    return record.denominator is not None and record.denominator < goal.target.min_sample
