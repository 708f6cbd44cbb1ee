"""YAML 1.1 reads some texts as something else; here they mean what a person wrote."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from stream_app.config.load import ConfigErrors, parse_config
from stream_app.config.model import Config


def parsed(text: str) -> Config:
    return parse_config(text, "config.yaml", Path())


@pytest.mark.parametrize("word", ["no", "on", "yes", "off", "true", "y", "NO"])
def test_a_boolean_word_is_a_name_where_a_name_belongs(word: str) -> None:
    config = parsed(f"directory: {{reps: {{{word}: {{team: {word}}}}}}}")

    assert config.directory[word].team == word


@pytest.mark.parametrize("number", ["31", "007", "0x1F", "1_000", "1e3", "12:30", "1.10", ".inf"])
def test_a_number_is_a_text_where_an_id_belongs(number: str) -> None:
    plain = parsed(f"directory: {{reps: {{{number}: {{team: {number}}}}}}}")
    quoted = parsed(f"directory: {{reps: {{'{number}': {{team: '{number}'}}}}}}")

    assert plain == quoted
    assert plain.directory[number].team == number


def test_a_date_may_be_a_key_with_or_without_quotes() -> None:
    plain = parsed("currencies: {USD: {2025-01-01: 0.92}}")
    quoted = parsed("currencies: {USD: {'2025-01-01': '0.92'}}")

    assert plain == quoted
    assert plain.currencies == {"USD": ((date(2025, 1, 1).toordinal(), Decimal("0.92")),)}


def test_a_number_is_never_a_float() -> None:
    config = parsed("currencies: {USD: 0.1, CHF: 1.000000000001}")

    assert str(config.currencies["USD"][0][1]) == "0.1"
    assert str(config.currencies["CHF"][0][1]) == "1.000000000001"


@pytest.mark.parametrize(
    "odd", ["1_000", "0x10", "017", "1e3", "12:30", ".inf", ".nan", "1.", "\u0661"]
)
def test_a_number_that_programs_read_differently_is_refused(odd: str) -> None:
    with pytest.raises(ConfigErrors, match="is not a number like"):
        parsed(f"currencies: {{USD: {odd}}}")


@pytest.mark.parametrize("word", ["true", "yes", "on", "True", "'true'"])
def test_true_has_many_spellings(word: str) -> None:
    config = parsed(
        "experiments: [{name: a, dimension: technique, control: x, variants: [y], "
        f"horizon: 30d, random: {word}}}]"
    )

    assert config.experiments[0].random is True


def test_null_is_nothing_but_quoted_null_is_a_name() -> None:
    assert parsed("directory: {reps: {'null': {team: 'null'}}}").directory["null"].team == "null"
    with pytest.raises(ConfigErrors, match="expected text as a key, got nothing"):
        parsed("directory: {reps: {null: {team: emea}}}")


def test_an_anchor_may_be_merged_and_overridden() -> None:
    config = parsed(
        """
targets:
  - &base {name: a, kpi: win_rate, window: month, at_least: 0.25, for: 10m}
  - {<<: *base, name: b, at_least: 0.3}
  - <<: [{name: c}, *base]
"""
    )

    assert [(t.name, str(t.at_least), t.for_us) for t in config.targets] == [
        ("a", "0.25", 600_000_000),
        ("b", "0.3", 600_000_000),
        ("c", "0.25", 600_000_000),
    ]


def test_a_mistake_in_what_is_merged_is_told_where_it_is_written() -> None:
    with pytest.raises(ConfigErrors) as caught:
        parsed(
            "targets:\n"
            "  - &base {name: a, kpi: win_rate, window: month, at_least: 1, fro: 10m}\n"
            "  - <<: *base\n"
            "    name: b\n"
        )

    assert str(caught.value).splitlines() == [
        "config.yaml:2: targets[0].fro: unknown key; did you mean 'for'?",
        "config.yaml:2: targets[1].fro: unknown key; did you mean 'for'?",
    ]


def test_windows_line_ends_do_not_shift_the_lines() -> None:
    with pytest.raises(ConfigErrors) as caught:
        parsed("business:\r\n  currency: EUR\r\n  clock: sun\r\n")

    assert str(caught.value) == "config.yaml:3: business.clock: 'sun' is not one of wall, event"
