"""`stream-app board`: live KPIs in the terminal."""

import asyncio
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.live import Live

from stream_app.board.screen import drawn
from stream_app.board.standing import Standing
from stream_app.board.view import DEFAULT_WINDOWS, Choice, View, view
from stream_app.cli.reading import FINE, config_option, finish
from stream_app.cli.startup import settings_and_company
from stream_app.cli.watching import Watching
from stream_app.company import Company
from stream_app.config.nearest import hint
from stream_app.display_names import display_names
from stream_app.intake.connection import connection
from stream_app.settings import Settings
from stream_app.transport.reading import TopicReader

_FRAME_SECONDS: Final = 0.25
_PLAIN_WIDTH: Final = 100


@click.command(
    "board",
    epilog="Example: stream-app board --window month --dimension team",
)
@config_option
@click.option(
    "--window",
    "windows",
    multiple=True,
    help="Columns; may be repeated.  [default: day, week, month, 30d]",
)
@click.option("--dimension", help="company, rep, team, source+technique …  [default: company]")
@click.option("--member", help="One member of the dimension; without it all are compared.")
@click.option(
    "--top",
    type=click.IntRange(1),
    help="So many members at most.  [default: 5 in rankings, 20 compared]",
)
@click.option("--all", "every", is_flag=True, help="Every KPI of the company, not the headlines.")
@click.option("--once", is_flag=True, help="Print the board once, as plain text, and end.")
def command(
    config_path: Path | None,
    windows: tuple[str, ...],
    dimension: str | None,
    member: str | None,
    top: int | None,
    *,
    every: bool,
    once: bool,
) -> None:
    """Show the KPIs live: values, changes against the window before, rankings.

    Values are those of kpi.values; changes are green where they are good. Names of reps come from
    the directory in the configuration and are only shown here. Ctrl-C ends it.
    """
    settings, company = settings_and_company(config_path)
    choice = replace(_choice(company, windows, dimension, member, top), every=every)
    finish(_board(settings, company, choice, once=once))


def _choice(
    company: Company,
    windows: tuple[str, ...],
    dimension: str | None,
    member: str | None,
    top: int | None,
) -> Choice:
    """What is asked for.

    Raises:
        UsageError: there is no such window or dimension.
    """
    known_windows = company.config.windows
    for window in windows:
        if window not in known_windows:
            raise click.UsageError(f"there is no window {window!r}{hint(window, known_windows)}")
    columns = windows or tuple(w for w in DEFAULT_WINDOWS if w in known_windows)
    columns = columns or known_windows[:4]
    if dimension is None or dimension == "company":
        if member not in (None, "all"):
            raise click.UsageError("--member needs --dimension, such as --dimension rep")
        return Choice(windows=columns, top=top or 5)
    extra = {name for kpi in company.catalogue.kpis for name in kpi.definition.extra}
    known = sorted({"company", *company.catalogue.configured, *extra})
    if dimension not in known:
        raise click.UsageError(f"there is no dimension {dimension!r}{hint(dimension, known)}")
    if member is None:
        columns = windows or tuple(w for w in ("month", *columns) if w in known_windows)
    return Choice(windows=columns, dimension=dimension, member=member, top=top or 20)


async def _board(settings: Settings, company: Company, choice: Choice, *, once: bool) -> int:
    standing = Standing()

    def now() -> View:
        return view(
            standing,
            company.catalogue.kpis,
            choice,
            currency=company.config.business.currency,
            name=display_names(company.config),
            now=datetime.fromtimestamp(time.time_ns() / 1e9, UTC),
        )

    async with await TopicReader.open(settings.topics.values, connection(settings)) as reader:
        with Watching(Console(stderr=True, soft_wrap=True)) as watching:
            progress = watching.began(f"reading {settings.topics.values}")
            async for record in reader.read(progress):
                standing.take(record.key, record.value)
        if once:
            console = Console()
            if not console.is_terminal:
                console = Console(width=_PLAIN_WIDTH, no_color=True, highlight=False)
            console.print(drawn(now()))
            return FINE
        await _follow(reader, standing, now)
        return FINE


async def _follow(reader: TopicReader, standing: Standing, now: Callable[[], View]) -> None:
    """Show what comes until Ctrl-C."""
    stop = asyncio.Event()
    if sys.platform != "win32":
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)

    async def take() -> None:
        async for run in reader.follow():
            for record in run:
                standing.take(record.key, record.value)

    taking = asyncio.create_task(take())
    ended = asyncio.create_task(stop.wait())
    console = Console()
    try:
        with Live(console=console, screen=console.is_terminal, auto_refresh=False) as live:
            while not (ended.done() or taking.done()):
                live.update(drawn(now(), height=console.height), refresh=True)
                await asyncio.wait({taking, ended}, timeout=_FRAME_SECONDS)
        if taking.done():
            taking.result()
    finally:
        taking.cancel()
        ended.cancel()
        await asyncio.gather(taking, ended, return_exceptions=True)
