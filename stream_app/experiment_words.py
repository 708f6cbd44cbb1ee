"""A result of an experiment in words, for whoever shows it to people: report, wall, terminal."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import msgspec

from stream_app.config.model import Experiment
from stream_app.domain.comparison import leads_needed
from stream_app.domain.experiment import LEAST_LEADS, Verdict
from stream_app.wire.experiment import SaidResult, decode_result, result_key

LIFT_LOOKED_FOR: Final = 0.2
"""Of the control's rate: what a company would want to find, for a hint at the leads it takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One comparison as a page shows it.

    Attributes:
        title: the experiment and what is compared.
        verdict: one sentence.
        rows: (arm, leads, converted, share), the control first.
        notes: what a reader should know before acting on it.
    """

    title: str
    verdict: str
    rows: tuple[tuple[str, str, str, str], ...]
    notes: tuple[str, ...]


def sections(standing: Mapping[bytes, bytes], named: Sequence[Experiment]) -> Iterator[Section]:
    """What stands in `kpi.experiments` of the named experiments, in their order.

    What is no result is passed over; `verify` tells of it.
    """
    keys = [result_key(experiment.name, v) for experiment in named for v in experiment.variants]
    for raw in (standing[key] for key in keys if key in standing):
        with suppress(msgspec.DecodeError):
            yield section(decode_result(raw))


def section(said: SaidResult) -> Section:
    """A result as a page shows it."""
    a = (said.control, said.n_control, said.converted_control, said.rate_control)
    b = (said.variant, said.n_variant, said.converted_variant, said.rate_variant)
    return Section(
        title=f"{said.experiment}: {said.variant} against {said.control}",
        verdict=sentence(said),
        rows=tuple(
            (arm, f"{n:,}", f"{converted:,}", "-" if rate is None else _share(rate))
            for arm, n, converted, rate in (a, b)
        ),
        notes=tuple(_notes(said)),
    )


def sentence(said: SaidResult) -> str:
    """The verdict and the size of the difference."""
    if said.verdict is Verdict.TOO_EARLY:
        few = min(said.n_control, said.n_variant)
        return f"Too early: an arm has {few:,} matured leads, a verdict takes {LEAST_LEADS} in each"
    if said.delta is None or said.interval is None:
        return "Nothing to compare yet"
    low, high = said.interval
    size = f"{_points(said.delta)} points (95 %: {_points(low)} to {_points(high)})"
    compared = f"{said.variant} against {said.control}"
    if said.verdict is Verdict.NO_DIFFERENCE_SHOWN:
        return f"No difference shown; {compared}: {size}, which may be chance"
    better, worse = said.variant, said.control
    if said.verdict is Verdict.A_BETTER:
        better, worse = worse, better
    relative = "" if said.lift is None else f", {said.lift:+.0%} relatively"
    return f"{better} wins more of its leads than {worse}; {compared}: {size}{relative}"


def _notes(said: SaidResult) -> list[str]:
    through, horizon = said.through.isoformat(), said.horizon_days
    notes = [
        f"Leads created up to {through}, each with {horizon} days to be won; {said.days:,} days"
    ]
    if said.observational:
        notes.append(
            "Observational: leads were not assigned at random, so that the arms may differ for "
            "other reasons than this"
        )
    rate = said.rate_control
    undecided = said.verdict in (Verdict.TOO_EARLY, Verdict.NO_DIFFERENCE_SHOWN)
    if undecided and rate and rate * (1 + LIFT_LOOKED_FOR) < 1:
        needed = leads_needed(rate, rate * (1 + LIFT_LOOKED_FOR))
        notes.append(
            f"Finding a lift of {LIFT_LOOKED_FOR:.0%} takes at least {needed:,} leads in each arm"
        )
    return notes


def _share(rate: float) -> str:
    return f"{rate:.1%}"


def _points(difference: float) -> str:
    return f"{100 * difference:+.1f}"
