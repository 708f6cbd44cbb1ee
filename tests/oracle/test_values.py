"""The core's KPI values are those of the reference, in every window and for every member."""

from dataclasses import replace
from fractions import Fraction
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stream_app.config.model import Config
from tests.oracle import core, reference_values
from tests.oracle.reference import log_cells
from tests.oracle.reference_terms import local_day
from tests.oracle.reference_values import Key, Value
from tests.oracle.threads import a_config, a_log, a_now

FLOAT_ERROR = Fraction(1, 10**12)
HISTOGRAMS = {"sales_cycle_median", "sales_cycle_p90"}
HISTOGRAM_ERROR = Fraction(1, 100)
SAME = ("start", "end", "complete")
NEAR = ("value", "numerator", "denominator", "previous")


def near(one: Fraction | None, other: Fraction | None, error: Fraction) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= error * abs(other)


def disagreements(found: dict[Key, Value], wanted: dict[Key, Value]) -> list[tuple[object, ...]]:
    """Records that should exist and do not, or say something else, or should not exist."""
    wrong: list[tuple[object, ...]] = []
    for key in sorted(found.keys() | wanted.keys(), key=str):
        want, got = wanted.get(key), found.get(key)
        if want is None:
            wrong.append((key, "does not exist"))
        elif got is None:
            if want.must_exist:
                wrong.append((key, "is missing"))
        else:
            error = HISTOGRAM_ERROR if key[0] in HISTOGRAMS else FLOAT_ERROR
            for name in NEAR + SAME:
                one, other = getattr(got, name), getattr(want, name)
                if one != other and not (name in NEAR and near(one, other, error)):
                    wrong.append((key, name, one, other))
    return wrong


def sometimes_fixed(rnd: Random, config: Config, now: int) -> Config:
    """With `as_of` in a quarter of the cases."""
    if rnd.random() < 0.75:
        return config
    as_of = local_day(now, config.business.timezone)
    return replace(config, business=replace(config.business, as_of=as_of))


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
)
@given(st.randoms(use_true_random=False))
def test_the_core_says_what_the_contract_says(rnd: Random) -> None:
    config = a_config(rnd)
    now = a_now(rnd, config)
    config = sometimes_fixed(rnd, config, now)
    log = a_log(rnd, config, now)
    wanted = reference_values.values(log_cells(log, config), config, now)
    found = core.values(config, core.counted(config, log), now)
    assert not disagreements(found, wanted)
