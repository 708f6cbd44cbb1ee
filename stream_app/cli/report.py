"""`stream-app report`: a period's KPIs against targets and the period before."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console

from stream_app.cli.reading import FINE, FOUND, config_option, finish
from stream_app.cli.startup import USAGE, settings_and_company
from stream_app.cli.watching import Watching
from stream_app.company import Company
from stream_app.domain.calendar import BusinessCalendar
from stream_app.domain.windows import WindowRules
from stream_app.experiment_words import Section, sections
from stream_app.intake.connection import connection
from stream_app.reports.archive import Archive
from stream_app.reports.asking import (
    NothingThere,
    WrongChoice,
    check_dimension,
    check_window,
    choice_of,
)
from stream_app.reports.coaching import Coach
from stream_app.reports.contents import Editor
from stream_app.reports.page import html_page
from stream_app.reports.rows import csv_report
from stream_app.reports.screen import drawn
from stream_app.settings import Settings
from stream_app.transport.reading import NoSuchTopic, TopicReader, standing

_PLAIN_WIDTH: Final = 150
_SUFFIXES: Final = {".html": "html", ".htm": "html", ".csv": "csv"}


@click.command(
    "report",
    epilog="Example: stream-app report --window month --period 2026-10 --out october.html",
)
@config_option
@click.option("--window", default="month", show_default=True, help="day, week, quarter, 30d …")
@click.option(
    "--period",
    help="2026-10, 2026-W41, 2026-Q4, 2026, any date in it, or running.  "
    "[default: the last complete one]",
)
@click.option("--dimension", help="Only this section; with --member that member's own report.")
@click.option("--member", help="Its id, or a display name.")
@click.option(
    "--format",
    "shape",
    type=click.Choice(["terminal", "html", "csv"]),
    help="[default: by the name of --out, else terminal]",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to this file instead of the standard output.",
)
@click.option(
    "--top",
    type=click.IntRange(1),
    default=20,
    show_default=True,
    help="Members of each section at most; CSV has all.",
)
@click.option(
    "--coaching", is_flag=True, help="One page per rep beside targets, team median and trend."
)
def command(
    config_path: Path | None,
    shape: str | None,
    out: Path | None,
    *,
    coaching: bool,
    **words: Any,
) -> None:
    """Report a period's KPIs against targets and the period before.

    All values are those of kpi.values, as they were published: nothing is computed here but
    changes. HTML is one file without any request to the network, for forwarding and printing; CSV
    has one row for each value. --coaching puts each rep beside the own target, the median of the
    team and the own past: personal data, to be shared with care. Exit code 1: nothing was published
    about the period; 2: there is no such window, period or member.
    """
    settings, company = settings_and_company(config_path)
    shape = shape or _SUFFIXES.get(out.suffix.lower() if out else "", "terminal")
    if coaching and shape == "csv":
        raise click.UsageError("--coaching is for the terminal and HTML; CSV has all values")
    try:
        check_window(company, words["window"], words["period"])
        check_dimension(company, words["dimension"], words["member"])
    except WrongChoice as error:
        raise click.UsageError(str(error)) from None
    finish(_report(settings, company, shape, out, coaching=coaching, **words))


async def _report(
    settings: Settings,
    company: Company,
    shape: str,
    out: Path | None,
    *,
    coaching: bool,
    window: str,
    **words: Any,
) -> int:
    archive = Archive(window)
    with Watching(Console(stderr=True, soft_wrap=True)) as watching:
        topic = settings.topics.values
        async with await TopicReader.open(topic, connection(settings)) as reader:
            async for record in reader.read(watching.began(f"reading {topic}")):
                archive.take(record.key, record.value)
    rules = WindowRules.from_config(
        company.config, BusinessCalendar(company.config.business.timezone)
    )
    try:
        choice = choice_of(company, archive, rules, **words)
    except WrongChoice as error:
        click.echo(f"Error: {error}", err=True)
        return USAGE
    except NothingThere as error:
        click.echo(str(error), err=True)
        return FOUND
    if shape == "csv":
        return _written(csv_report(company, archive, choice), out)
    contents = Editor(company, rules, archive, choice).contents()
    if choice.member is None and company.config.experiments:
        contents = replace(contents, experiments=await _comparisons(settings, company))
    pages = list(Coach(company, rules, archive, choice).pages()) if coaching else []
    if shape == "html":
        return _written(html_page(contents, pages), out)
    console = Console(highlight=False)
    if out is not None or not console.is_terminal:
        console = Console(width=_PLAIN_WIDTH, no_color=True, highlight=False)
    with console.capture() as capture:
        console.print(drawn(contents, pages, width=console.width))
    return _written(capture.get(), out)


async def _comparisons(settings: Settings, company: Company) -> tuple[Section, ...]:
    """The A/B comparisons as they stand; none where no worker has made the topic yet."""
    try:
        standing_now = await standing(settings.topics.experiments, connection(settings))
    except NoSuchTopic:
        return ()
    return tuple(sections(standing_now, company.config.experiments))


def _written(text: str, out: Path | None) -> int:
    if out is None:
        click.echo(text, nl=False)
        return FINE
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        click.echo(f"{out}: cannot be written: {error.strerror}; choose another --out", err=True)
        return USAGE
    click.echo(f"{out}: {len(text.encode()):,} bytes", err=True)
    return FINE


if __name__ == "__main__":  # pragma: no cover
    sys.exit(command())
