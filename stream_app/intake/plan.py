"""An import before it begins: every file and column found, or everything that is wrong, at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from stream_app.config.errors import ConfigError
from stream_app.intake.events import EventMaker, Outcome
from stream_app.intake.lookup import Lookup, make_lookup
from stream_app.intake.mapping import FileMapping
from stream_app.intake.mapping_file import load_mapping
from stream_app.intake.rows import Rows, UnreadableFile, open_rows
from stream_app.wire.cloudevent import Rules


@dataclass(frozen=True, slots=True)
class Plan:
    """One file that can be imported."""

    path: Path
    mapping: FileMapping
    lookup: Lookup

    @property
    def inputs(self) -> tuple[Path, ...]:
        """Everything that the events are made from: the file, and those joined to it."""
        joined = (self.path.parent / join.file.name for join in self.mapping.joins)
        return self.path, *joined

    def open(self) -> Rows:
        """The file's rows; raises `UnreadableFile`."""
        return open_rows(self.path, self.mapping.format)


def make_plans(
    mapping_path: Path, paths: Sequence[Path], rules: Rules, zone: ZoneInfo
) -> list[Plan]:
    """Check a mapping against the files that it is for.

    Args:
        mapping_path: the mapping file.
        paths: files, or folders that hold those which the mapping lists under `files`.
        rules: what the configuration makes known.
        zone: the business time zone.

    Raises:
        ConfigErrors: something does not fit; nothing has been imported.
    """
    mapping, report = load_mapping(mapping_path, rules)
    plans = []
    files = list(_files(paths, mapping))
    for path in files:
        try:
            with open_rows(path, mapping.format) as rows:
                lookup = make_lookup(mapping, path, rows.header, zone, report)
        except UnreadableFile as error:
            report.add(ConfigError(mapping.filename, None, "files", str(error)))
        else:
            plans.append(Plan(path, mapping, lookup))
    if not files:
        message = "lists no files, so name the files themselves and not their folder"
        report.add(ConfigError(mapping.filename, None, "files", message))
    report.raise_if_any()
    return plans


def outcomes(maker: EventMaker, rows: Rows, done: int) -> Iterator[Outcome]:
    """What becomes of the rows after the first `done` ones, one at a time."""
    for row in rows:
        if row.number > done:
            yield maker.outcome(row)


def _files(paths: Sequence[Path], mapping: FileMapping) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from (path / name for name in mapping.files)
        else:
            yield path
