"""From facts to cells: every fact split by the configured dimensions and put into its buckets.

A cell is (scope key, bucket); a bucket is a business day (its ordinal) or, for recent instants
also, a five-minute bucket (its number + `FIVE_MINUTE_BASE`).
"""

from collections.abc import Iterable
from typing import Final

from stream_app.domain.calendar import five_minute_bucket
from stream_app.domain.facts import Measures, Members
from stream_app.domain.rules import FoldRules
from stream_app.domain.scopes import COMPANY, scope_key
from stream_app.domain.thread import Change

FIVE_MINUTE_BASE: Final = 1 << 32
"""Added to the number of a five-minute bucket, far above every ordinal of a day."""

CellKey = tuple[str, int]
Deltas = dict[CellKey, dict[str, int]]
"""What is added to the measures of each cell."""

_MAX_CACHED_MEMBERS: Final = 100_000


class CellSplitter:
    """Splits facts into cells for one set of rules."""

    __slots__ = ("_rules", "_scopes_by_members")

    def __init__(self, rules: FoldRules) -> None:
        self._rules = rules
        self._scopes_by_members: dict[Members, tuple[tuple[str, ...], tuple[str, ...]]] = {}

    def add(self, deltas: Deltas, changes: Iterable[Change], oldest_five_minutes: int) -> None:
        """Add what changed to `deltas`.

        Args:
            oldest_five_minutes: five-minute buckets before this number are not kept; the day
                bucket is always.
        """
        day_of = self._rules.calendar.day_of
        for fact, latest, sign in changes:
            members = tuple(
                a if a is not None else b for a, b in zip(fact.at_time, latest, strict=True)
            )
            five = five_minute_bucket(fact.instant_us)
            buckets = [day_of(fact.instant_us)]
            if five >= oldest_five_minutes:
                buckets.append(FIVE_MINUTE_BASE + five)
            if fact.stage is not None:
                scopes: tuple[str, ...] = self._stage_scopes(members, fact.stage)
                _count(deltas, scopes, buckets, fact.measures, sign)
                continue
            plain, by_line = self._scopes(members)
            _count(deltas, plain, buckets, fact.measures, sign)
            for dimension, member in fact.extra:
                _count(deltas, (scope_key((dimension,), (member,)),), buckets, fact.measures, sign)
            if fact.lines is None:
                _count(deltas, by_line, buckets, fact.measures, sign)
            elif by_line:
                self._count_lines(deltas, members, fact.lines, buckets, sign)

    def _count_lines(
        self,
        deltas: Deltas,
        members: Members,
        lines: tuple[tuple[str | None, Measures], ...],
        buckets: list[int],
        sign: int,
    ) -> None:
        index = self._rules.product_line_index
        for product_line, measures in lines:
            of_line = (*members[:index], product_line, *members[index + 1 :])
            _count(deltas, self._scopes(of_line)[1], buckets, measures, sign)

    def _scopes(self, members: Members) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The scopes without and those with a product line."""
        cached = self._scopes_by_members.get(members)
        if cached is not None:
            return cached
        rules = self._rules
        plain, by_line = [COMPANY], list[str]()
        for split in rules.splits:
            key = scope_key([rules.dimensions[i] for i in split], [members[i] for i in split])
            (by_line if rules.product_line_index in split else plain).append(key)
        if len(self._scopes_by_members) >= _MAX_CACHED_MEMBERS:
            self._scopes_by_members.clear()
        found = self._scopes_by_members[members] = (tuple(plain), tuple(by_line))
        return found

    def _stage_scopes(self, members: Members, stage: str) -> tuple[str, ...]:
        rules = self._rules
        return (
            scope_key(("stage",), (stage,)),
            scope_key(("team", "stage"), (members[rules.team_index], stage)),
            scope_key(("rep", "stage"), (members[rules.rep_index], stage)),
        )


def _count(
    deltas: Deltas,
    scopes: Iterable[str],
    buckets: list[int],
    measures: Measures,
    sign: int,
) -> None:
    for scope in scopes:
        for bucket in buckets:
            cell = deltas.get((scope, bucket))
            if cell is None:
                cell = deltas[scope, bucket] = {}
            for key, value in measures:
                cell[key] = cell.get(key, 0) + sign * value


def without_zeros(deltas: Deltas) -> Deltas:
    """Only what really changes: a retraction and its repetition cancel out."""
    changed: Deltas = {}
    for cell, measures in deltas.items():
        kept = {key: value for key, value in measures.items() if value}
        if kept:
            changed[cell] = kept
    return changed
