"""The statistics of kpis.md: its check values, laws, and an exact count in fractions."""

from decimal import Decimal, localcontext
from fractions import Fraction
from math import comb, exp, inf, isclose, log

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from stream_app.domain.comparison import (
    TAU,
    Arm,
    fisher_exact,
    leads_needed,
    mixture_sprt,
    newcombe,
    p_of,
    two_proportions,
    wilson,
    z_score,
)

A, B = Arm(400, 48), Arm(410, 74)


def arms(most: int = 3_000) -> st.SearchStrategy[Arm]:
    return st.integers(1, most).flatmap(
        lambda leads: st.integers(0, leads).map(lambda converted: Arm(leads, converted))
    )


def mirrored(arm: Arm) -> Arm:
    """Those that did not convert."""
    return Arm(arm.leads, arm.leads - arm.converted)


# -- the values that kpis.md gives -----------------------------------------------------------------


def test_the_fixed_test_and_the_interval_are_those_of_the_specification() -> None:
    fixed, interval = two_proportions(A, B), newcombe(A, B)

    assert fixed is not None
    assert interval is not None
    assert round(z_score(A, B), 4) == 2.4063
    assert (round(fixed.p, 5), fixed.method) == (0.01611, "z")
    assert [round(end, 4) for end in interval] == [0.0112, 0.1096]
    assert round(fisher_exact(A, B), 4) == 0.0183
    assert round(fisher_exact(Arm(20, 3), Arm(20, 9)), 4) == 0.0824


@pytest.mark.parametrize(
    ("rate", "other", "leads"), [(0.12, 0.15, 2_036), (0.10, 0.12, 3_841)], ids=str
)
def test_the_sample_size_is_that_of_the_specification(
    rate: float, other: float, leads: int
) -> None:
    assert leads_needed(rate, other) == leads
    assert leads_needed(other, rate) == leads


def test_few_are_tested_exactly() -> None:
    """The least expected cell is 4.999… and 5."""
    few, enough = (
        two_proportions(Arm(100, 2), Arm(100, 7)),
        two_proportions(Arm(100, 2), Arm(100, 8)),
    )

    assert few is not None
    assert enough is not None
    assert (few.method, few.p) == ("fisher", fisher_exact(Arm(100, 2), Arm(100, 7)))
    assert enough.method == "z"


# -- laws ------------------------------------------------------------------------------------------


@given(arms(), arms())
def test_exchanging_the_arms_only_changes_the_sign(a: Arm, b: Arm) -> None:
    low, high = newcombe(a, b) or (inf, inf)

    assert two_proportions(a, b) == two_proportions(b, a)
    assert newcombe(b, a) == pytest.approx((-high, -low))
    assert mixture_sprt(a, b) == pytest.approx(mixture_sprt(b, a))


@given(arms(), arms())
def test_counting_those_that_did_not_convert_only_changes_the_sign(a: Arm, b: Arm) -> None:
    low, high = newcombe(a, b) or (inf, inf)
    fixed, other = two_proportions(a, b), two_proportions(mirrored(a), mirrored(b))

    assert fixed is not None
    assert other is not None
    assert (other.p, other.method) == (pytest.approx(fixed.p), fixed.method)
    assert newcombe(mirrored(a), mirrored(b)) == pytest.approx((-high, -low), abs=1e-12)
    assert mixture_sprt(mirrored(a), mirrored(b)) == pytest.approx(mixture_sprt(a, b))


@given(arms(), arms())
def test_everything_stays_within_its_bounds(a: Arm, b: Arm) -> None:
    fixed, interval = two_proportions(a, b), newcombe(a, b)
    delta = b.converted / b.leads - a.converted / a.leads

    assert fixed is not None
    assert interval is not None
    assert 0 <= fixed.p <= 1
    assert -1 <= interval[0] <= delta <= interval[1] <= 1
    assert 0 <= wilson(a)[0] <= a.converted / a.leads <= wilson(a)[1] <= 1
    assert 0 <= p_of(mixture_sprt(a, b)) <= 1


@given(st.integers(0, 60), st.integers(1, 400))
def test_a_larger_difference_is_stronger_evidence(converted: int, leads: int) -> None:
    """While nearer to one half it also varies more, so the comparison stays on one side of it."""
    assume(2 * converted < leads)
    a = Arm(leads, 0)
    p_values = [p_of(mixture_sprt(a, Arm(leads, more))) for more in range(1, max(2, converted + 1))]

    assert p_values == sorted(p_values, reverse=True)


def test_more_confidence_makes_a_wider_interval() -> None:
    narrow, wide = newcombe(A, B, 0.9), newcombe(A, B, 0.99)

    assert narrow is not None
    assert wide is not None
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_without_leads_nothing_is_said() -> None:
    nobody = Arm(0, 0)

    assert nobody.rate is None
    assert two_proportions(nobody, B) is None
    assert newcombe(A, nobody) is None
    assert p_of(mixture_sprt(nobody, B)) == 1


@pytest.mark.parametrize("same", [Arm(500, 0), Arm(500, 500)], ids=["none", "all"])
def test_where_all_leads_went_the_same_way_there_is_no_difference(same: Arm) -> None:
    other = Arm(300, 300 * same.converted // same.leads)
    fixed = two_proportions(same, other)

    assert fixed is not None
    assert (fixed.p, fixed.method) == (1.0, "fisher")
    assert p_of(mixture_sprt(same, other)) == 1


def test_a_single_lead_of_each_arm_does_not_decide_for_ever() -> None:
    """The variance seen is 0, and Λ would be infinite: the running minimum would stay at 0."""
    assert p_of(mixture_sprt(Arm(1, 0), Arm(1, 1))) == 1
    assert p_of(mixture_sprt(Arm(99, 0), Arm(100, 100))) == 1
    assert p_of(mixture_sprt(Arm(100, 0), Arm(100, 100))) == 0


# -- the same, slowly ------------------------------------------------------------------------------


@given(arms(60), arms(60))
def test_fishers_test_is_an_exact_count_of_tables(a: Arm, b: Arm) -> None:
    total, leads = a.converted + b.converted, a.leads + b.leads
    chances = {
        k: Fraction(comb(a.leads, k) * comb(b.leads, total - k), comb(leads, total))
        for k in range(max(0, total - b.leads), min(a.leads, total) + 1)
    }
    exact = sum(chance for chance in chances.values() if chance <= chances[a.converted])

    assert sum(chances.values()) == 1
    assert fisher_exact(a, b) == pytest.approx(float(exact))


@given(arms(), arms())
def test_lambda_is_the_formula_of_the_specification(a: Arm, b: Arm) -> None:
    with localcontext() as context:
        context.prec = 60
        rate_a, rate_b = Decimal(a.converted) / a.leads, Decimal(b.converted) / b.leads
        variance = rate_a * (1 - rate_a) + rate_b * (1 - rate_b)
        assume(variance > 0)
        n = 2 / (Decimal(1) / a.leads + Decimal(1) / b.leads)
        square = Decimal(str(TAU)) ** 2
        root = (variance / (variance + n * square)).sqrt()
        exponent = (n * n * square * (rate_b - rate_a) ** 2) / (
            2 * variance * (variance + n * square)
        )
        wanted = float(root.ln() + exponent)

    assert isclose(mixture_sprt(a, b), wanted, rel_tol=1e-9, abs_tol=1e-12)


@given(arms(500))
def test_wilsons_ends_are_the_rates_that_the_score_test_just_rejects(arm: Arm) -> None:
    rate = arm.converted / arm.leads
    low, high = wilson(arm)

    def distance(true: float) -> float:
        """Of the rate seen from a true one, in its own deviations, beyond 1.96 of them."""
        deviation = (true * (1 - true) / arm.leads) ** 0.5
        return abs(rate - true) - 1.959963984540054 * deviation

    if low > 0:
        assert distance(low) == pytest.approx(0, abs=1e-9)
    if high < 1:
        assert distance(high) == pytest.approx(0, abs=1e-9)


def test_p_is_the_inverse_of_lambda() -> None:
    assert p_of(log(20)) == pytest.approx(0.05)
    assert p_of(log(0.5)) == 1
    assert p_of(800.0) == exp(-800.0) == 0.0
