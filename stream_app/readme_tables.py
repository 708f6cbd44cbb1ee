"""Renders the README's tables of KPIs and settings from the code that they describe.

    python -m stream_app.readme_tables            write them into README.md
    python -m stream_app.readme_tables --check    change nothing; exit code 1 if one is not fresh

A table stands between two comments, `<!-- NAME: … -->` and `<!-- /NAME -->`; everything else in the
file is written by people and left alone.
"""

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from stream_app.company import load_company
from stream_app.domain.kpi import Kpi
from stream_app.settings import VARIABLES

README: Final = Path(__file__).resolve().parent.parent / "README.md"
WRONG_USAGE: Final = 2

_DEFAULT: Final = re.compile(r"(?P<meaning>.*?)(?: \((?P<default>[^()]*)\))?", re.DOTALL)
_USAGE: Final = "usage: python -m stream_app.readme_tables [--check]\n"


def kpi_table() -> str:
    """The built-in catalogue under the default configuration, in the order of the wall."""
    header = ("KPI", "formula", "unit", "better", "what it says", "dimensions", "windows")
    rows = (
        (
            f"`{kpi.name}`",
            _formula(kpi),
            kpi.definition.unit,
            kpi.definition.better,
            kpi.definition.definition,
            _dimensions(kpi),
            _windows(kpi),
        )
        for kpi in load_company(None).catalogue.kpis
    )
    return _table(header, rows)


def settings_table() -> str:
    """Every environment variable, its meaning and its default."""
    rows = []
    for name, text in VARIABLES.items():
        found = _DEFAULT.fullmatch(text)
        meaning, default = (found["meaning"], found["default"]) if found else (text, None)
        rows.append((f"`{name}`", meaning, default or ""))
    return _table(("variable", "what it says", "default"), rows)


TABLES: Final[Mapping[str, Callable[[], str]]] = {"kpis": kpi_table, "settings": settings_table}
"""The name between the comments → what stands there."""


class MissingTable(Exception):
    """The README has no place for a table; the message says what to write into it."""


def rendered(text: str) -> str:
    """The README with fresh tables.

    Raises:
        MissingTable: one of them has no place.
    """
    for name, table in TABLES.items():
        place = re.compile(rf"(<!-- {name}:[^\n]*-->\n).*?(<!-- /{name} -->)", re.DOTALL)
        found = place.search(text)
        if found is None:
            raise MissingTable(
                f"there is no place for the table {name!r}; expected two lines, "
                f"`<!-- {name}: … -->` and `<!-- /{name} -->`, and the table goes between them"
            )
        text = f"{text[: found.end(1)]}\n{table()}\n{text[found.start(2) :]}"
    return text


def main(arguments: list[str]) -> int:
    """Write the tables, or check them; returns the exit status."""
    if arguments not in ([], ["--check"]):
        sys.stderr.write(_USAGE)
        return WRONG_USAGE
    try:
        before = README.read_text(encoding="utf-8")
        after = rendered(before)
    except (OSError, MissingTable) as problem:
        sys.stderr.write(f"{README.name}: {problem}\n")
        return WRONG_USAGE
    if before == after:
        return 0
    if arguments:
        sys.stderr.write(
            f"{README.name}: its tables are not what the code says. What to do: run python -m "
            "stream_app.readme_tables and commit the change\n"
        )
        return 1
    README.write_text(after, encoding="utf-8")
    sys.stdout.write(f"{README.name}: written\n")
    return 0


def _formula(kpi: Kpi) -> str:
    requires = kpi.definition.requires
    return f"`{kpi.definition.formula}`" + (f", where `{requires}`" if requires else "")


def _dimensions(kpi: Kpi) -> str:
    definition = kpi.definition
    if definition.dimensions is not None:
        return ", ".join(f"`{name}`" for name in sorted(definition.dimensions, key=_rank))
    missing = ", ".join(f"`{name}`" for name in sorted(definition.without))
    more = ", ".join(f"`{name}`" for name in definition.extra)
    return "all" + (f" but {missing}" if missing else "") + (f", also {more}" if more else "")


def _rank(dimension: str) -> tuple[bool, int, str]:
    """The company first, then single dimensions, then combinations."""
    return dimension != "company", dimension.count("+"), dimension


def _windows(kpi: Kpi) -> str:
    if kpi.definition.windows is not None:
        return ", ".join(f"`{kind}`" for kind in kpi.definition.windows)
    if kpi.formula.as_of_now:
        return "`day`, now"
    return "all" if kpi.has_hour else "all but `hour`"


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    titles = tuple(header)
    lines = [titles, tuple("---" for _ in titles), *rows]
    return "".join(f"| {' | '.join(map(_cell, row))} |\n" for row in lines)


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
