# ruff: noqa: INP001 - a script, not a package
"""Draws `.github/board.svg`: the board of a running demo as `stream-app board` shows it.

stream-app demo                     # in one terminal; wait until the history has been counted
python .github/board_picture.py     # in another one, after pasting the demo's export lines
"""

import asyncio
import re
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme

from stream_app.board.screen import drawn
from stream_app.board.standing import Standing
from stream_app.board.view import Choice, view
from stream_app.company import load_company
from stream_app.intake.connection import connection
from stream_app.settings import from_environment
from stream_app.transport.reading import TopicReader

WIDTH = 104
BACKGROUND, TEXT, GREY, WHITE = (22, 24, 29), (205, 210, 218), (120, 128, 140), (255, 255, 255)
COLOURS = [
    *((232, 104, 104), (110, 196, 120), (222, 184, 95)),
    *((110, 160, 240), (190, 140, 230), (90, 190, 210)),
]
DARK = TerminalTheme(BACKGROUND, TEXT, [BACKGROUND, *COLOURS, TEXT], [GREY, *COLOURS, WHITE])


async def main() -> None:
    """Read the values once and write the picture."""
    settings = from_environment()
    company = load_company(settings.config_path)
    standing = Standing()
    async with await TopicReader.open(settings.topics.values, connection(settings)) as reader:
        async for record in reader.read():
            standing.take(record.key, record.value)
    board = view(
        standing,
        company.catalogue.kpis,
        Choice(),
        currency=company.config.business.currency,
        name=lambda _, member: member,
        now=datetime.now(UTC),  # noqa: TID251 - the board tells the age of what it shows
    )
    console = Console(record=True, width=WIDTH, file=StringIO(), force_terminal=True)
    console.print(drawn(board))
    svg = console.export_svg(title="stream-app board", theme=DARK, unique_id="board")
    # No fonts from a foreign server: every machine has some monospaced one.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    svg = svg.replace("Fira Code, monospace", "ui-monospace, Menlo, Consolas, monospace")
    svg = "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"
    Path(__file__).with_name("board.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())
