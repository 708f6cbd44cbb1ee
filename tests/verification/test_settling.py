import pytest

from stream_app.company import Company
from stream_app.verification.compare import Comparison, Difference, compare_values
from stream_app.verification.settling import CONSERVATION, VALUES, Round, Settling
from stream_app.wire.value import Said
from tests.verification.small_log import NOW_US, encoded, recomputed

KEY = b"leads|365d|now|company|all"


@pytest.fixture(scope="module")
def leads(company: Company) -> Said:
    return dict(recomputed(company).values(NOW_US))[KEY]


def compared(leads: Said, log_says: int, found: int) -> Comparison:
    want = leads._replace(value=log_says)
    return compare_values([(KEY, want)], {KEY: encoded(leads._replace(value=found))})


def a_round(
    values: Comparison,
    *,
    grown: int = 0,
    caught_up: bool = True,
    published: tuple[bytes, ...] = (),
    others: tuple[Difference, ...] = (),
) -> Round:
    return Round(
        grown=grown,
        caught_up=caught_up,
        published={KEY: published},
        values=values,
        others={CONSERVATION: others},
    )


def values_of(settling: Settling) -> int:
    return len(settling.differences()[VALUES])


def test_one_clean_round_is_the_proof(leads: Said) -> None:
    settling = Settling()
    settling.add(a_round(compared(leads, 5, 4)))
    assert not settling.is_settled
    settling.add(a_round(compared(leads, 5, 5)))
    assert settling.is_settled
    assert values_of(settling) == 0


def test_while_the_log_rests_the_last_round_counts(leads: Said) -> None:
    settling = Settling()
    settling.add(a_round(compared(leads, 5, 5), others=(Difference("p", "offset", 1, 0),)))
    settling.add(a_round(compared(leads, 5, 6)))
    assert not settling.is_settled
    assert values_of(settling) == 1


def test_while_the_log_moves_a_value_that_is_right_now_and_then_is_right(leads: Said) -> None:
    settling = Settling()
    for log_says, found in ((5, 4), (7, 6), (8, 8), (10, 9)):
        settling.add(a_round(compared(leads, log_says, found), grown=2))
    assert settling.in_motion
    assert settling.is_settled
    assert values_of(settling) == 0


def test_while_the_log_moves_a_value_that_is_never_right_is_wrong(leads: Said) -> None:
    settling = Settling()
    for log_says in range(5, 15, 2):
        settling.add(a_round(compared(leads, log_says, log_says + 1), grown=2))
    assert not settling.is_settled
    assert values_of(settling) == 1


def test_what_was_published_between_two_looks_counts_too(leads: Said) -> None:
    settling = Settling()
    settling.add(a_round(compared(leads, 5, 4), grown=1))
    between = tuple(encoded(leads._replace(value=value)) for value in (5, 6))
    settling.add(a_round(compared(leads, 7, 6), grown=2, published=between))
    assert settling.is_settled


def test_a_value_that_moves_and_is_published_in_every_round_is_undecided(leads: Said) -> None:
    settling = Settling()
    for log_says in range(5, 15, 2):
        published = encoded(leads._replace(value=log_says + 1))
        settling.add(
            a_round(compared(leads, log_says, log_says + 1), grown=2, published=(published,))
        )
    assert not settling.is_settled
    assert (values_of(settling), settling.undecided) == (0, {KEY})
    settling.add(a_round(compared(leads, 15, 15), grown=1))
    assert (settling.is_settled, settling.undecided) == (True, set())


def test_a_value_that_is_published_again_and_again_is_wrong_if_the_log_says_one(
    leads: Said,
) -> None:
    settling = Settling()
    for found in range(6, 9):
        published = encoded(leads._replace(value=found))
        settling.add(a_round(compared(leads, 5, found), grown=2, published=(published,)))
    assert (values_of(settling), settling.undecided) == (1, set())


def test_before_the_worker_has_caught_up_being_right_proves_nothing(leads: Said) -> None:
    settling = Settling()
    settling.add(a_round(compared(leads, 5, 5), grown=1, caught_up=False))
    settling.add(a_round(compared(leads, 5, 6), grown=1, caught_up=False))
    settling.add(a_round(compared(leads, 5, 6), grown=1))
    settling.add(a_round(compared(leads, 5, 6), grown=1))
    assert not settling.is_settled
    assert values_of(settling) == 1


def test_other_differences_must_last_as_well(leads: Said) -> None:
    settling = Settling()
    clean = compared(leads, 5, 5)
    settling.add(a_round(clean, grown=1, others=(Difference("p/0", "offset", 9, 8),)))
    settling.add(a_round(clean, grown=1, others=(Difference("p/1", "offset", 9, 8),)))
    assert settling.is_settled
    assert settling.differences()[CONSERVATION] == []
