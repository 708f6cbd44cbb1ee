"""Rows as CSV for spreadsheets (pure)."""

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal

Cell = str | int | float | Decimal | bool | None

_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """One line each, ended by a line feed; null is empty, numbers are plain.

    A text that a spreadsheet would execute (`=…`) gets an apostrophe in front: members come from
    outside.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow(map(_plain, row))
    return text.getvalue()


def _plain(cell: Cell) -> Cell:
    if isinstance(cell, str):
        return f"'{cell}" if cell.startswith(_STARTS_FORMULA) else cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return format(cell, "f") if isinstance(cell, Decimal) else cell
