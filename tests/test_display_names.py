from pathlib import Path

import pytest

from stream_app.config.load import parse_config
from stream_app.display_names import display_names

NAME = display_names(
    parse_config(
        "directory: {reps: {r+1: {name: Ada}, r-2: {name: Bo}}, teams: {t-1: {name: N}}}",
        "test",
        Path(),
    )
)


@pytest.mark.parametrize(
    ("dimension", "member", "shown"),
    [
        pytest.param("rep", "r-2", "Bo", id="a rep has the directory's name"),
        pytest.param("rep", "r+1", "Ada", id="also one with a plus in the id"),
        pytest.param("rep", "r-9", "r-9", id="a stranger is shown as he is"),
        pytest.param("team+rep", "t-1+r-2", "N + Bo", id="inside a combination as well"),
        pytest.param("team+rep", "t-1+r+1", "t-1+r+1", id="but not where it is ambiguous"),
        pytest.param("source", "r-2", "r-2", id="other dimensions have no names"),
    ],
)
def test_people_and_teams_are_called_by_their_names(
    dimension: str, member: str, shown: str
) -> None:
    assert NAME(dimension, member) == shown
