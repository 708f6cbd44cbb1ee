"""A fact: one thing a thread adds to the numbers, before it is split by dimension and bucket.

The fold turns events into facts; `stream_app.domain.cells` turns facts into cells. Facts are plain
tuples because the hot path compares and caches them.
"""

from typing import NamedTuple

Measures = tuple[tuple[str, int], ...]
"""Measure keys with what is added to them."""

Members = tuple[str | None, ...]
"""A member per tracked dimension, in the order of `FoldRules.dimensions`; None: unassigned."""


class Fact(NamedTuple):
    """What happened at one instant, to be credited to the members in force then or known last.

    Attributes:
        instant_us: decides the bucket.
        at_time: members in force at the instant, for dimensions credited `at_time`; None elsewhere.
        measures: what is added for the company and every split without product line.
        lines: what is added under each product line instead, or None when the deal has no lines.
        extra: further scopes of these measures, as (dimension, member).
        stage: the stage member of a stage fact (it exists only in the stage scopes), or None.
        people: measures of the company, the team and the rep alone, beside the others.
        scope: the only scope, by day, that this fact exists in (an experiment's), or None.
    """

    instant_us: int
    at_time: Members
    measures: Measures
    lines: tuple[tuple[str | None, Measures], ...] | None = None
    extra: tuple[tuple[str, str | None], ...] = ()
    stage: str | None = None
    people: Measures = ()
    scope: str | None = None
