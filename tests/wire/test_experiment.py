"""`kpi.experiments` as others read it: the worked example of the documentation, to the letter."""

import json
import re
from dataclasses import replace
from datetime import date
from importlib.resources import files
from zoneinfo import ZoneInfo

import msgspec
import pytest

from stream_app.config.model import Business, Config, Experiment
from stream_app.domain.experiment import results
from stream_app.domain.rates import Rates
from stream_app.domain.totals import ScopeTotals
from stream_app.domain.trial import converted_key, leads_key
from stream_app.wire.experiment import decode_result, encode_result, result_key, said_result

EXPERIMENT = Experiment(
    name="free-trial",
    dimension="technique",
    control="cold-call",
    variants=("free-trial",),
    horizon_days=30,
    random=True,
)
THROUGH = date(2026, 10, 22).toordinal()
TIMES = {"event_time": "2026-11-22T01:59:58Z", "published_at": "2026-11-22T02:00:00.120Z"}
DOCUMENTED = (files("stream_app") / "docs" / "experiments.md").read_text()
EXAMPLE = json.loads(re.findall(r"```json\n(.*?)```", DOCUMENTED, re.DOTALL)[0])


def record(experiment: Experiment, a: tuple[int, int], b: tuple[int, int]) -> bytes:
    """The record when all leads but the first came on one day, which has just matured."""
    totals = ScopeTotals(
        Rates.from_config(Config(business=Business(timezone=ZoneInfo("UTC"), currency="EUR"))),
        lambda bucket: bucket,
    )
    measures: dict[str, int] = {}
    for arm, (leads, converted) in zip(("cold-call", "free-trial"), (a, b), strict=True):
        measures |= {leads_key(arm): leads, converted_key(arm): converted}
    measures[leads_key("cold-call")] -= 1
    totals.put(THROUGH - 40, "0", 1, {leads_key("cold-call"): 1})
    totals.put(THROUGH, "0", 1, measures)
    (result,) = results(experiment, totals, THROUGH + 31)
    return encode_result(said_result(result), **TIMES, revision=EXAMPLE["revision"])


def rounded(value: object) -> object:
    """To the digits that every platform's `exp` agrees about."""
    if isinstance(value, list):
        return [rounded(each) for each in value]
    return round(value, 12) if isinstance(value, float) else value


def test_the_documented_example_is_what_is_published() -> None:
    published = json.loads(record(EXPERIMENT, (400, 48), (410, 74)))

    assert list(published) == list(EXAMPLE)
    assert {name: rounded(value) for name, value in published.items()} == {
        name: rounded(value) for name, value in EXAMPLE.items()
    }


def test_what_is_undefined_is_null() -> None:
    published = json.loads(record(EXPERIMENT, (3, 0), (0, 0)))

    nulls = {name for name, value in published.items() if value is None}
    assert nulls == {"rate_variant", "delta", "lift", "interval", "p", "method"}
    assert (published["sequential_p"], published["verdict"]) == (1.0, "too_early")


def test_without_chance_a_result_is_observational() -> None:
    by_choice = replace(EXPERIMENT, random=False)

    assert decode_result(record(by_choice, (400, 48), (410, 74))).observational
    assert not decode_result(record(EXPERIMENT, (400, 48), (410, 74))).observational


def test_a_record_is_read_back_as_it_was_written() -> None:
    raw = record(EXPERIMENT, (400, 48), (410, 74))

    assert msgspec.json.encode(decode_result(raw)) == raw


def test_unknown_fields_are_ignored_and_a_verdict_that_is_none_is_refused() -> None:
    later = msgspec.json.encode(EXAMPLE | {"colour": "blue"})
    wrong = msgspec.json.encode(EXAMPLE | {"verdict": "perhaps"})

    assert decode_result(later).n_variant == 410
    with pytest.raises(msgspec.ValidationError, match="verdict"):
        decode_result(wrong)


def test_the_parts_of_a_key_are_encoded() -> None:
    assert result_key("a|b", "50%/+") == b"a%7Cb|50%25%2F%2B"
