"""A `View` drawn with rich.

Every text is a `Text`: a plain string is markup to rich, and a member may be called `[/]`.
"""

from typing import Final

from rich import box
from rich.align import Align
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from stream_app.board.view import Cell, Ranking, Row, Tone, View

_STYLES: Final[dict[Tone, str]] = {"good": "green", "bad": "red", "flat": "bright_black"}
_BAR_WIDTH: Final = 16
_TITLE_WIDTH: Final = 21
_CHANGE_WIDTH: Final = 8
_WIDE_COLUMNS_MAX: Final = 5
_FRAME_LINES: Final = 6  # title, heads, rules, footer


def drawn(view: View, *, height: int | None = None) -> RenderableType:
    """The board.

    Args:
        view: what it says.
        height: lines at most; None: as many as it takes. Rankings go first, then the last rows.
    """
    parts: list[RenderableType] = [Text(f" {view.title}", style="bold")]
    rows = view.rows
    rankings = view.rankings
    if height is not None:
        room = height - _FRAME_LINES - len(rows)
        needed = max((len(ranking.leaders) for ranking in rankings), default=0) + 3
        if room < needed:
            rankings = ()
        rows = rows[: max(1, height - _FRAME_LINES)]
    if view.note:
        parts.append(Text(f"\n {view.note}\n"))
    else:
        parts.append(_table(view.columns, rows))
    if rankings:
        side_by_side = Table.grid(expand=True, padding=(0, 1))
        for _ in rankings:
            side_by_side.add_column(ratio=1)
        side_by_side.add_row(*map(_ranking, rankings))
        parts.append(side_by_side)
    parts.append(Align.right(Text(f"{view.footer} ", style="bright_black")))
    return Group(*parts)


def _table(columns: tuple[str, ...], rows: tuple[Row, ...]) -> Table:
    """Two columns for each: values to the right, their changes beside them to the left."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=True, header_style="cyan")
    table.padding, table.show_edge = 0, False  # the columns have a blank between them
    table.add_column(Text(columns[0]), style="bold", min_width=_TITLE_WIDTH)
    change_width = _CHANGE_WIDTH if len(columns) <= _WIDE_COLUMNS_MAX else 1
    for column in columns[1:]:
        table.add_column(Text(column), justify="right", vertical="bottom", ratio=1)
        table.add_column(width=change_width)
    for row in rows:
        table.add_row(_line(row.title), *(part for c in row.cells for part in _cell(c)))
    return table


def _cell(cell: Cell) -> tuple[Text, Text]:
    return _line(cell.value), _line(cell.change, style=_STYLES[cell.tone])


def _line(text: str, style: str = "") -> Text:
    return Text(text, style=style, no_wrap=True, overflow="crop")


def _ranking(ranking: Ranking) -> RenderableType:
    lines = Table.grid(expand=True, padding=(0, 1))
    lines.add_column(no_wrap=True, ratio=1)
    lines.add_column(width=_BAR_WIDTH)
    lines.add_column(justify="right", no_wrap=True)
    for leader in ranking.leaders:
        bar = Text("━" * max(1, round(_BAR_WIDTH * leader.share)), style="cyan")
        lines.add_row(Text(leader.name), bar, Text(leader.value))
    return Panel(
        lines,
        title=Text(ranking.title),
        title_align="left",
        border_style="bright_black",
        box=box.ROUNDED,
    )
