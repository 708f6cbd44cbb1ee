"""The result of an experiment at a moment: a pure function of its daily counts and of today.

Only leads that have had their whole horizon count. The sequential test looks once at the end of
each matured day, in order, at what the counts now say about the days up to it: so a replay, a
restatement and `verify` come to the same verdict.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Final

from stream_app.config.model import Experiment
from stream_app.domain.comparison import (
    ALPHA,
    Arm,
    FixedTest,
    mixture_sprt,
    newcombe,
    p_of,
    two_proportions,
)
from stream_app.domain.totals import ScopeTotals
from stream_app.domain.trial import converted_key, leads_key

LEAST_LEADS: Final = 100
"""Fewer leads than this in an arm are too few for a verdict."""


_AFTER_ALL_DAYS: Final = date.max.toordinal()


class Verdict(Enum):
    """What an experiment says; A is the control, B the variant."""

    TOO_EARLY = "too_early"
    NO_DIFFERENCE_SHOWN = "no_difference_shown"
    B_BETTER = "b_better"
    A_BETTER = "a_better"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One variant against its control.

    Attributes:
        a: the control's matured leads.
        b: the variant's.
        delta: B's rate minus A's; None while an arm has no lead. So are all that follow from it.
        lift: delta relative to A's rate; None also where that is 0.
        interval: of delta, 95 %.
        fixed: the test that holds if it is looked at once.
        sequential_p: the always-valid p: at most 1, and it never grows from one day to the next.
        through: the last matured business day, as an ordinal.
        days: matured business days from the first lead's to `through`.
    """

    experiment: Experiment
    variant: str
    a: Arm
    b: Arm
    delta: float | None
    lift: float | None
    interval: tuple[float, float] | None
    fixed: FixedTest | None
    sequential_p: float
    verdict: Verdict
    through: int
    days: int


def results(experiment: Experiment, totals: ScopeTotals, today: int) -> Iterator[Result]:
    """One result for each variant; none before the experiment has counted a lead.

    Args:
        experiment: its arms and horizon.
        totals: of its scope.
        today: the business day of "now".
    """
    through = today - experiment.horizon_days - 1
    arms = (experiment.control, *experiment.variants)
    if not any(any(totals.by_day(leads_key(arm), _AFTER_ALL_DAYS)) for arm in arms):
        return
    for variant in experiment.variants:
        yield _result(experiment, variant, totals, through)


def _result(experiment: Experiment, variant: str, totals: ScopeTotals, through: int) -> Result:
    a = b = Arm(0, 0)
    first: int | None = None
    log_lambda = 0.0
    for day, more_a, more_b in _by_day(experiment.control, variant, totals, through):
        first = day if first is None else first
        a, b = _sum(a, more_a), _sum(b, more_b)
        log_lambda = max(log_lambda, mixture_sprt(a, b))
    delta = None if a.rate is None or b.rate is None else b.rate - a.rate
    sequential_p = p_of(log_lambda)
    return Result(
        experiment=experiment,
        variant=variant,
        a=a,
        b=b,
        delta=delta,
        lift=delta / a.rate if delta is not None and a.rate else None,
        interval=newcombe(a, b),
        fixed=two_proportions(a, b),
        sequential_p=sequential_p,
        verdict=_verdict(a, b, delta, sequential_p),
        through=through,
        days=0 if first is None else through - first + 1,
    )


def _by_day(
    control: str, variant: str, totals: ScopeTotals, through: int
) -> Iterator[tuple[int, Arm, Arm]]:
    """(day, what A gains, what B gains) of the matured days with leads, in order.

    Between them nothing is gained, so the looks of those days would say the same again.
    """
    keys = [key(arm) for arm in (control, variant) for key in (leads_key, converted_key)]
    columns = [dict(totals.by_day(key, through + 1)) for key in keys]
    for day in sorted(columns[0].keys() | columns[2].keys()):
        a_leads, a_converted, b_leads, b_converted = (column.get(day, 0) for column in columns)
        yield day, Arm(a_leads, a_converted), Arm(b_leads, b_converted)


def _sum(arm: Arm, more: Arm) -> Arm:
    return Arm(arm.leads + more.leads, arm.converted + more.converted)


def _verdict(a: Arm, b: Arm, delta: float | None, sequential_p: float) -> Verdict:
    if min(a.leads, b.leads) < LEAST_LEADS:
        return Verdict.TOO_EARLY
    if sequential_p > ALPHA or not delta:
        return Verdict.NO_DIFFERENCE_SHOWN
    return Verdict.B_BETTER if delta > 0 else Verdict.A_BETTER
