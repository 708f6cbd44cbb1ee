from datetime import datetime
from typing import Any

import pytest
import yaml

from stream_app.config.load import load_config
from stream_app.simulate import Options, matching_configuration
from stream_app.wire.cloudevent import Rules
from tests.simulate.reading import EVERYTHING, START, options, rules


@pytest.mark.parametrize(
    "wrong",
    [
        {"company": ""},
        {"company": "[/x]"},
        {"company": "a\x1b[31m"},
        {"company": 65 * "a"},
        {"start": datetime(2026, 1, 5)},  # noqa: DTZ001 - that is what is wrong
        {"start": START.replace(year=1999)},
        {"events": -1},
        {"days": 0},
        {"days": 3_601},
        {"rate": -1},
        {"speed": 0},
        {"reps": 0},
        {"reps": 2, "teams": 3},
        {"pipelines": 4},
        {"duplicates": 0.6},
        {"bad": -0.1},
        {"cycle_days": 0},
        {"currencies": ()},
        {"currencies": ("EURO",)},
        {"live_events": None},
        {"live_events": 5, "rate": 1.0, "now": START},
    ],
)
def test_an_option_out_of_range_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))}|now|rate|teams|currencies"):
        options(**wrong)


def test_the_message_says_what_is_wrong_and_what_was_expected() -> None:
    with pytest.raises(ValueError, match="pipelines is 7; expected 1 to 3"):
        options(pipelines=7)


def test_only_what_decides_the_events_decides_the_run() -> None:
    run = options().run
    assert options(duplicates=0.1, disorder=0.2, bad=0.3, with_too_large=True, rate=5.0).run == run
    for other in ({"seed": 2}, {"events": 3}, {"corrections": 0.1}, {"reps": 13}, {"days": 9.0}):
        assert options(**other).run != run


def test_a_longer_live_run_is_the_same_run() -> None:
    live = Options.live(START)
    assert (
        options(events=5, live_events=9, rate=20.0).run
        == options(events=5, live_events=99, rate=20.0).run
    )
    assert live.end == START


def test_the_matching_configuration_is_valid_and_refuses_nothing(tmp_path: Any) -> None:
    run = options(**EVERYTHING)
    file = tmp_path / "stream-app.yaml"
    file.write_text(yaml.safe_dump(matching_configuration(run)))
    known = Rules.from_config(load_config(file))
    wanted = rules(run)
    assert wanted.currencies <= known.currencies | {known.business_currency}
    assert wanted.measures <= known.measures
