"""What people read about an experiment."""

from datetime import date

import pytest
from msgspec.structs import replace

from stream_app.config.model import Experiment
from stream_app.domain.experiment import Verdict
from stream_app.experiment_words import section, sections, sentence
from stream_app.wire.experiment import SaidResult, encode_result

FOUND = SaidResult(
    experiment="trial",
    dimension="technique",
    control="cold-call",
    variant="free-trial",
    n_control=1_834,
    n_variant=1_966,
    converted_control=214,
    converted_variant=293,
    rate_control=214 / 1_834,
    rate_variant=293 / 1_966,
    delta=0.0323,
    lift=0.277,
    interval=(0.011, 0.0537),
    p=0.0034,
    method="z",
    sequential_p=0.0036,
    verdict=Verdict.B_BETTER,
    observational=False,
    horizon_days=60,
    days=304,
    through=date(2025, 11, 5),
)
OPEN = replace(FOUND, verdict=Verdict.NO_DIFFERENCE_SHOWN, interval=(-0.004, 0.069))
WORSE = replace(FOUND, verdict=Verdict.A_BETTER, delta=-0.05, interval=(-0.07, -0.03), lift=-0.4)
EARLY = replace(
    FOUND, verdict=Verdict.TOO_EARLY, n_control=99, rate_control=0.0, delta=None, interval=None
)


BETTER = (
    "free-trial wins more of its leads than cold-call; free-trial against cold-call: "
    "+3.2 points (95 %: +1.1 to +5.4), +28% relatively"
)
BETTER_CONTROL = (
    "cold-call wins more of its leads than free-trial; free-trial against cold-call: "
    "-5.0 points (95 %: -7.0 to -3.0), -40% relatively"
)
NEITHER = (
    "No difference shown; free-trial against cold-call: +3.2 points (95 %: -0.4 to +6.9), "
    "which may be chance"
)
BY_CHOICE = (
    "Observational: leads were not assigned at random, so that the arms may differ for other "
    "reasons than this"
)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (FOUND, BETTER),
        (WORSE, BETTER_CONTROL),
        (OPEN, NEITHER),
        (EARLY, "Too early: an arm has 99 matured leads, a verdict takes 100 in each"),
    ],
    ids=["variant", "control", "neither", "early"],
)
def test_a_verdict_is_one_sentence(said: SaidResult, words: str) -> None:
    assert sentence(said) == words


def test_a_section_has_the_arms_and_what_to_know_before_acting_on_it() -> None:
    found = section(replace(OPEN, observational=True))

    assert found.title == "trial: free-trial against cold-call"
    assert found.rows == (
        ("cold-call", "1,834", "214", "11.7%"),
        ("free-trial", "1,966", "293", "14.9%"),
    )
    assert found.notes == (
        "Leads created up to 2025-11-05, each with 60 days to be won; 304 days",
        BY_CHOICE,
        "Finding a lift of 20% takes at least 3,224 leads in each arm",
    )


def test_what_is_decided_needs_no_more_leads() -> None:
    assert len(section(FOUND).notes) == 1


def test_no_lead_count_is_promised_where_the_control_wins_nobody() -> None:
    assert len(section(EARLY).notes) == 1


def test_results_are_shown_in_the_order_of_the_configuration_and_others_are_not() -> None:
    def raw(said: SaidResult) -> bytes:
        return encode_result(said, event_time="2026", published_at="2026", revision=1)

    named = Experiment(
        name="trial",
        dimension="technique",
        control="cold-call",
        variants=("script", "free-trial", "broken", "absent"),
        horizon_days=60,
    )
    standing = {
        b"trial|free-trial": raw(FOUND),
        b"trial|script": raw(replace(FOUND, variant="script")),
        b"trial|broken": b"{}",
        b"gone|free-trial": raw(FOUND),
    }

    titles = [each.title for each in sections(standing, [named])]
    assert titles == ["trial: script against cold-call", "trial: free-trial against cold-call"]
