"""What a deal counts, as facts: built from its state, changing nothing (contract.md, rules 4-6)."""

from typing import Final, NamedTuple

from stream_app.domain.facts import Fact, Measures, Members
from stream_app.domain.histogram import bin_of
from stream_app.domain.measures import measure_key
from stream_app.domain.rules import FoldRules
from stream_app.domain.scopes import UNASSIGNED
from stream_app.domain.sizing import DealSize

_MICROSECONDS: Final = 1_000_000

WINNING: Final = ""
"""What a visit ends into that is ended by a win; no stage has this name."""


class Stock(NamedTuple):
    """What an open deal holds of the stocks, and under whom; all of it as in force."""

    members: Members
    size: DealSize
    pipeline: str | None
    stage: str | None


class Passage(NamedTuple):
    """A stage entered or left.

    Attributes:
        into: the stage entered next, `WINNING`, or None for neither.
        dwell_us: how long the visit took; None for an entry.
    """

    instant_us: int
    members: Members
    stage: str
    into: str | None = None
    dwell_us: int | None = None


def once(
    instant_us: int, members: Members, measures: Measures, size: DealSize, rules: FoldRules
) -> Fact:
    """A fact that counts a deal once, and once under each of its lines."""
    lines = size.per_line(lambda _: measures)
    return Fact(instant_us, rules.at_time_only(members), measures, lines)


def won(
    result_at: int, members: Members, size: DealSize, started_at: int | None, rules: FoldRules
) -> Fact:
    """The win that stands; `started_at` is where its sales cycle began, if that is known."""
    cycle: Measures = ()
    people: Measures = ()
    if started_at is not None:
        seconds = max(0, (result_at - started_at) // _MICROSECONDS)
        cycle = (("cycle_deals", 1), ("cycle_seconds", seconds))
        people = ((measure_key("cycle_bin", str(bin_of(seconds))), 1),)
    return Fact(
        result_at,
        rules.at_time_only(members),
        size.won_measures(size) + cycle,
        size.per_line(lambda line: size.won_measures(line) + cycle),
        people=people,
    )


def lost(
    result_at: int, members: Members, size: DealSize, loss_reason: str | None, rules: FoldRules
) -> Fact:
    """The loss that stands."""
    amount = measure_key("lost_value", size.currency)
    return Fact(
        result_at,
        rules.at_time_only(members),
        (("deals_lost", 1), (amount, size.amount_minor)),
        size.per_line(lambda line: (("deals_lost", 1), (amount, line.amount_minor))),
        (("loss_reason", loss_reason),),
    )


def closing(closes_on: int, stock: Stock, rules: FoldRules) -> Fact:
    """An open deal's amount on the day on which it is expected to close."""
    members, size, pipeline, stage = stock
    keys = [measure_key("closing_value", size.currency)]
    if stage is not None:
        keys.append(measure_key("closing_value_staged", size.currency, pipeline or "", stage))
    return Fact(
        rules.calendar.day_start(closes_on),
        rules.at_time_only(members),
        tuple((key, size.amount_minor) for key in keys),
        size.per_line(lambda line: tuple((key, line.amount_minor) for key in keys)),
    )


def still_open(entry: Passage, size: DealSize, pipeline: str | None, rules: FoldRules) -> Fact:
    """An open deal at the instant of entering its current stage."""
    value = measure_key("still_open_value", size.currency)
    return Fact(
        entry.instant_us,
        rules.at_time_only(entry.members),
        (("still_open", 1), (value, size.amount_minor)),
        stage=stage_member(entry.stage, pipeline, rules),
    )


def stock_movement(instant_us: int, stock: Stock, sign: int, rules: FoldRules) -> Fact:
    """A stock that begins (`sign` 1) or ceases (-1) to be held."""
    members, size, pipeline, stage = stock
    keys = [measure_key("open_value", size.currency)]
    if stage is not None:
        keys.append(measure_key("open_value_staged", size.currency, pipeline or "", stage))

    def measures(amount_minor: int) -> Measures:
        counted = [(key, sign * amount_minor) for key in keys if amount_minor]
        return (("open_deals", sign), *counted)

    return Fact(
        instant_us,
        rules.at_time_only(members),
        measures(size.amount_minor),
        size.per_line(lambda line: measures(line.amount_minor)),
        (("pipeline", pipeline),) if rules.several_pipelines else (),
    )


def passage_fact(passage: Passage, pipeline: str | None, rules: FoldRules) -> Fact:
    """A stage entered or left, under the deal's pipeline known last."""
    measures: Measures
    if passage.dwell_us is None:
        measures = (("stage_entered", 1),)
    else:
        measures = (("dwell_seconds", passage.dwell_us // _MICROSECONDS), ("stage_left", 1))
        if _advanced(passage, pipeline, rules):
            measures += (("stage_advanced", 1),)
    return Fact(
        passage.instant_us,
        rules.at_time_only(passage.members),
        measures,
        stage=stage_member(passage.stage, pipeline, rules),
    )


def _advanced(passage: Passage, pipeline: str | None, rules: FoldRules) -> bool:
    stage, into = passage.stage, passage.into
    if into is None:
        return False
    if into == WINNING:
        return True
    order = rules.stage_order.get(pipeline or "", {})
    return stage in order and into in order and order[into] > order[stage]


def stage_member(stage: str, pipeline: str | None, rules: FoldRules) -> str:
    """The member of the dimension `stage`; with several pipelines `pipeline:stage`."""
    if not rules.several_pipelines:
        return stage
    return f"{pipeline or UNASSIGNED}:{stage}"
