"""A row's columns by name: the file's own, those of joined files, repaired and trimmed.

Order: cells are trimmed, repaired (`replace`), then joined; pseudonyms are given last, by
`events`, so that conditions and joins see what the files say.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from stream_app.config.errors import Report
from stream_app.config.nearest import hint
from stream_app.intake.cells import Refused, TimeFormat
from stream_app.intake.joined import JoinedTable, complain, read_join
from stream_app.intake.mapping import Column, FileMapping, Format, Header, Join

Texts = dict[str, str | None]
"""A row: column → its text, None for an empty cell."""


@dataclass(frozen=True, slots=True)
class TimeColumn:
    """A column that is read as a time; see `TimeFormat`."""

    name: str
    written: TimeFormat
    read: Callable[[str], datetime]

    def moment(self, text: str) -> datetime:
        """The time of a cell; raises `Refused`, naming the column."""
        try:
            return self.read(text)
        except Refused as error:
            raise Refused(f"column {self.name!r} {error}") from None

    def instant_us(self, text: str) -> int:
        """Microseconds since 1970 of a cell's time; raises `Refused`, naming the column."""
        return self.written.instant_us(self.moment(text))


class Lookup:
    """What the columns of one file's rows say."""

    def __init__(
        self,
        mapping: FileMapping,
        places: dict[str, int],
        tables: tuple[JoinedTable, ...],
        zone: ZoneInfo,
    ) -> None:
        self._mapping = mapping
        self._places = tuple(places.items())
        self._tables = tables
        self.zone = zone
        self._repairs = tuple((column.name, repairs) for column, repairs in mapping.replace)
        self._early = tuple((n, r) for n, r in self._repairs if n in places)
        self._late = {n: r for n, r in self._repairs if n not in places}

    def texts(self, cells: list[str]) -> tuple[Texts, int]:
        """The columns of a row, and how many joined files do not have its key."""
        texts: Texts = {name: cells[place].strip() or None for name, place in self._places}
        for name, repairs in self._early:
            text = texts[name]
            if text is not None and text in repairs:
                texts[name] = repairs[text] or None
        unmatched = 0
        for table in self._tables:
            key = texts[table.on]
            taken = table.rows.get(key) if key is not None else None
            if taken is None:
                unmatched += key is not None
                taken = table.nothing
            for name, joined in zip(table.names, taken, strict=True):
                late = self._late.get(name)
                text = late.get(joined, joined) if late else joined
                texts[name] = text or None
        return texts, unmatched

    def time_column(self, name: str) -> TimeColumn:
        """How to read a column as a time."""
        header = self._mapping.columns.get(name)
        patterns = self._mapping.format.dates
        precision_us = 1
        if header is not None:
            patterns, precision_us = header.dates or patterns, header.precision_us
        written = TimeFormat(patterns, self.zone, precision_us)
        return TimeColumn(name, written, written.reader())


def make_lookup(
    mapping: FileMapping, path: Path, header: tuple[str, ...], zone: ZoneInfo, report: Report
) -> Lookup:
    """Find every column that the mapping names, in the file and in the joined ones.

    Args:
        mapping: what is wanted.
        path: the file; joined files are looked for beside it.
        header: its columns.
        zone: the business time zone, for a mapping that names none.
        report: complained to about every name that is not found; the result is of use only if
            nothing was.
    """
    finder = _Finder(mapping, path, header, report)
    for ours, wanted in mapping.columns.items():
        finder.find_ours(ours, wanted)
    tables = []
    for join in mapping.joins:
        table = read_join(mapping, join, path.parent, report)
        if table is not None:
            tables.append(table)
        finder.note_taken(join)
    for column in mapping.columns_named():
        finder.find(column)
    zone = ZoneInfo(mapping.format.timezone) if mapping.format.timezone else zone
    return Lookup(mapping, finder.places, tuple(tables), zone)


class _Finder:
    """Finds columns by name in one file, and complains about those it has not."""

    def __init__(
        self, mapping: FileMapping, path: Path, header: tuple[str, ...], report: Report
    ) -> None:
        self._mapping = mapping
        self._path = path
        self._header = header
        self._report = report
        self._taken: dict[str, None] = {}
        self.places: dict[str, int] = {}

    def find_ours(self, ours: str, wanted: Header) -> None:
        """The place of a column that the mapping gives a name of ours."""
        name, nth = wanted.header.name, wanted.nth
        places = [place for place, found in enumerate(self._header) if found == name]
        if nth is None and len(places) == 1:
            self.places[ours] = places[0]
        elif nth is not None and nth <= len(places):
            self.places[ours] = places[nth - 1]
        elif not places:
            self._complain_unknown(wanted.header, self._header)
        elif nth is None:
            self._complain(
                wanted.header,
                f"{self._path} has {len(places)} columns {name!r}; say which with nth: 1 and so on",
            )
        else:
            self._complain(
                wanted.header,
                f"{self._path} has {len(places)} columns {name!r}; nth: {nth} is too large",
            )

    def note_taken(self, join: Join) -> None:
        """Remember the columns that a join brings."""
        for ours, column in join.take.items():
            if ours in self._mapping.columns or ours in self._taken or ours in self._header:
                self._complain(
                    column,
                    f"{ours!r} is also a column of {self._path.name} or of an earlier join; take "
                    f"it under another name, like take: {{our_name: {column.name}}}",
                )
            self._taken[ours] = None

    def find(self, column: Column) -> None:
        """The place of a column that the mapping names, if it is one of the file's own."""
        name = column.name
        if name in self._mapping.columns or name in self._taken:
            return
        count = self._header.count(name)
        if count == 1:
            self.places[name] = self._header.index(name)
        elif count == 0:
            self._complain_unknown(column, (*self._mapping.columns, *self._taken, *self._header))
        else:
            self._complain(
                column,
                f"{self._path} has {count} columns {name!r}; give the one meant a name of ours, "
                f"like columns: {{our_name: {{header: {name}, nth: 2}}}}",
            )

    def _complain_unknown(self, column: Column, known: Iterable[str]) -> None:
        options = tuple(name for name in dict.fromkeys(known) if name)
        self._complain(
            column,
            f"{self._path} has no column {column.name!r}{hint(column.name, options)}"
            + _other_delimiter(self._header, self._mapping.format),
        )

    def _complain(self, column: Column, message: str) -> None:
        complain(self._mapping, self._report, column, message)


def _other_delimiter(header: tuple[str, ...], written: Format) -> str:
    if len(header) == 1:
        for delimiter in ",;\t|":
            if delimiter != written.delimiter and delimiter in header[0]:
                shown = "tab" if delimiter == "\t" else repr(delimiter)
                return f" (is the file's delimiter {shown}? set format: delimiter)"
    return ""
