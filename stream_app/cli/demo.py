"""`stream-app demo`: the whole thing on one machine with nothing prepared."""

import shlex
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.text import Text

from stream_app.cli.startup import USAGE
from stream_app.config.errors import ConfigErrors

if TYPE_CHECKING:
    from stream_app.demo import Demo, Plan


@click.command("demo", epilog="Example: stream-app demo --for 60 --workers 2")
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A configuration of your own (default: one that fits the simulated team).",
)
@click.option("--workers", type=click.IntRange(1, 8), default=1, show_default=True)
@click.option(
    "--rate",
    type=click.FloatRange(0.1, 5_000),
    default=20.0,
    show_default=True,
    help="Simulated events per second.",
)
@click.option("--reps", type=click.IntRange(1, 500), default=12, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="Another sales team.")
@click.option(
    "--for",
    "seconds",
    type=click.FloatRange(min=1),
    help="Stop after so many seconds (default: at Ctrl-C).",
)
@click.option(
    "--bundled",
    is_flag=True,
    help="Use the Java and the Redis that come as Python packages, whatever is installed.",
)
@click.option(
    "--keep",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep Kafka's and Redis' data in this directory for the next time.",
)
def command(  # noqa: PLR0917 - click passes by name
    config_path: Path | None,
    workers: int,
    rate: float,
    reps: int,
    seed: int,
    seconds: float | None,
    bundled: bool,  # noqa: FBT001
    directory: Path | None,
) -> None:
    """Run everything here: a real Kafka and Redis, a simulated sales team, workers, a live board.

    Nothing has to be prepared and nothing is left running after Ctrl-C. The first start downloads
    Kafka (about 45 MB); later ones take seconds.
    """
    from stream_app import demo  # noqa: PLC0415 - `--help` stays instant
    from stream_app.company import load_company  # noqa: PLC0415
    from stream_app.local.errors import LocalError  # noqa: PLC0415

    console = Console(stderr=True)
    if config_path is not None:
        try:
            load_company(config_path)
        except ConfigErrors as errors:
            click.echo(str(errors), err=True)
            sys.exit(USAGE)
    plan = demo.Plan(
        config_path=config_path,
        workers=workers,
        rate=rate,
        seed=seed,
        reps=reps,
        seconds=seconds,
        bundled=True if bundled else None,
        directory=directory,
    )
    try:
        _run(plan, console)
    except KeyboardInterrupt:
        pass  # a second Ctrl-C, for the impatient; all has stopped all the same
    except LocalError as error:
        console.print(Text.assemble(("error: ", "red"), str(error)))
        sys.exit(1)
    console.print("everything has stopped.")


def _run(plan: "Plan", console: Console) -> None:
    from stream_app import demo  # noqa: PLC0415 - as above

    try:
        with demo.running(plan, console) as running:
            try:
                _introduce(running, console)
                demo.watch(running, console)
            except KeyboardInterrupt:
                console.print("stopping …")
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # nothing runs that could be interrupted


def _introduce(running: "Demo", console: Console) -> None:
    for port in running.metrics_ports:
        console.print(f"metrics  http://127.0.0.1:{port}/metrics", highlight=False)
    for name, value in running.environment.items():
        console.print(
            f"export {name}={shlex.quote(value)}", markup=False, highlight=False, soft_wrap=True
        )
    console.print("Paste these lines into another terminal to try the other commands there.\n")
