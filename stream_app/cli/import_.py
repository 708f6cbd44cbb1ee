"""`stream-app import`: history from a file."""

import asyncio
import csv
import logging
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import click
import msgspec
from rich.console import Console

from stream_app.config.load import ConfigErrors, load_config
from stream_app.config.model import Config
from stream_app.intake.connection import connection, ensure_events_topic
from stream_app.intake.directory import Directory, UnusableDirectory
from stream_app.intake.events import Outcome
from stream_app.intake.plan import Plan, make_plans, outcomes
from stream_app.intake.progress import Pace, Shown, show
from stream_app.intake.pseudonyms import (
    Pseudonyms,
    UnusableKey,
    make_key,
    passing_key,
    read_key,
)
from stream_app.intake.publish import NotSent, Topic
from stream_app.intake.rows import UnreadableFile
from stream_app.intake.run import Run, Start
from stream_app.intake.tally import Tally
from stream_app.settings import Settings, SettingsErrors, from_environment
from stream_app.wire.cloudevent import Rules

_REFUSED_SHOWN_MAX: Final = 50
_FOUND, _UNUSABLE, _INTERRUPTED, _TERMINATED = 1, 2, 130, 143


@click.command(
    "import", epilog="Example: stream-app import --mapping deals.yaml --dry-run deals.csv"
)
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="PATH…"
)
@click.option(
    "--mapping",
    "mapping_path",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="What the columns mean (YAML; deploy/mappings/README.md).",
)
@click.option(
    "--config",
    "config_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="What the business wants (YAML).  [env: STREAM_APP_CONFIG]",
)
@click.option(
    "--directory",
    "directory_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where display names are kept.  [default: the configuration's, or directory.yaml]",
)
@click.option(
    "--pseudonym-key",
    "key_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Secret that makes ids of names; made on first use.  [default: beside the directory]",
)
@click.option(
    "--state-dir",
    "state_directory",
    default=Path(".stream-app"),
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where it is remembered how far imports got.",
)
@click.option("--restart", is_flag=True, help="Send everything, also what was sent before.")
@click.option(
    "--revision",
    default="",
    help="A name that gives all events new ids: for a file that takes corrections back.",
)
@click.option("--dry-run", is_flag=True, help="Send nothing: show the first events and the counts.")
@click.option(
    "--show",
    "shown_events",
    default=3,
    show_default=True,
    type=click.IntRange(0),
    help="So many events of a dry run.",
)
@click.option(
    "--refused",
    "refused_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write every refused row's file, line and reason to this CSV file.",
)
def command(  # noqa: PLR0917 - click passes them by name
    paths: tuple[Path, ...],
    mapping_path: Path,
    config_path: Path | None,
    directory_path: Path | None,
    key_path: Path | None,
    refused_path: Path | None,
    dry_run: bool,  # noqa: FBT001
    shown_events: int,
    **options: Any,
) -> None:
    """Import history from CSV files, or folders of them, into crm.events.

    Each row becomes the events that the mapping asks for, written with their own time. An import
    that was interrupted continues where it stopped; one that was finished sends nothing again.
    Rows that cannot be used are reported with their line and left out; the exit code is then 1.
    """
    # What aiokafka logs is in our own messages, or is of no use to who imports.
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    console = Console(stderr=True, soft_wrap=True)
    with ExitStack() as stack:
        try:
            settings = from_environment()
            config_path = config_path or settings.config_path
            config = load_config(config_path)
            rules = Rules.from_config(config)
            plans = make_plans(mapping_path, paths, rules, config.business.timezone)
            directory_path = directory_path or _configured_directory(config, config_path)
            directory = Directory(directory_path)
            pseudonyms = _pseudonyms(
                key_path or directory_path.with_suffix(".key"), plans, directory, dry_run=dry_run
            )
            reports = _Reports(console, stack, refused_path)
        except (SettingsErrors, ConfigErrors, UnusableDirectory, UnusableKey, OSError) as error:
            click.echo(str(error), err=True)
            sys.exit(_UNUSABLE)
        run = Run(
            rules=rules,
            directory=directory,
            pseudonyms=pseudonyms,
            now_ms=time.time_ns() // 1_000_000,
            servers=settings.kafka,
            seconds=time.monotonic,
            show=reports.show,
            started=reports.started,
            settled=reports.settled,
            **options,
        )
        sys.exit(_carried_out(run, plans, settings, reports, shown_events if dry_run else None))


def _carried_out(
    run: Run, plans: list[Plan], settings: Settings, reports: "_Reports", dry_events: int | None
) -> int:
    """Do it; returns the exit code."""
    try:
        if dry_events is None:
            asyncio.run(_send(run, plans, settings, reports))
        else:
            _rehearse(run, plans, reports, dry_events)
    except (NotSent, UnreadableFile) as error:
        click.echo(str(error), err=True)
        return _FOUND
    except (KeyboardInterrupt, asyncio.CancelledError) as stopped:
        click.echo("interrupted; the same command continues where it stopped", err=True)
        return _INTERRUPTED if isinstance(stopped, KeyboardInterrupt) else _TERMINATED
    reports.conclude(run)
    return _FOUND if reports.refused else 0


async def _send(run: Run, plans: list[Plan], settings: Settings, reports: "_Reports") -> None:
    task = asyncio.current_task()
    if task is not None and sys.platform != "win32":
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await ensure_events_topic(settings)
    async with Topic(settings.topics.events, connection(settings)) as topic:
        for plan in plans:
            reports.counted(plan, await run.send(plan, topic))


def _rehearse(run: Run, plans: list[Plan], reports: "_Reports", events: int) -> None:
    for plan in plans:
        tally = Tally()
        with plan.open() as rows:
            for outcome in outcomes(run.maker(plan, run.now_ms), rows, 0):
                tally.add(outcome)
                reports.settled(plan, outcome)
                for record in outcome.records[:events]:
                    shown = {
                        "key": record.key.decode(),
                        "timestamp_ms": record.timestamp_ms,
                        "value": msgspec.Raw(record.value),
                    }
                    click.echo(msgspec.json.encode(shown).decode())
                    events -= 1
        reports.counted(plan, tally)


def _configured_directory(config: Config, config_path: Path | None) -> Path:
    named = config.raw.get("directory")
    if isinstance(named, str) and config_path is not None:
        return config_path.parent / named
    return Path("directory.yaml")


def _pseudonyms(
    path: Path, plans: list[Plan], directory: Directory, *, dry_run: bool
) -> Pseudonyms:
    key = read_key(path)
    if key is None and not any(plan.mapping.pseudonyms for plan in plans):
        key = b""  # nobody asks for an id
    if key is None and dry_run:
        key = passing_key()
        click.echo(f"{path} is not there yet, so ids of names differ in every dry run", err=True)
    return Pseudonyms(make_key(path, directory) if key is None else key, directory)


class _Reports:
    """What people are told: rows and problems on standard error, counts on standard output."""

    def __init__(self, console: Console, stack: ExitStack, refused_path: Path | None) -> None:
        self._console = console
        self._refused_rows = None
        self._shown = 0
        self.refused = 0
        if refused_path is not None:
            file = stack.enter_context(refused_path.open("w", encoding="utf-8", newline=""))
            self._refused_rows = csv.writer(file)
            self._refused_rows.writerow(("file", "line", "reason"))

    def show(self, plan: Plan, rows_done: int) -> Shown:
        pace = Pace(plan.path.stat().st_size, rows_done, time.monotonic)
        return show(self._console, plan.path.name, pace)

    def started(self, plan: Plan, start: Start, rows_done: int) -> None:
        if start is Start.CONTINUED:
            self._say(f"{plan.path}: continued after {rows_done:,} rows")
        elif start is not Start.NEW:
            self._say(f"{plan.path}: {start.value}")

    def settled(self, plan: Plan, outcome: Outcome) -> None:
        if outcome.refused is None:
            return
        self._shown += 1
        if self._refused_rows is not None:
            self._refused_rows.writerow((plan.path, outcome.row.line, outcome.refused))
        if self._shown <= _REFUSED_SHOWN_MAX:
            self._say(f"{plan.path}:{outcome.row.line}: row refused: {outcome.refused}")
        elif self._shown == _REFUSED_SHOWN_MAX + 1:
            self._say("… more rows are refused; --refused FILE writes them all")

    def counted(self, plan: Plan, tally: Tally) -> None:
        self.refused += tally.refused  # those of an earlier run included
        click.echo("\n".join([f"{plan.path}: {tally.lines()[0]}", *tally.lines()[1:]]))

    def conclude(self, run: Run) -> None:
        if run.directory.in_another_team:
            self._say(
                f"{run.directory.in_another_team} reps are in another team than "
                f"{run.directory.path} says; it was kept, change it there if the file is right"
            )

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False)
