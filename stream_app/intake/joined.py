"""Columns of a second file by key: small tables beside the one that is imported, kept in memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stream_app.config.errors import ConfigError, Report
from stream_app.config.nearest import hint
from stream_app.intake.mapping import Column, FileMapping, Join
from stream_app.intake.rows import Rows, UnreadableFile, open_rows


@dataclass(frozen=True, slots=True)
class JoinedTable:
    """A second file.

    Attributes:
        on: our column that holds the key.
        names: our names of the columns taken.
        rows: key → the texts taken; an empty text is an empty cell.
    """

    on: str
    names: tuple[str, ...]
    rows: Mapping[str, tuple[str, ...]]

    @property
    def nothing(self) -> tuple[str, ...]:
        """What a key that the file does not have gives."""
        return ("",) * len(self.names)


def complain(mapping: FileMapping, report: Report, column: Column, message: str) -> None:
    """Note that a name in the mapping is wrong."""
    report.add(ConfigError(mapping.filename, column.line or None, column.path, message))


def read_join(
    mapping: FileMapping, join: Join, directory: Path, report: Report
) -> JoinedTable | None:
    """Read a second file; None after complaining."""
    path = directory / join.file.name
    try:
        with open_rows(path, mapping.format) as rows:
            places = _places(mapping, join, path, rows, report)
            if places is None:
                return None
            found = _by_key(rows, *places)
    except UnreadableFile as error:
        complain(mapping, report, join.file, str(error))
        return None
    table, problems = found
    for line, problem in problems:
        report.add(ConfigError(str(path), line, "", problem))
    return JoinedTable(join.on.name, tuple(join.take), table)


def _places(
    mapping: FileMapping, join: Join, path: Path, rows: Rows, report: Report
) -> tuple[int, list[int]] | None:
    wanted = [join.key, *join.take.values()]
    unknown = [column for column in wanted if column.name not in rows.header]
    for column in unknown:
        message = f"{path} has no column {column.name!r}{hint(column.name, rows.header)}"
        complain(mapping, report, column, message)
    if unknown:
        return None
    return rows.header.index(join.key.name), [rows.header.index(c.name) for c in wanted[1:]]


def _by_key(
    rows: Rows, key_place: int, places: list[int]
) -> tuple[dict[str, tuple[str, ...]], list[tuple[int, str]]]:
    table: dict[str, tuple[str, ...]] = {}
    line_of: dict[str, int] = {}
    problems = []
    for row in rows:
        if row.problem is not None:
            problems.append((row.line, row.problem))
            continue
        key = row.cells[key_place].strip()
        taken = tuple(row.cells[place].strip() for place in places)
        if key and table.setdefault(key, taken) != taken:
            problems.append(
                (row.line, f"says otherwise than line {line_of[key]} with the same key; keep one")
            )
        line_of.setdefault(key, row.line)
    return table, problems
