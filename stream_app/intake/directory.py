"""The directory: ids to display names, for the very edge (contract.md, section 2).

The configuration reads it by `directory: directory.yaml`. An import adds whom it meets; what is
there already is never changed, since a rep's team there is counted. The file is rewritten when
something was added (comments are not kept), and only its owner can read a new one.
"""

import fcntl
import os
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import yaml

from stream_app.intake.replaced import replace_file

SECTIONS: Final = ("reps", "teams")
_HEADING: Final = "# Display names of pseudonyms: personal data, not to be committed or logged.\n"

# libyaml where PyYAML was built with it: 100,000 names in a few seconds instead of a minute.
# The base loader takes every scalar as the text written, also a name like No or an id like 31.
_LOADER: Final = yaml.CBaseLoader if yaml.__with_libyaml__ else yaml.BaseLoader
_DUMPER: Final = yaml.CSafeDumper if yaml.__with_libyaml__ else yaml.SafeDumper

Entries = dict[str, dict[str, dict[str, str]]]
"""Section → id → field → text."""


class UnusableDirectory(Exception):
    """The directory's file cannot be used; the text says why and what to do."""


def plain_name(name: str) -> str:
    """A name without what makes equal names look different: blanks, Unicode's spellings."""
    return " ".join(unicodedata.normalize("NFC", name).split())


class Directory:
    """The entries of a directory file, and those to be added."""

    def __init__(self, path: Path) -> None:
        """Read the file, which need not exist yet.

        Raises:
            UnusableDirectory: it is there and is no directory.
        """
        self.path = path
        self._entries = _read(path)
        self._additions: Entries = {}
        self._in_another_team: set[str] = set()
        self._ids: dict[tuple[str, str], str] = {}
        for section, entry_id, name in self.named():
            if self._ids.setdefault((section, plain_name(name)), entry_id) != entry_id:
                raise UnusableDirectory(
                    f"{path}: two {section} have one name, {entry_id} and "
                    f"{self._ids[section, plain_name(name)]}; an import cannot tell which is "
                    "meant: make the names differ"
                )

    @property
    def in_another_team(self) -> int:
        """How many reps the files put into another team than the directory, whose team is kept."""
        return len(self._in_another_team)

    def id_of(self, section: str, name: str) -> str | None:
        """The id of a name, if the section has it."""
        return self._ids.get((section, plain_name(name)))

    def named(self) -> Iterator[tuple[str, str, str]]:
        """Section, id and name of every entry that has a name."""
        for section in SECTIONS:
            for entry_id, entry in self._entries.get(section, {}).items():
                if "name" in entry:
                    yield section, entry_id, entry["name"]

    def note(self, section: str, entry_id: str, name: str, team: str | None = None) -> None:
        """Add an entry, or what an entry lacks."""
        wanted = {"name": plain_name(name)} | ({"team": team} if team is not None else {})
        entry = self._entries.setdefault(section, {}).setdefault(entry_id, {})
        lacking = {field: text for field, text in wanted.items() if field not in entry}
        if lacking:
            entry.update(lacking)
            self._additions.setdefault(section, {}).setdefault(entry_id, {}).update(lacking)
            self._ids.setdefault((section, plain_name(name)), entry_id)
        if team is not None and entry["team"] != team:
            self._in_another_team.add(entry_id)

    def save(self) -> bool:
        """Write what was added, if anything was, beside what the file has meanwhile.

        Returns:
            Whether something was.
        """
        if not self._additions:
            return False
        with _alone(self.path):
            entries = _read(self.path)
            for section, added in self._additions.items():
                for entry_id, fields in added.items():
                    entry = entries.setdefault(section, {}).setdefault(entry_id, {})
                    entry.update({f: text for f, text in fields.items() if f not in entry})
            text = yaml.dump(
                entries, Dumper=_DUMPER, allow_unicode=True, sort_keys=True, width=1_000
            )
            replace_file(self.path, (_HEADING + text).encode(), mode=0o600)
        self._additions.clear()
        return True


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """No other import reads the file and writes it meanwhile: it would lose what we add."""
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = os.open(path.resolve().parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _read(path: Path) -> Entries:
    try:
        document = yaml.load(path.read_text("utf-8-sig"), Loader=_LOADER)  # noqa: S506
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UnusableDirectory(f"{path}: cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeError):
        raise UnusableDirectory(f"{path}: is not YAML in UTF-8; mend or move it") from None
    entries: Entries = {}
    for section, found in (document or {}).items() if isinstance(document or {}, dict) else ():
        if found and not isinstance(found, dict):
            raise UnusableDirectory(f"{path}: {section}: expected a mapping of ids to names")
        for entry_id, entry in (found or {}).items():
            fields = entry if isinstance(entry, dict) else {}
            if entry and not fields:
                raise UnusableDirectory(f"{path}: {section}.{entry_id}: expected {{name: …}}")
            if not all(isinstance(text, str) for text in fields.values()):
                raise UnusableDirectory(f"{path}: {section}.{entry_id}: expected texts only")
            kept = {field: text for field, text in fields.items() if text}
            entries.setdefault(section, {})[entry_id] = kept
    if document and not isinstance(document, dict):
        raise UnusableDirectory(f"{path}: expected a mapping with {' and '.join(SECTIONS)}")
    return entries
