import pytest

from stream_app.metrics.poison import PoisonFuse, PoisonLimits

GOOD, BAD = [False], [True]


def test_fifty_dead_letters_in_a_row_are_tolerated_one_more_is_not() -> None:
    fuse = PoisonFuse(PoisonLimits(share_max=1.0))

    fuse.observe(0, BAD * 50)
    fifty = fuse.reason(0)
    fuse.observe(0, BAD)

    assert fifty is None
    assert fuse.reason(0) == "the last 51 records were all dead letters (limit 50)"


def test_a_row_goes_on_across_batches_and_ends_with_a_good_record() -> None:
    fuse = PoisonFuse(PoisonLimits(share_max=1.0))
    fuse.observe(0, GOOD + BAD * 30)
    fuse.observe(1, [])
    fuse.observe(2, BAD * 30)
    blown = fuse.reason(2)

    fuse.observe(3, BAD * 5 + GOOD + BAD)

    assert blown == "the last 60 records were all dead letters (limit 50)"
    assert fuse.reason(3) is None


def test_silence_does_not_prove_that_a_row_has_ended() -> None:
    fuse = PoisonFuse()

    fuse.observe(0, BAD * 51)

    assert fuse.reason(3_600) is not None


# a minute: [0 ........ 60)   10 of 100 hold, 11 of 101 do not
@pytest.mark.parametrize(
    ("letters", "good", "blown"),
    [
        pytest.param(10, 90, False, id="exactly a tenth"),
        pytest.param(11, 90, True, id="more than a tenth"),
        pytest.param(9, 1, False, id="few are not many"),
        pytest.param(10, 1, True, id="ten are many"),
    ],
)
def test_more_than_a_tenth_of_the_last_minute_is_too_much(
    letters: int,
    good: int,
    blown: bool,  # noqa: FBT001
) -> None:
    fuse = PoisonFuse()

    fuse.observe(0.2, BAD * letters)
    fuse.observe(59.9, GOOD * good)

    assert (fuse.reason(59.9) is not None) is blown


def test_the_reason_says_how_many_of_how_many() -> None:
    fuse = PoisonFuse()

    fuse.observe(5.0, BAD * 20 + GOOD * 60)

    assert fuse.reason(5.5) == (
        "20 of the last 80 records within 60 s were dead letters (limit 10%)"
    )


def test_the_share_recovers_when_the_bad_minute_has_passed() -> None:
    fuse = PoisonFuse()
    fuse.observe(10, BAD * 20 + GOOD * 20)
    fuse.observe(40, GOOD * 20)

    within, after = fuse.reason(69), fuse.reason(71)

    assert within is not None
    assert after is None


def test_the_share_recovers_under_enough_good_records() -> None:
    fuse = PoisonFuse()
    fuse.observe(10, BAD * 20 + GOOD * 20)

    fuse.observe(11, GOOD * 160)

    assert fuse.reason(11) is None
