"""What is a difference in `kpi.experiments`, and what is only on its way."""

from datetime import date

import msgspec
import pytest

from stream_app.domain.experiment import Verdict
from stream_app.verification.results import ResultRounds
from stream_app.wire.experiment import SaidResult, encode_result

KEY = b"trial|b"
WANTED = SaidResult(
    experiment="trial",
    dimension="technique",
    control="a",
    variant="b",
    n_control=400,
    n_variant=410,
    converted_control=48,
    converted_variant=74,
    rate_control=0.12,
    rate_variant=74 / 410,
    delta=74 / 410 - 0.12,
    lift=None,
    interval=(0.01, 0.11),
    p=0.016,
    method="z",
    sequential_p=0.2,
    verdict=Verdict.NO_DIFFERENCE_SHOWN,
    observational=False,
    horizon_days=30,
    days=41,
    through=date(2026, 10, 22),
)
UNREADABLE = "not a result of an experiment: Object missing required field `experiment`"
OLDER = msgspec.structs.replace(WANTED, n_control=399)


def raw(said: SaidResult) -> bytes:
    return encode_result(said, event_time="2026", published_at="2026", revision=1)


def differences(found: dict[bytes, bytes]) -> list[str]:
    return [str(each) for each in ResultRounds().compare([(KEY, WANTED)], found, {})]


def test_the_same_is_no_difference() -> None:
    assert differences({KEY: raw(WANTED)}) == []


def test_the_last_digit_of_a_float_is_no_difference() -> None:
    near = msgspec.structs.replace(WANTED, p=0.016000000000000003, interval=(0.01, 0.11 + 1e-16))

    assert differences({KEY: raw(near)}) == []


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({}, ["trial|b: record is missing, the log says verdict no_difference_shown"]),
        ({KEY: raw(OLDER)}, ["trial|b: n_control is 399, the log says 400"]),
        (
            {KEY: raw(msgspec.structs.replace(WANTED, interval=None))},
            ["trial|b: interval is missing, the log says (0.01, 0.11)"],
        ),
        (
            {KEY: raw(WANTED), b"gone|b": raw(WANTED)},
            ["gone|b: record should not exist, found verdict no_difference_shown"],
        ),
        (
            {KEY: b"{}"},
            [f"trial|b: record is {UNREADABLE}, the log says verdict no_difference_shown"],
        ),
    ],
    ids=["missing", "another number", "null", "surplus", "unreadable"],
)
def test_what_differs_is_told(found: dict[bytes, bytes], told: list[str]) -> None:
    assert differences(found) == told


def test_while_the_log_moves_a_record_that_was_right_in_between_is_on_its_way() -> None:
    rounds = ResultRounds()
    rounds.compare([(KEY, OLDER)], {}, {})

    assert rounds.compare([(KEY, WANTED)], {KEY: raw(OLDER)}, {KEY: [raw(OLDER)]}) == []
    assert rounds.differing == set()
    assert len(rounds.compare([(KEY, WANTED)], {KEY: raw(OLDER)}, {})) == 1
    assert rounds.differing == {KEY}
