"""The directory as a file of its own, which imports write."""

from pathlib import Path

from stream_app.config.load import parse_config


def test_a_directory_file_that_no_import_has_written_yet_is_a_warning(tmp_path: Path) -> None:
    config = parse_config("directory: people.yaml", "config.yaml", tmp_path)

    assert config.directory == {}
    assert "`stream-app import` writes it" in config.warnings[0]


def test_a_directory_file_may_name_teams_which_are_only_shown(tmp_path: Path) -> None:
    (tmp_path / "people.yaml").write_text(
        "reps: {r-1: {name: A, team: t-1}}\nteams: {t-1: {name: B}}\n", encoding="utf-8"
    )

    config = parse_config("directory: people.yaml", "config.yaml", tmp_path)

    assert config.directory["r-1"].team == "t-1"
