"""The statistics of an A/B comparison: two proportions, A the control and B the variant (pure).

Two answers to one question. The *fixed* test (`two_proportions`) is right if it is looked at once,
at a sample size decided beforehand. The *sequential* one (`mixture_sprt`) may be looked at every
day, for as long as one likes. kpis.md has the formulae and the values they were checked with.
"""

from dataclasses import dataclass
from math import ceil, comb, erfc, exp, inf, log, sqrt
from statistics import NormalDist
from typing import Final, Literal

Method = Literal["z", "fisher"]

ALPHA: Final = 0.05
POWER: Final = 0.8
TAU: Final = 0.05
"""The mixture's standard deviation: differences of some five points are what it finds first."""

_LEAST_EXPECTED: Final = 5
_ENOUGH_TO_VARY: Final = 100
_NORMAL: Final = NormalDist()


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm of a comparison; `0 <= converted <= leads`."""

    leads: int
    converted: int

    @property
    def rate(self) -> float | None:
        """Converted over leads; None without leads."""
        return self.converted / self.leads if self.leads else None


@dataclass(frozen=True, slots=True)
class FixedTest:
    """A test that holds if it is looked at once.

    Attributes:
        p: two-sided; in [0, 1].
        method: `fisher` when an expected cell is below 5, else `z`.
    """

    p: float
    method: Method


def two_proportions(a: Arm, b: Arm) -> FixedTest | None:
    """Whether the rates differ: pooled z, or Fisher's exact test for few; None without leads."""
    if not (a.leads and b.leads):
        return None
    converted, leads = a.converted + b.converted, a.leads + b.leads
    # The least of the four expected cells: the smaller row times the smaller column.
    if min(a.leads, b.leads) * min(converted, leads - converted) < _LEAST_EXPECTED * leads:
        return FixedTest(fisher_exact(a, b), "fisher")
    return FixedTest(erfc(abs(z_score(a, b)) / sqrt(2)), "z")


def z_score(a: Arm, b: Arm) -> float:
    """The pooled z of B against A; only for rates that are not both 0 and not both 1."""
    pooled = (a.converted + b.converted) / (a.leads + b.leads)
    deviation = sqrt(pooled * (1 - pooled) * (1 / a.leads + 1 / b.leads))
    return (b.converted / b.leads - a.converted / a.leads) / deviation


def fisher_exact(a: Arm, b: Arm) -> float:
    """Fisher's exact test, two-sided: all tables with these margins that are no more likely.

    In whole numbers, so that "no more likely" has no last digit to disagree about.
    """
    sizes = [(a.leads, b.leads), (a.converted + b.converted, _missed(a) + _missed(b))]
    # A table and its transpose are equally likely; drawing the smallest margin keeps numbers small.
    drawn, (first, second), seen = min(
        (sizes[1][0], sizes[0], a.converted),
        (sizes[1][1], sizes[0], _missed(a)),
        (sizes[0][0], sizes[1], a.converted),
        (sizes[0][1], sizes[1], b.converted),
    )
    least = max(0, drawn - second)
    ways = comb(first, least) * comb(second, drawn - least)
    all_ways = []
    for k in range(least, min(first, drawn) + 1):
        all_ways.append(ways)
        ways = ways * (first - k) * (drawn - k) // ((k + 1) * (second - drawn + k + 1))
    observed = all_ways[seen - least]
    return sum(w for w in all_ways if w <= observed) / sum(all_ways)


def _missed(arm: Arm) -> int:
    return arm.leads - arm.converted


def newcombe(a: Arm, b: Arm, confidence: float = 0.95) -> tuple[float, float] | None:
    """The interval of B's rate minus A's, from two Wilson intervals; None without leads."""
    if a.rate is None or b.rate is None:
        return None
    (low_a, high_a), (low_b, high_b) = wilson(a, confidence), wilson(b, confidence)
    delta = b.rate - a.rate
    low = delta - sqrt((b.rate - low_b) ** 2 + (high_a - a.rate) ** 2)
    high = delta + sqrt((high_b - b.rate) ** 2 + (a.rate - low_a) ** 2)
    return max(low, -1.0), min(high, 1.0)


def wilson(arm: Arm, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's interval of one rate; the arm has leads."""
    n, rate = arm.leads, arm.converted / arm.leads
    z = _NORMAL.inv_cdf((1 + confidence) / 2)
    middle = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    # Rounding must not push an end past what was seen.
    return max(0.0, min(middle - half, rate)), min(1.0, max(middle + half, rate))


def mixture_sprt(a: Arm, b: Arm, tau: float = TAU) -> float:
    """The logarithm of the mixture SPRT's Λ: how much likelier the data are if the rates differ.

    Unequal arms count as two of their harmonic mean. The variance is that of the rates seen: when
    all leads of each arm went one way it is 0. Between two equal rates that says nothing, and
    between 0 % and 100 % nothing either before there are 100 leads in each arm: a single lead
    would otherwise decide.
    """
    if a.rate is None or b.rate is None:
        return -inf
    n = 2 / (1 / a.leads + 1 / b.leads)
    variance = a.rate * (1 - a.rate) + b.rate * (1 - b.rate)
    delta = b.rate - a.rate
    if not variance:
        return inf if delta and min(a.leads, b.leads) >= _ENOUGH_TO_VARY else -inf
    spread = n * tau * tau
    total = variance + spread
    return log(variance / total) / 2 + n * spread * delta * delta / (2 * variance * total)


def p_of(log_lambda: float) -> float:
    """1/Λ as a p value: at most 1."""
    return exp(-log_lambda) if log_lambda > 0 else 1.0


def leads_needed(rate: float, other_rate: float, alpha: float = ALPHA, power: float = POWER) -> int:
    """Leads in each arm for a fixed test to find this difference with such a probability.

    Args:
        rate: of one arm, between 0 and 1.
        other_rate: of the other, not the same.
        alpha: share of false alarms.
        power: share of true differences found.
    """
    mean = (rate + other_rate) / 2
    spread = rate * (1 - rate) + other_rate * (1 - other_rate)
    false_alarm = _NORMAL.inv_cdf(1 - alpha / 2) * sqrt(2 * mean * (1 - mean))
    found = _NORMAL.inv_cdf(power) * sqrt(spread)
    return ceil(((false_alarm + found) / (rate - other_rate)) ** 2)
