"""A file's rows, one at a time, each with its number and the line it starts on.

Other kinds of files come here: `open_rows` chooses the reader, and a reader of Parquet or of a
vendor's own export is anything else that is a `Rows`.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from stream_app.intake.mapping import Format

_BOM = "\ufeff"


class UnreadableFile(Exception):
    """A file that gives no rows at all; the text names it and says why."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    Attributes:
        number: its place in the file, from 1, header and blank lines not counted.
        line: the line it starts on, from 1, header and blank lines counted.
        cells: one text per column of the header; empty when `problem` says what is wrong.
    """

    number: int
    line: int
    cells: list[str]
    problem: str | None = None


class Rows(Protocol):
    """An open file of rows; closed on leaving its `with` block."""

    @property
    def header(self) -> tuple[str, ...]:
        """The names of the columns, as the file has them."""

    def __iter__(self) -> Iterator[Row]:
        """The rows, in the file's order, in constant memory."""

    def position_bytes(self) -> int:
        """How much of the file is read, for showing progress."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


def open_rows(path: Path, written: Format) -> Rows:
    """Open a file for reading its rows.

    Raises:
        UnreadableFile: it is not there, or has no header.
    """
    return CsvRows(path, written)


class CsvRows:
    """A CSV file's rows. One that cannot be read has a `problem`; the next ones follow."""

    def __init__(self, path: Path, written: Format) -> None:
        self._path = path
        self._encoding = written.encoding
        try:
            self._bytes = path.open("rb")
        except OSError as error:
            raise UnreadableFile(f"{path}: cannot be read: {error.strerror}") from None
        # An undecodable byte becomes a lone surrogate: it spoils its row, not the file.
        text = io.TextIOWrapper(
            self._bytes, encoding=written.encoding, errors="surrogateescape", newline=""
        )
        self._text = text
        self._reader = csv.reader(
            text, delimiter=written.delimiter, quotechar=written.quote, strict=True
        )
        try:
            self.header = self._read_header()
        except UnreadableFile:
            self._text.close()
            raise

    def _read_header(self) -> tuple[str, ...]:
        try:
            for cells in self._reader:
                if cells:
                    return tuple(cell.removeprefix(_BOM).strip() for cell in cells)
        except (csv.Error, UnicodeError) as error:
            raise UnreadableFile(f"{self._path}:1: the header cannot be read: {error}") from None
        raise UnreadableFile(f"{self._path}: is empty; expected a line with the columns' names")

    def __iter__(self) -> Iterator[Row]:
        number = 0
        while True:
            line = self._reader.line_num + 1
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                number += 1
                yield Row(number, line, [], self._quoting_problem(line, error))
                continue
            except UnicodeError:
                raise UnreadableFile(
                    f"{self._path}:{line}: is not {self._encoding}; set format: encoding"
                ) from None
            if not cells:
                continue
            number += 1
            yield Row(number, line, *self._checked(cells))

    def _checked(self, cells: list[str]) -> tuple[list[str], str | None]:
        if len(cells) != len(self.header):
            return [], f"has {len(cells)} cells where the header has {len(self.header)}"
        if any("\udc80" <= c <= "\udcff" for cell in cells if not cell.isascii() for c in cell):
            return [], f"is not {self._encoding}; set format: encoding"
        return cells, None

    def _quoting_problem(self, line: int, error: csv.Error) -> str:
        last = self._reader.line_num
        extent = "" if last <= line else f"; lines {line} to {last} were taken for this row"
        return f"cannot be told apart into cells ({error}){extent}"

    def position_bytes(self) -> int:
        """How much of the file is read; ahead of the rows by up to one buffer."""
        return self._bytes.tell()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._text.close()
