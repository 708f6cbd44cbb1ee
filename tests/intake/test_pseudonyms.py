"""Names become ids that last, and that nobody without the key can turn back."""

import stat

import pytest

from stream_app.intake.directory import Directory
from stream_app.intake.pseudonyms import Pseudonyms, UnusableKey, make_key, passing_key, read_key
from tests.intake.imports import DEALS_HEADER, KEY, Folder

PEOPLE = """
source: //crm/sales
identity: id
joins: {file: teams.csv, on: rep, take: {manager: boss}}
pseudonyms:
  rep: {prefix: r-, directory: reps, team: manager}
  manager: {prefix: t-, directory: teams}
  product: {prefix: c-}
events:
  - type: crm.deal.created.v1
    time: created
    data: {rep: rep, team: manager, customer_id: product}
"""
TEAMS = "rep,boss\nAda Lace,Grace H\nBob,Grace H\n"


def names(folder: Folder, key: bytes = KEY) -> Pseudonyms:
    return Pseudonyms(key, Directory(folder.path / "directory.yaml"))


def test_the_same_name_is_the_same_id_everywhere(folder: Folder) -> None:
    assert names(folder).of("r-", "Ada Lace") == names(folder).of("r-", "Ada Lace")
    assert names(folder).of("r-", "Ada Lace") == "r-af4ywcqgl426"


def test_blanks_and_spellings_of_unicode_make_no_difference(folder: Folder) -> None:
    assert names(folder).of("r-", "Zoe\u0308  B ") == names(folder).of("r-", "Zoë B")


def test_another_name_prefix_or_key_is_another_id(folder: Folder) -> None:
    ids = {
        names(folder).of("r-", "Ada"),
        names(folder).of("r-", "ada"),
        names(folder).of("t-", "Ada"),
        names(folder, b"x" * 32).of("r-", "Ada"),
    }

    assert len({pseudonym[2:] for pseudonym in ids}) == 4


def test_no_name_is_in_an_event_and_all_are_in_the_directory(folder: Folder) -> None:
    folder.write("teams.csv", TEAMS)
    directory = Directory(folder.path / "directory.yaml")
    rows = DEALS_HEADER + "1,Ada Lace,Acme,2017-03-01,,,\n2,Bob,,2017-03-01,,,\n"

    records = folder.records(PEOPLE, rows, directory=directory)
    directory.save()

    sent = b"".join(record.key + record.value for record in records)
    assert not any(name in sent for name in (b"Ada", b"Lace", b"Bob", b"Grace", b"Acme"))
    ada, bob = (names(folder).of("r-", name) for name in ("Ada Lace", "Bob"))
    team = names(folder).of("t-", "Grace H")
    assert sent.count(f'"team":"{team}"'.encode()) == 2
    assert (folder.path / "directory.yaml").read_text() == (
        "# Display names of pseudonyms: personal data, not to be committed or logged.\n"
        "reps:\n"
        + "".join(
            f"  {entry}:\n    name: {name}\n    team: {team}\n"
            for entry, name in sorted([(ada, "Ada Lace"), (bob, "Bob")])
        )
        + f"teams:\n  {team}:\n    name: Grace H\n"
    )


def test_a_name_that_the_directory_knows_keeps_its_id(folder: Folder) -> None:
    folder.write("teams.csv", TEAMS)
    folder.write("directory.yaml", "reps: {31: {name: Ada Lace}}\nteams: {emea: {name: Grace H}}")
    directory = Directory(folder.path / "directory.yaml")

    rows = DEALS_HEADER + "1,Ada Lace,,2017-03-01,,,\n"
    (data,) = folder.data(PEOPLE, rows, directory=directory)
    directory.save()

    assert (data["rep"], data["team"]) == ("31", "emea")
    assert Directory(folder.path / "directory.yaml").id_of("reps", "Ada Lace") == "31"
    assert "team: emea" in (folder.path / "directory.yaml").read_text()


def test_a_key_is_made_once_and_only_its_owner_reads_it(folder: Folder) -> None:
    path = folder.path / "new" / "directory.key"
    directory = Directory(folder.path / "directory.yaml")
    assert read_key(path) is None

    key = make_key(path, directory)

    assert read_key(path) == make_key(path, directory) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert key != passing_key()


def test_a_lost_key_is_not_replaced_silently(folder: Folder) -> None:
    entry = names(folder).of("r-", "Ada")
    directory = Directory(folder.write("directory.yaml", f"reps: {{{entry}: {{name: Ada}}}}"))

    with pytest.raises(UnusableKey, match="a new key would give everybody another id"):
        make_key(folder.path / "directory.key", directory)


def test_a_file_that_is_no_key_is_refused_without_showing_it(folder: Folder) -> None:
    path = folder.write("directory.key", "hunter2")

    with pytest.raises(UnusableKey, match="expected 64 hexadecimal digits") as refused:
        read_key(path)

    assert "hunter2" not in str(refused.value)


def test_the_fingerprint_follows_the_key_and_the_directorys_own_ids_only(folder: Folder) -> None:
    path = folder.path / "directory.yaml"
    empty = names(folder).fingerprint()
    folder.write("directory.yaml", f"reps: {{{names(folder).of('r-', 'Ada')}: {{name: Ada}}}}")
    grown = names(folder).fingerprint()
    folder.write("directory.yaml", "reps: {r-17: {name: Ada}}")

    assert empty == grown
    assert len({empty, names(folder).fingerprint(), names(folder, b"x" * 32).fingerprint()}) == 3
    assert path.exists()
