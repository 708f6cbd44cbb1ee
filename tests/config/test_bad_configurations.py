"""Every mistake of bad_configurations.txt gets exactly the message that stands below it."""

from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from stream_app.config.load import ConfigErrors, load_config, parse_config

TABLE = Path(__file__).with_name("bad_configurations.txt").read_text(encoding="utf-8")


def cases() -> list[ParameterSet]:
    found = []
    for block in TABLE.split("\n=== ")[1:]:
        title, _, rest = block.partition("\n")
        text, _, message = rest.partition(">>>\n")
        found.append(pytest.param(text, message.strip(), id=title))
    return found


def refuse_an_open_end(formula: str) -> str | None:
    return "the formula ends where a value was expected" if formula.endswith("/") else None


@pytest.mark.parametrize(("text", "message"), cases())
def test_a_mistake_is_told_with_file_line_and_key(text: str, message: str) -> None:
    with pytest.raises(ConfigErrors) as caught:
        parse_config(
            text,
            "config.yaml",
            Path("conf"),
            known_kpis=["win_rate", "revenue", "nps"],
            check_formula=refuse_an_open_end,
        )

    assert str(caught.value) == message


def test_the_table_is_long_enough_to_be_trusted() -> None:
    assert len(cases()) >= 100


def message_of(text: str) -> str:
    with pytest.raises(ConfigErrors) as caught:
        parse_config(text, "config.yaml", Path())
    return str(caught.value)


def test_a_character_that_yaml_forbids_is_told_with_its_line() -> None:
    assert message_of("business:\n  currency: EUR\x07\n") == (
        "config.yaml:2: not YAML: a character that YAML does not allow; remove it"
    )


def test_a_number_too_long_for_python_is_told_with_its_line() -> None:
    assert message_of(f"%YAML 1.{'9' * 5_000}\n---\nbusiness: {{}}\n") == (
        "config.yaml:1: not YAML: an escape or a directive has a number out of range"
    )


def test_a_deep_nest_is_refused_however_deep() -> None:
    said = "config.yaml:1: nested too deeply; at most 20 levels are read"

    assert message_of("[" * 30 + "]" * 30) == said
    assert message_of("[" * 50_000) == said


def test_aliases_that_multiply_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]

    assert message_of("\n".join(lines)).endswith(
        "too large with its aliases written out; at most 500000 values"
    )


def test_an_alias_of_itself_is_refused() -> None:
    assert message_of("business: &b {timezone: *b}").endswith(
        "nested too deeply; at most 20 levels are read"
    )
    assert message_of("business: &b {<<: *b}").endswith(
        "nested too deeply; at most 20 levels are read"
    )


def test_a_long_text_is_cut_in_the_message() -> None:
    assert message_of(f"business: {{clock: {'x' * 200}}}") == (
        f"config.yaml:1: business.clock: '{'x' * 60}…' is not one of wall, event"
    )
    assert message_of(f"business: {{clock: {'x' * 300}}}") == (
        "config.yaml:1: business.clock: has 300 characters; at most 256 are allowed"
    )


def test_a_huge_file_is_not_read() -> None:
    assert message_of("#" * 4_000_001) == (
        "config.yaml: has 4000001 characters; at most 4000000 are read"
    )


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "missing.yaml"

    with pytest.raises(ConfigErrors) as caught:
        load_config(path)

    assert str(caught.value) == f"{path}: cannot be read: No such file or directory"


def test_a_folder_is_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors) as caught:
        load_config(tmp_path)

    assert str(caught.value) == f"{tmp_path}: cannot be read: Is a directory"


def test_another_encoding_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes("business: {}\n# Köln\n".encode("latin-1"))

    with pytest.raises(ConfigErrors) as caught:
        load_config(path)

    assert str(caught.value) == f"{path}:2: not UTF-8; save the file in UTF-8"


def test_a_mistake_in_the_directory_names_the_directorys_file(tmp_path: Path) -> None:
    people = tmp_path / "people.yaml"
    people.write_text("reps:\n  r-1: {name: one, teem: emea}\n", encoding="utf-8")

    with pytest.raises(ConfigErrors) as caught:
        parse_config("directory: people.yaml\npoison: halt\n", "config.yaml", tmp_path)

    assert str(caught.value).splitlines() == [
        "config.yaml:2: poison: 'halt' is not one of stop, dead_letter",
        f"{people}:2: reps.r-1.teem: unknown key; did you mean 'team'?",
    ]


def test_a_secret_in_a_wrong_place_is_not_repeated() -> None:
    text = """
notify:
  default: a
  receivers:
    a:
      slack_webhook: https://hooks.example.org/canary
      webhook_url: https://me:canary@kpi.example.org
"""
    assert "canary" not in message_of(text)
