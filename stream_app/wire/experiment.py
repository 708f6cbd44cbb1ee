"""`kpi.experiments`: the latest result of every A/B comparison (docs/experiments.md)."""

from datetime import date
from typing import Final

import msgspec

from stream_app.domain.comparison import Method
from stream_app.domain.experiment import Result, Verdict
from stream_app.wire.keys import join_key

VERSION: Final = 1


class SaidResult(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a record says, without its times and revision: it is published when this changed.

    A is the control, B the variant; only leads that have had their whole horizon count.

    Attributes:
        n_control: leads of the control, `n_variant` of the variant.
        rate_control: converted over leads; null without leads, as is all that follows from it.
        delta: the variant's rate minus the control's.
        lift: delta relative to the control's rate; null also where that is 0.
        interval: of delta, 95 % (Newcombe).
        p: of the test that holds if it is looked at once.
        method: which test that is.
        sequential_p: always valid; the verdict follows from it.
        observational: leads were not assigned at random: the arms may differ for other reasons.
        days: matured business days from the first lead's to `through`.
        through: the last matured business day.
    """

    v: int = VERSION
    experiment: str
    dimension: str
    control: str
    variant: str
    n_control: int
    n_variant: int
    converted_control: int
    converted_variant: int
    rate_control: float | None
    rate_variant: float | None
    delta: float | None
    lift: float | None
    interval: tuple[float, float] | None
    p: float | None
    method: Method | None
    sequential_p: float
    verdict: Verdict
    observational: bool
    horizon_days: int
    days: int
    through: date


class PublishedResult(SaidResult, frozen=True, kw_only=True, gc=False):
    """A record as it stands in the topic.

    Attributes:
        event_time: of the newest event that it knows of, RFC 3339.
        published_at: when it was sent, RFC 3339.
        revision: only ever grows; of two records the one with the higher is true.
    """

    event_time: str
    published_at: str
    revision: int


_decoder: Final = msgspec.json.Decoder(PublishedResult)


def said_result(result: Result) -> SaidResult:
    """What the record of a result says."""
    experiment, fixed = result.experiment, result.fixed
    return SaidResult(
        experiment=experiment.name,
        dimension=experiment.dimension,
        control=experiment.control,
        variant=result.variant,
        n_control=result.a.leads,
        n_variant=result.b.leads,
        converted_control=result.a.converted,
        converted_variant=result.b.converted,
        rate_control=result.a.rate,
        rate_variant=result.b.rate,
        delta=result.delta,
        lift=result.lift,
        interval=result.interval,
        p=None if fixed is None else fixed.p,
        method=None if fixed is None else fixed.method,
        sequential_p=result.sequential_p,
        verdict=result.verdict,
        observational=not experiment.random,
        horizon_days=experiment.horizon_days,
        days=result.days,
        through=date.fromordinal(result.through),
    )


def result_key(experiment: str, variant: str) -> bytes:
    """The key `experiment|variant`."""
    return join_key(experiment, variant).encode()


def encode_result(said: SaidResult, *, event_time: str, published_at: str, revision: int) -> bytes:
    """The record's JSON."""
    return msgspec.json.encode(
        PublishedResult(
            **msgspec.structs.asdict(said),
            event_time=event_time,
            published_at=published_at,
            revision=revision,
        )
    )


def decode_result(value: bytes) -> PublishedResult:
    """A record's value; unknown fields are ignored.

    Raises:
        msgspec.DecodeError: it is none; the message names the field.
    """
    return _decoder.decode(value)
