"""The directory file: grown by imports, never changed by them."""

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from stream_app.config.load import load_config
from stream_app.intake.directory import Directory, UnusableDirectory
from tests.intake.imports import Folder


def test_what_is_there_stays_as_it_is(folder: Folder) -> None:
    path = folder.write("directory.yaml", "reps:\n  r-1: {name: No, team: emea}\n  r-2:\n")
    directory = Directory(path)

    directory.note("reps", "r-1", "Somebody Else", "apac")
    directory.note("reps", "r-2", "Bob", "apac")
    directory.save()

    assert path.read_text().splitlines()[1:] == [
        "reps:",
        "  r-1:",
        "    name: 'No'",
        "    team: emea",
        "  r-2:",
        "    name: Bob",
        "    team: apac",
    ]
    assert directory.in_another_team == 1


def test_a_file_to_which_nothing_is_added_is_not_touched(folder: Folder) -> None:
    path = folder.write("directory.yaml", "# ours\nreps: {r-1: {name: Ada, team: emea}}\n")
    directory = Directory(path)

    directory.note("reps", "r-1", "Ada", "emea")

    assert not directory.save()
    assert path.read_text().startswith("# ours")


def test_what_somebody_else_added_meanwhile_is_kept(folder: Folder) -> None:
    path = folder.path / "directory.yaml"
    one, other = Directory(path), Directory(path)
    one.note("reps", "r-1", "Ada")
    other.note("reps", "r-2", "Bob")

    assert one.save()
    assert other.save()

    assert [name for _, _, name in Directory(path).named()] == ["Ada", "Bob"]


def test_a_new_file_is_for_its_owner_only_and_an_old_one_keeps_its_mode(folder: Folder) -> None:
    path = folder.path / "directory.yaml"
    directory = Directory(path)
    directory.note("reps", "r-1", "Ada")
    directory.save()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600

    path.chmod(0o640)
    directory.note("reps", "r-2", "Bob")
    directory.save()

    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_the_configuration_reads_it(folder: Folder) -> None:
    directory = Directory(folder.path / "directory.yaml")
    directory.note("reps", "r-1", "Ada", "t-1")
    directory.save()

    config = load_config(folder.write("kpi.yaml", "directory: directory.yaml"))

    assert [(rep.id, rep.name, rep.team) for rep in config.directory.values()] == [
        ("r-1", "Ada", "t-1")
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("reps: [", "is not YAML in UTF-8"),
        ("[a]", "expected a mapping with reps and teams"),
        ("reps: [a]", "reps: expected a mapping of ids to names"),
        ("reps: {r-1: Ada}", r"reps.r-1: expected \{name: …\}"),
        ("reps: {r-1: {name: [a]}}", "reps.r-1: expected texts only"),
        ("reps: {r-1: {name: Ada}, r-2: {name: Ada}}", "two reps have one name, r-2 and r-1"),
    ],
)
def test_what_is_no_directory_is_told_without_names(
    folder: Folder, text: str, message: str
) -> None:
    with pytest.raises(UnusableDirectory, match=message) as refused:
        Directory(folder.write("directory.yaml", text))

    assert "Ada" not in str(refused.value).removeprefix(str(folder.path))


def test_imports_at_the_same_time_lose_no_name(folder: Folder) -> None:
    path = folder.path / "directory.yaml"

    def add(number: int) -> None:
        directory = Directory(path)
        for each in range(10):
            directory.note("reps", f"r-{number}-{each}", f"Rep {number} {each}")
            directory.save()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(add, range(4)))

    assert len(list(Directory(path).named())) == 40
