"""`stream-app simulate`: a reproducible CRM."""

import asyncio
import re
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click
import msgspec
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from stream_app.simulate import Manifest, Options, SimRecord, Simulation, simulate
from stream_app.simulate.plan import Request, planned

_UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_DAY_SECONDS: Final = 86_400.0


class DurationType(click.ParamType):
    """A length of time such as `90s`, `10m`, `2h`, `30d`, in seconds."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the seconds."""
        if isinstance(value, float):
            return value
        match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", value)
        if match is None:
            self.fail(f"{value!r} is no duration; write it like 90s, 10m, 2h or 30d", param, ctx)
        return float(match[1]) * _UNITS[match[2]]


class InstantType(click.ParamType):
    """An ISO 8601 instant with a UTC offset."""

    name = "instant"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Return the aware datetime."""
        if isinstance(value, datetime):
            return value
        try:
            instant = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no instant; write it like 2026-01-05T08:00:00Z", param, ctx)
        if instant.utcoffset() is None:
            self.fail(f"{value!r} has no UTC offset; append Z or +01:00", param, ctx)
        return instant


class NamesType(click.ParamType):
    """Names separated by commas."""

    name = "names"

    def convert(
        self, value: Any, _param: click.Parameter | None, _ctx: click.Context | None
    ) -> tuple[str, ...]:
        """Return the names without surrounding blanks; empty ones are dropped."""
        if isinstance(value, tuple):
            return value
        return tuple(name.strip() for name in value.split(",") if name.strip())


class _Unusable(click.ClickException):
    """Nothing could be sent with these settings."""

    exit_code = 2


_SHARE: Final = click.FloatRange(0, 0.5)


@click.command(
    "simulate",
    epilog="Example: stream-app simulate --events 10000 --days 90 --duplicates 0.1 --bad 0.01",
)
@click.option("--events", type=click.IntRange(1), help="So many events of history, then stop.")
@click.option("--days", type=click.FloatRange(0, min_open=True), help="… spread over so many days.")
@click.option("--duration", type=DurationType(), help="Without --events: run live so long.")
@click.option("--history", type=DurationType(), help="Live: begin with such a past (30d).")
@click.option("--history-events", type=click.IntRange(0), help="… of so many events (1000 a day).")
@click.option("--rate", type=click.FloatRange(0), help="Events per second (live: 20; else: all).")
@click.option(
    "--speed",
    type=click.FloatRange(0, min_open=True),
    default=1.0,
    show_default=True,
    help="Live: simulated time runs so much faster, until it reaches now.",
)
@click.option("--start", type=InstantType(), help="First instant (days ago; live: now).")
@click.option("--seed", type=int, default=1, show_default=True, help="Same seed, same records.")
@click.option("--company", default="acme", show_default=True, help="Name in ids and sources.")
@click.option("--reps", type=click.IntRange(1), default=12, show_default=True)
@click.option("--teams", type=click.IntRange(1), default=3, show_default=True)
@click.option(
    "--currencies",
    type=NamesType(),
    default="EUR",
    show_default=True,
    help="The business currency first; the others need a rate in the configuration.",
)
@click.option(
    "--pipelines",
    type=click.IntRange(1, 3),
    default=1,
    show_default=True,
    help="default, enterprise, renewal.",
)
@click.option("--measures", type=NamesType(), default="", help="Declared measures to record.")
@click.option("--duplicates", type=_SHARE, default=0.0, help="Share of exact repeats.")
@click.option("--disorder", type=_SHARE, default=0.0, help="Share delivered late.")
@click.option("--corrections", type=_SHARE, default=0.0, help="Share that changes the past.")
@click.option("--bad", type=_SHARE, default=0.0, help="Share of bad and ignored records.")
@click.option("--with-too-large", is_flag=True, help="Bad input includes records over 1 MiB.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, allow_dash=True),
    help="Write JSON lines instead of sending; - is standard output.",
)
@click.option(
    "--manifest",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write what was done as JSON.",
)
def command(  # noqa: PLR0917 - click passes them by name
    events: int | None,
    days: float | None,
    duration: float | None,
    history: float | None,
    history_events: int | None,
    rate: float | None,
    speed: float,
    start: datetime | None,
    out: str | None,
    manifest: Path | None,
    **company: Any,
) -> None:
    """Simulate a CRM: a sales team whose events go to crm.events.

    Same seed and same options give the same records, byte for byte. With --events a history is
    written as fast as possible; without, a past is written first and then it goes on in real time
    until Ctrl-C. Duplicates and bad input come on top of the events.
    """
    now = datetime.fromtimestamp(time.time_ns() // 1_000_000 / 1000, UTC)
    request = Request(
        events=events,
        duration_seconds=duration,
        rate=rate,
        speed=speed,
        start=start,
        days=days,
        history_days=None if history is None else history / _DAY_SECONDS,
        history_events=history_events,
        company=company,
    )
    try:
        options = planned(request, now)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if out is None and options.end > now + timedelta(minutes=10):
        raise click.UsageError(
            f"the history ends at {options.end}, in the future, and brokers refuse such "
            "timestamps; choose an earlier --start or fewer --days, or write it with --out"
        )
    if manifest is not None and not manifest.absolute().parent.is_dir():
        raise _Unusable(f"{manifest}: cannot be written: there is no such folder")
    console = Console(stderr=True)
    simulation = simulate(options)
    is_complete = asyncio.run(_run(simulation, out, console))
    _summarise(simulation.manifest, options, console)
    if manifest is not None:
        document = msgspec.json.encode(simulation.manifest.document())
        manifest.write_bytes(msgspec.json.format(document) + b"\n")
    if not is_complete and options.live_events == 0:
        console.print("Interrupted: the history is not complete.")
        sys.exit(1)


async def _run(simulation: Simulation, out: str | None, console: Console) -> bool:
    """Deliver the records; return whether all were delivered before Ctrl-C."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    with _display(simulation, console) as show:
        if out is None:
            await _send(simulation, stop, show)
        else:
            await _write(simulation, out, stop, show)
    return not stop.is_set()


async def _send(
    records: Iterable[SimRecord], stop: asyncio.Event, show: Callable[[int], None]
) -> None:
    from stream_app import settings, variables  # noqa: PLC0415 - --help and --out work without
    from stream_app.intake.connection import connection  # noqa: PLC0415 - imports aiokafka
    from stream_app.simulate.delivery import CannotSend, send  # noqa: PLC0415 - imports aiokafka

    try:
        where = settings.from_environment()
    except variables.SettingsErrors as error:
        raise _Unusable(str(error)) from error
    security = connection(where)
    bootstrap = security.pop("bootstrap_servers")
    topic = where.topics.events
    try:
        await send(records, bootstrap, topic, security=security, stop=stop, on_progress=show)
    except CannotSend as error:
        raise _Unusable(str(error)) from error


async def _write(
    records: Iterable[SimRecord], out: str, stop: asyncio.Event, show: Callable[[int], None]
) -> None:
    from stream_app.simulate.delivery import JsonLinesOutlet, deliver  # noqa: PLC0415 - as above

    try:
        opened = click.open_file(out, "w", encoding="utf-8")
    except OSError as error:
        raise _Unusable(f"{out}: cannot be written: {error.strerror}") from None
    with opened as file:
        await deliver(records, JsonLinesOutlet(file), stop=stop, on_progress=show)


@contextmanager
def _display(simulation: Simulation, console: Console) -> Iterator[Callable[[int], None]]:
    """Show a progress bar while the records go out."""
    options = simulation.options
    total = None if options.live_events is None else options.events + options.live_events
    progress = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.completed:,.0f} events"),
        TimeElapsedColumn(),
        *([] if total is None else [TimeRemainingColumn()]),
        console=console,
    )
    with progress:
        task = progress.add_task(f"simulating {options.company}, seed {options.seed}", total=total)

        def show(_put: int) -> None:
            applied = simulation.manifest.applied
            is_live = options.live_events != 0 and applied >= options.events
            progress.update(
                task,
                completed=applied,
                description="live, Ctrl-C ends it" if is_live else "history",
            )

        yield show


def _summarise(manifest: Manifest, options: Options, console: Console) -> None:
    table = Table(title=f"{options.source}, seed {options.seed}", title_justify="left")
    table.add_column("records")
    table.add_column("count", justify="right")
    rows = {
        "accepted events": manifest.applied,
        "… delivered late": manifest.disordered,
        "… correcting the past": manifest.corrections,
        "duplicates": manifest.duplicates,
        **{f"bad: {reason}": n for reason, n in sorted(manifest.dead_letters.items())},
        "ignored": manifest.ignored,
        "all": manifest.records,
        "threads": manifest.threads,
    }
    for name, count in rows.items():
        if count or name == "all":
            table.add_row(name, f"{count:,}")
    console.print(table)
    if options.live_events == 0:
        start = options.start.isoformat().replace("+00:00", "Z")
        console.print(f"the same again: the same options and --start {start}", soft_wrap=True)
