"""`stream-app explain`: why a value is what it is."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import click
import msgspec
from rich.console import Console

from stream_app.cli.reading import FINE, FOUND, config_option, finish, json_option
from stream_app.cli.startup import USAGE, settings_and_company
from stream_app.cli.watching import Watching
from stream_app.company import Company
from stream_app.display_names import display_names
from stream_app.domain.scopes import split_scope
from stream_app.explaining.explanation import Explanation
from stream_app.explaining.inquiry import Inquiry, NothingThere
from stream_app.explaining.listing import csv_listing, document
from stream_app.explaining.moved import AlertInquiry
from stream_app.explaining.moved_words import moved_document, moved_drawn
from stream_app.explaining.question import Question, WrongQuestion, question, windows_of
from stream_app.explaining.screen import Screen
from stream_app.intake.connection import connection
from stream_app.settings import Settings

_encode: Final = msgspec.json.Encoder(decimal_format="number").encode
_PLAIN_WIDTH: Final = 160
_MINUTE_US: Final = 60_000_000


@click.command(
    "explain",
    epilog="Examples: stream-app explain win_rate --window month --start 2026-10 "
    "--dimension team --member emea; stream-app explain --alert win-rate-team emea",
)
@click.argument("kpi", required=False)
@config_option
@click.option(
    "--alert",
    help="A target, with its member in the place of KPI, or the id of a record of kpi.alerts: "
    "what moved the value since the alert began.",
)
@click.option(
    "--back",
    "back_minutes",
    type=click.FloatRange(0),
    default=1.0,
    show_default=True,
    help="With --alert: compare with so many minutes before it began.",
)
@click.option("--window", default="month", show_default=True, help="hour, day, month, 30d …")
@click.option(
    "--start",
    help="2026-10, 2026-W41, 2026-Q4, 2026, or any date in it.  [default: the running window]",
)
@click.option("--dimension", default="company", show_default=True, help="rep, source+technique …")
@click.option("--member", help="Its id; a rep's display name will do. Combined: web+free-trial.")
@click.option(
    "--limit",
    type=click.IntRange(0),
    default=20,
    show_default=True,
    help="Rows of each table; --json and --csv have all.",
)
@click.option(
    "--wait",
    "wait_seconds",
    type=click.FloatRange(0),
    default=10.0,
    show_default=True,
    help="Give the worker so many seconds to catch up while the value differs.",
)
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="One row per contribution and change.")
def command(
    kpi: str | None,
    config_path: Path | None,
    *,
    alert: str | None,
    back_minutes: float,
    limit: int,
    wait_seconds: float,
    as_json: bool,
    as_csv: bool,
    **words: Any,
) -> None:
    """Say why a value is what it is.

    Reads crm.events once and lists the deals, leads, answers and spends that make up the value:
    what each adds to numerator and denominator, in the business currency with the rate used, and
    the events that restated it: those that came after the window was over or changed what had been
    counted. The sums are compared with kpi.values. Exit code 0: they are equal; 1: they differ, or
    there is nothing; 2: there is no such KPI, window or member.

    With --alert it compares two moments, a minute before something became wrong and now (or when it
    was over), and lists which deals, leads and answers moved numerator and denominator in between.
    """
    if as_json and as_csv:
        raise click.UsageError("--json or --csv, not both")
    if alert is not None:
        if as_csv:
            raise click.UsageError("--alert has no --csv; write --json")
        settings, company = settings_and_company(config_path)
        inquiry = partial(
            AlertInquiry,
            company=company,
            topics=settings.topics,
            kafka=connection(settings),
            name=alert,
            member=kpi or words["member"],
            back_us=round(back_minutes * _MINUTE_US),
        )
        finish(_explain_alert(inquiry, company, as_json=as_json, limit=limit))
        return
    if kpi is None:
        raise click.UsageError("which KPI? write its name, or --alert and a target")
    settings, company = settings_and_company(config_path)
    try:
        asked = question(company, kpi=kpi, **words)
    except WrongQuestion as error:
        raise click.UsageError(str(error)) from None
    shape = "json" if as_json else "csv" if as_csv else "text"
    finish(_explain(settings, company, asked, wait_seconds, shape=shape, limit=limit))


async def _explain(
    settings: Settings,
    company: Company,
    asked: Question,
    wait_seconds: float,
    *,
    shape: str,
    limit: int,
) -> int:
    try:
        with Watching(Console(stderr=True, soft_wrap=True)) as watching:
            inquiry = Inquiry(company, settings.topics, connection(settings), asked, watching.began)
            explanation = await inquiry.run(wait_seconds)
    except WrongQuestion as error:
        click.echo(f"Error: {error}", err=True)
        return USAGE
    except NothingThere as error:
        click.echo(str(error), err=True)
        return FOUND
    _print(explanation, company, shape, limit)
    return FINE if explanation.found and not explanation.differences else FOUND


async def _explain_alert(
    inquiry: Callable[..., AlertInquiry], company: Company, *, as_json: bool, limit: int
) -> int:
    try:
        with Watching(Console(stderr=True, soft_wrap=True)) as watching:
            moved = await inquiry(told=watching.began).run()
    except WrongQuestion as error:
        click.echo(f"Error: {error}", err=True)
        return USAGE
    except NothingThere as error:
        click.echo(str(error), err=True)
        return FOUND
    currency, told = company.config.business.currency, moved.episode.told
    if as_json:
        body = moved_document(moved, company.config.links, currency)
        click.echo(msgspec.json.format(_encode(body)).decode())
    else:
        name = display_names(company.config)(told.dimension, told.member)
        _console().print(moved_drawn(moved, currency=currency, name=name, limit=limit))
    return FINE


def _console() -> Console:
    console = Console(highlight=False)
    if console.is_terminal:
        return console
    return Console(width=_PLAIN_WIDTH, no_color=True, highlight=False)


def _print(explanation: Explanation, company: Company, shape: str, limit: int) -> None:
    currency, links = company.config.business.currency, company.config.links
    if shape == "json":
        body = document(explanation, links, currency)
        click.echo(msgspec.json.format(_encode(body)).decode())
    elif shape == "csv":
        click.echo(csv_listing(explanation, links), nl=False)
    else:
        screen = Screen(
            currency=currency,
            calendar=windows_of(company).calendar,
            templates=links,
            limit=limit,
            name=display_names(company.config)(*split_scope(explanation.scope)),
        )
        _console().print(screen.drawn(explanation))


if __name__ == "__main__":  # pragma: no cover
    sys.exit(command())
