"""`stream-app import` without a broker: dry runs, mistakes, what is told and what is not."""

import json
import stat

import pytest
from click.testing import CliRunner, Result

from stream_app.cli.import_ import command
from tests.intake.imports import DEALS, DEALS_HEADER, Folder

PEOPLE = DEALS.replace("opaque: [rep]", "pseudonyms: {rep: {prefix: r-, directory: reps}}")
ROWS = DEALS_HEADER + "1,Ada Lace,Basic,2017-03-01,won,2017-04-15,100\n2,,Pro,2017-03-01,,,\n"


@pytest.fixture
def here(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """A folder as working directory, with an export and its mapping."""
    monkeypatch.chdir(folder.path)
    folder.write("mapping.yaml", DEALS)
    folder.write("rows.csv", ROWS)
    return folder


def invoke(*arguments: str) -> Result:
    result = CliRunner().invoke(command, ["--mapping", "mapping.yaml", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_a_dry_run_shows_events_and_counts_and_writes_nothing(here: Folder) -> None:
    before = sorted(here.path.iterdir())

    result = invoke("rows.csv", "--dry-run", "--show", "2")

    first, second, *counts = result.stdout.splitlines()
    assert json.loads(first)["key"] == "crm/sales/deal/1"
    assert json.loads(first)["timestamp_ms"] == 1488326400000
    assert json.loads(second)["value"]["type"] == "crm.deal.won.v1"
    assert counts == ["rows.csv: 2 rows", "  2 crm.deal.created.v1", "  1 crm.deal.won.v1"]
    assert (result.stderr, result.exit_code) == ("", 0)
    assert sorted(here.path.iterdir()) == before


def test_a_dry_run_without_a_key_says_so_and_makes_none(here: Folder) -> None:
    here.write("mapping.yaml", PEOPLE)

    result = invoke("rows.csv", "--dry-run")

    assert result.stderr == (
        "directory.key is not there yet, so ids of names differ in every dry run\n"
    )
    assert "Ada" not in result.output
    assert not (here.path / "directory.key").exists()
    assert not (here.path / "directory.yaml").exists()


def test_refused_rows_are_told_and_make_the_exit_code_1(here: Folder) -> None:
    here.write("rows.csv", ROWS + "3,Bo Bee,Pro,Bo Bee,,,\n4,Bo Bee\n5,,,2017-03-01,,,\n")

    result = invoke("rows.csv", "--dry-run", "--show", "0", "--refused", "refused.csv")

    reasons = [
        "column 'created' looks like 'Aa Aaa', expected a time as ISO 8601",
        "has 2 cells where the header has 7",
    ]
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        f"rows.csv:4: row refused: {reasons[0]}",
        f"rows.csv:5: row refused: {reasons[1]}",
    ]
    assert result.stdout.splitlines() == [
        "rows.csv: 5 rows",
        "  3 crm.deal.created.v1",
        "  1 crm.deal.won.v1",
        "  2 rows refused",
    ]
    assert (here.path / "refused.csv").read_text().splitlines() == [
        "file,line,reason",
        f'rows.csv,4,"{reasons[0]}"',
        f"rows.csv,5,{reasons[1]}",
    ]


def test_only_the_first_of_many_refused_rows_are_shown(here: Folder) -> None:
    here.write("rows.csv", DEALS_HEADER + "x\n" * 200)

    result = invoke("rows.csv", "--dry-run", "--refused", "refused.csv")

    assert len(result.stderr.splitlines()) == 51
    assert "--refused FILE" in result.stderr.splitlines()[-1]
    assert len((here.path / "refused.csv").read_text().splitlines()) == 201


def test_skipped_rows_are_counted_by_reason(here: Folder) -> None:
    here.write("mapping.yaml", DEALS + "skip: {when: {created: empty}, reason: no date}\n")
    here.write("rows.csv", ROWS + "3,,,,,,\n4,,,,,,\n")

    result = invoke("rows.csv", "--dry-run", "--show", "0")

    assert result.stdout.splitlines()[-1] == "  2 rows skipped: no date"
    assert result.exit_code == 0


def test_a_folder_gives_the_files_that_the_mapping_lists(here: Folder) -> None:
    here.write("more.csv", ROWS)
    here.write("mapping.yaml", DEALS + "files: [rows.csv, more.csv]\n")

    result = invoke(".", "--dry-run", "--show", "0")

    assert [line for line in result.stdout.splitlines() if "csv" in line] == [
        "rows.csv: 2 rows",
        "more.csv: 2 rows",
    ]


def test_the_business_time_zone_comes_from_the_configuration(here: Folder) -> None:
    here.write("kpi.yaml", "business: {timezone: America/New_York}\n")

    result = invoke("rows.csv", "--dry-run", "--show", "1", "--config", "kpi.yaml")

    assert '"time":"2017-03-01T05:00:00Z"' in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["gone.csv"], "Path 'gone.csv' does not exist", id="no file"),
        pytest.param([], "Missing argument 'PATH…'", id="no path"),
        pytest.param(["rows.csv", "--mapping", "gone.yaml"], "gone.yaml: cannot be", id="mapping"),
        pytest.param(["rows.csv", "--config", "gone.yaml"], "gone.yaml: cannot be", id="config"),
        pytest.param(["."], "lists no files", id="a folder"),
    ],
)
def test_wrong_usage_is_exit_code_2(here: Folder, arguments: list[str], message: str) -> None:
    assert here.path.exists()

    result = invoke(*arguments, "--dry-run")

    assert message in result.stderr
    assert (result.stdout, result.exit_code) == ("", 2)


def test_a_wrong_mapping_is_exit_code_2_and_everything_is_told(here: Folder) -> None:
    here.write("mapping.yaml", DEALS.replace("closed", "clozed").replace("status", "state"))

    result = invoke("rows.csv")

    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 4


def test_a_key_is_made_beside_the_directory_before_anything_is_sent(
    here: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREAM_APP_KAFKA", "127.0.0.1:1")
    here.write("mapping.yaml", PEOPLE)

    result = invoke("rows.csv", "--directory", "private/people.yaml")

    assert result.exit_code == 1
    assert result.stderr.startswith("Kafka at 127.0.0.1:1 is unavailable while creating topics")
    key = here.path / "private" / "people.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_the_configuration_names_the_directory(here: Folder) -> None:
    (here.path / "conf").mkdir()
    here.write("conf/people.yaml", "reps: {r-17: {name: Ada Lace, team: emea}}\n")
    here.write("conf/kpi.yaml", "directory: people.yaml\n")
    here.write("mapping.yaml", PEOPLE)

    result = invoke("rows.csv", "--dry-run", "--config", "conf/kpi.yaml")

    assert '"rep":"r-17"' in result.stdout
    assert "conf/people.key is not there yet" in result.stderr
