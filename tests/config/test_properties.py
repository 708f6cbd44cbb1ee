"""Laws: whatever the file holds, it is a `Config` or `ConfigErrors`, never another exception."""

import re
from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stream_app.config.errors import Report
from stream_app.config.load import ConfigErrors, load_config, parse_config
from stream_app.config.model import Config
from stream_app.config.scalars import number
from stream_app.config.version import state_version
from stream_app.config.yaml_nodes import Document, Value

GOOD = load_config(Path(__file__).with_name("contract_example.yaml")).raw
LINE = re.compile(r"config\.yaml(:[1-9][0-9]*)?: .+")

yaml_pieces = st.lists(
    st.sampled_from(
        [
            *"[]{}:,-?&*!|>'\"%@`#~ \n\t\\",
            "\n  ",
            "business",
            "windows",
            "currencies: ",
            "targets:\n  - ",
            "<<: ",
            "&a ",
            "*a",
            "!!int ",
            "!!binary ",
            "--- ",
            "%YAML 1.1\n",
            "2025-01-01",
            "0.5",
            "1_0",
            "\\U00110000",
            "\ud7ff",
            "\x85",
            "\u2028",
        ]
    ),
    max_size=30,
).map("".join)

scalars = st.one_of(
    st.none(),
    st.text(max_size=12),
    st.sampled_from(
        ["", "*", "0", "-1", "1e9", "10m", "+5 %", "month", "month+day", "2025-01-01", "../x", "."]
    ),
)
trees = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)


def outcome(text: str) -> Config | None:
    """The configuration, or None when it was refused in good order."""
    try:
        return parse_config(text, "config.yaml", Path("/nowhere"), known_kpis=["win_rate"])
    except ConfigErrors as errors:
        lines = str(errors).splitlines()
        assert lines
        assert all(LINE.fullmatch(line) for line in lines)
        numbered = [error.line or 0 for error in errors.errors]
        assert numbered == sorted(numbered)
        str(errors).encode()
        return None


@given(st.text())
def test_any_text_is_a_configuration_or_refused(text: str) -> None:
    outcome(text)


@given(yaml_pieces)
@example("&a [*a]")
@example("? [a]\n: b")
@example("<<: *a")
@example("=: =")
def test_anything_like_yaml_is_a_configuration_or_refused(text: str) -> None:
    outcome(text)


@st.composite
def damaged(draw: st.DrawFn) -> object:
    """The contract's example with a few of its places replaced by anything."""
    document: Any = deepcopy(GOOD)
    for _ in range(draw(st.integers(1, 3))):
        place: Any = document
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            key = draw(st.sampled_from(keys))
            if not isinstance(place[key], dict | list) or not place[key] or draw(st.booleans()):
                break
            place = place[key]
        if isinstance(place, dict) and draw(st.booleans()):
            place[draw(st.text(max_size=8))] = draw(trees)
        else:
            place[key] = draw(trees)
    return document


@settings(deadline=None)
@given(damaged())
def test_a_damaged_configuration_is_read_or_refused(document: object) -> None:
    config = outcome(yaml.safe_dump(document, allow_unicode=True))

    if config is not None:
        assert re.fullmatch("[0-9a-f]{10}", state_version(config, 1))


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-1e9, max_value=1e9))
def test_a_number_is_read_exactly(value: Decimal) -> None:
    text = f"{value:f}"
    document = Document("config.yaml", Report("config.yaml"), {})

    found = number(Value(yaml.ScalarNode("tag:yaml.org,2002:str", text), "", document))

    assert found == value
