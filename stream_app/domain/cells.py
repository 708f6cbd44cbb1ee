"""From facts to cells: every fact split by the configured dimensions and put into its buckets.

A cell is (scope key, bucket); a bucket is a business day (its ordinal) or, for recent instants
also, a five-minute bucket (its number + `FIVE_MINUTE_BASE`).
"""

from collections.abc import Iterable, Iterator
from typing import Final

from stream_app.domain.calendar import five_minute_bucket
from stream_app.domain.facts import Fact, Measures, Members
from stream_app.domain.rules import FoldRules
from stream_app.domain.scopes import COMPANY, scope_key
from stream_app.domain.thread import Change

FIVE_MINUTE_BASE: Final = 1 << 32
"""Added to the number of a five-minute bucket, far above every ordinal of a day."""

CellKey = tuple[str, int]
Deltas = dict[CellKey, dict[str, int]]
"""What is added to the measures of each cell."""

Scopes = tuple[str, ...]
"""Scope keys."""

_Scopes = tuple[Scopes, Scopes, Scopes]
_Sums = dict[tuple[Scopes, int], dict[str, int]]
_PEOPLE: Final = frozenset({"rep", "team"})
_MAX_CACHED_MEMBERS: Final = 100_000


class CellSplitter:
    """Splits facts into cells for one set of rules."""

    __slots__ = ("_rules", "_scopes_by_members", "_stage_scopes_by_members")

    def __init__(self, rules: FoldRules) -> None:
        self._rules = rules
        self._scopes_by_members: dict[tuple[Members, Members], _Scopes] = {}
        self._stage_scopes_by_members: dict[tuple[str | None, str | None, str], Scopes] = {}

    def add(
        self,
        deltas: Deltas,
        changes: Iterable[Change],
        oldest_five_minutes: int,
        *,
        keep_cells: bool = False,
    ) -> None:
        """Add what changed to `deltas`.

        Args:
            deltas: cell → measure → what is added to it; changed in place.
            changes: of one thread or of many.
            oldest_five_minutes: five-minute buckets before this number are not kept; the day
                bucket is always.
            keep_cells: also cells in which all of it cancels out.
        """
        # Facts of a thread share members and buckets: what they add to is summed up before it is
        # spread over some fifteen cells, and what cancels out is not spread at all.
        sums: _Sums = {}
        for fact, latest, sign, _ in changes:
            if fact.scope is not None:
                day = self._rules.calendar.day_of(fact.instant_us)
                signed = [(key, sign * value) for key, value in fact.measures]
                _spread(deltas, (fact.scope,), day, signed)
            elif fact.stage is not None:
                scopes = self._stage_scopes(fact.at_time, latest, fact.stage)
                _sum(sums, scopes, fact.instant_us, fact.measures, sign)
            else:
                self._sum_fact(sums, fact, latest, sign)
        day_of = self._rules.calendar.day_of
        for (scopes, instant_us), total in sums.items():
            added = [(key, value) for key, value in total.items() if value]
            if not (added or keep_cells):
                continue
            _spread(deltas, scopes, day_of(instant_us), added)
            five = five_minute_bucket(instant_us)
            if five >= oldest_five_minutes:
                _spread(deltas, scopes, FIVE_MINUTE_BASE + five, added)

    def _sum_fact(self, sums: "_Sums", fact: Fact, latest: Members, sign: int) -> None:
        instant_us = fact.instant_us
        plain, by_line, people = self._scopes(fact.at_time, latest)
        _sum(sums, plain, instant_us, fact.measures, sign)
        if fact.people:
            _sum(sums, people, instant_us, fact.people, sign)
        if fact.extra:
            extra = tuple(scope_key((name,), (member,)) for name, member in fact.extra)
            _sum(sums, extra, instant_us, fact.measures, sign)
        if fact.lines is None:
            _sum(sums, by_line, instant_us, fact.measures, sign)
        elif by_line:
            for scopes, measures in self._lines(fact.at_time, latest, fact.lines):
                _sum(sums, scopes, instant_us, measures, sign)

    def _scopes(self, at_time: Members, latest: Members) -> "_Scopes":
        """The scopes without and those with a product line, and those that have histograms."""
        cached = self._scopes_by_members.get((at_time, latest))
        if cached is not None:
            return cached
        rules = self._rules
        members = _resolved(at_time, latest)
        plain, by_line, people = [COMPANY], list[str](), [COMPANY]
        for split, name in zip(rules.splits, rules.split_names, strict=True):
            key = scope_key([rules.dimensions[i] for i in split], [members[i] for i in split])
            (by_line if rules.product_line_index in split else plain).append(key)
            if name in _PEOPLE:
                people.append(key)
        if len(self._scopes_by_members) >= _MAX_CACHED_MEMBERS:
            self._scopes_by_members.clear()
        found = (tuple(plain), tuple(by_line), tuple(people))
        self._scopes_by_members[at_time, latest] = found
        return found

    def _lines(
        self,
        at_time: Members,
        latest: Members,
        lines: tuple[tuple[str | None, Measures], ...],
    ) -> Iterator[tuple[Scopes, Measures]]:
        """The scopes of each product line, with what the line adds."""
        index = self._rules.product_line_index
        members = _resolved(at_time, latest)
        nobody: Members = (None,) * len(members)
        for product_line, measures in lines:
            of_line = (*members[:index], product_line, *members[index + 1 :])
            yield self._scopes(of_line, nobody)[1], measures

    def _stage_scopes(self, at_time: Members, latest: Members, stage: str) -> Scopes:
        rules = self._rules
        team = at_time[rules.team_index] or latest[rules.team_index]
        rep = at_time[rules.rep_index] or latest[rules.rep_index]
        cached = self._stage_scopes_by_members.get((team, rep, stage))
        if cached is None:
            cached = (
                scope_key(("stage",), (stage,)),
                scope_key(("team", "stage"), (team, stage)),
                scope_key(("rep", "stage"), (rep, stage)),
            )
            if len(self._stage_scopes_by_members) >= _MAX_CACHED_MEMBERS:
                self._stage_scopes_by_members.clear()
            self._stage_scopes_by_members[team, rep, stage] = cached
        return cached


def _resolved(at_time: Members, latest: Members) -> Members:
    return tuple(a if a is not None else b for a, b in zip(at_time, latest, strict=True))


def _sum(
    sums: _Sums,
    scopes: Scopes,
    instant_us: int,
    measures: Measures,
    sign: int,
) -> None:
    place = (scopes, instant_us)
    held = sums.get(place)
    if held is None:
        held = sums[place] = {}
    for key, value in measures:
        held[key] = held.get(key, 0) + sign * value


def _spread(deltas: Deltas, scopes: Scopes, bucket: int, added: list[tuple[str, int]]) -> None:
    for scope in scopes:
        cell = deltas.get((scope, bucket))
        if cell is None:
            deltas[scope, bucket] = dict(added)
            continue
        for key, value in added:
            cell[key] = cell.get(key, 0) + value


def without_zeros(deltas: Deltas, *, keep_cells: bool = False) -> Deltas:
    """Only what really changes: a retraction and its repetition cancel out.

    Args:
        deltas: cell → measure → what is added to it.
        keep_cells: also cells in which all of it cancelled out, with nothing to add.
    """
    changed: Deltas = {}
    for cell, measures in deltas.items():
        if 0 in measures.values():
            measures = {key: value for key, value in measures.items() if value}  # noqa: PLW2901
        if measures or keep_cells:
            changed[cell] = measures
    return changed
