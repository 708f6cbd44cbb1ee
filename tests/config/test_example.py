"""The documented example is a configuration, and shows everything there is."""

from pathlib import Path

from stream_app.company import load_company
from stream_app.config import targets
from stream_app.config.business import KEYS
from stream_app.config.load import SECTIONS, load_config
from stream_app.config.model import DEFAULT_DIMENSIONS, DEFAULT_WINDOWS, History

EXAMPLE = Path(__file__).parents[2] / "deploy" / "stream-app.yaml"


def test_the_example_loads_without_errors_and_doubts() -> None:
    config = load_company(EXAMPLE).config

    assert config.warnings == ()
    assert config.targets[1].growth is not None


def test_the_example_has_every_section_in_the_documents_order() -> None:
    assert tuple(load_config(EXAMPLE).raw) == SECTIONS


def test_the_example_names_every_key_of_the_business_and_of_a_target() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")

    assert [key for key in (*KEYS, *targets.KEYS) if f"{key}: " not in text] == []


def test_what_the_example_calls_a_default_is_one() -> None:
    config = load_config(EXAMPLE)

    assert config.dimensions == DEFAULT_DIMENSIONS
    assert config.windows == DEFAULT_WINDOWS
    assert config.history == History()
    assert config.business.max_future_us == load_config(None).business.max_future_us
    assert config.business.retention_us == load_config(None).business.retention_us
