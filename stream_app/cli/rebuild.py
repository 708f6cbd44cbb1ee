"""`stream-app rebuild`: throw a state away, so that workers rebuild it from the log."""

import sys
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console

from stream_app.cli.reading import FINE, FOUND, config_option, finish
from stream_app.cli.startup import read_settings, settings_and_company
from stream_app.cli.watching import Watching
from stream_app.intake.connection import connection, security
from stream_app.rebuilding.discard import VERSION, Standing, StateVersion
from stream_app.settings import Settings
from stream_app.verification.committed import connected

_AFTERWARDS: Final = """\
now start the workers: they count crm.events from its beginning and publish when they have caught up
(/readyz says rebuilding until then). If the log is another one than before, then take back what it
does not support:  stream-app verify --republish"""


class _VersionType(click.ParamType):
    """A state version."""

    name = "version"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return it if it is one."""
        if not VERSION.fullmatch(value):
            message = f"{value!r} is no state version; expected ten digits 0-9a-f, as `check` shows"
            self.fail(message, param, ctx)
        return str(value)


@click.command(
    "rebuild",
    epilog="Example: stream-app rebuild    (look first)    stream-app rebuild --yes    (do it)",
)
@config_option
@click.option(
    "--state-version",
    "version",
    type=_VersionType(),
    help="Another state version than the configuration's: an old one, to free its memory.",
)
@click.option("--yes", is_flag=True, help="Delete. Without it nothing is changed.")
def command(config_path: Path | None, *, version: str | None, yes: bool) -> None:
    """Throw the state away, so that workers rebuild it from the log.

    For when a worker has stopped because its state does not fit crm.events any more (the topic was
    cut, or deleted and created again), or because it is torn. Shows what would be deleted: the keys
    of one state version in Redis and its kpi.partials topic; with --yes it deletes them, if no
    worker runs. crm.events, kpi.values and dead letters are never touched.

    Exit code 0: done, or nothing to do; 1: workers run, or something to delete was only shown.
    """
    if version is None:
        settings, company = settings_and_company(config_path)
        finish(_rebuild(settings, company.state_version, yes=yes, afterwards=_AFTERWARDS))
    else:
        finish(_rebuild(read_settings(), version, yes=yes, afterwards=""))


async def _rebuild(settings: Settings, version: str, *, yes: bool, afterwards: str) -> int:
    redis = connected(settings)
    state = StateVersion(
        redis, settings, version, security=security(settings), kafka=connection(settings)
    )
    try:
        with Watching(Console(stderr=True)) as watching:
            watching.began("looking at Redis and Kafka")
            standing = await state.look()
            if yes and not standing.members:
                await state.discard(standing, watching.began("deleting"))
    finally:
        await redis.aclose()
    for line in _told(settings, version, standing):
        click.echo(line)
    if standing.members:
        workers = "1 worker runs" if standing.members == 1 else f"{standing.members} workers run"
        click.echo(
            f"{workers} on it (group {standing.group}): stop all of them first. One that was "
            f"killed counts until its session times out ({settings.session_timeout_seconds} s)",
            err=True,
        )
        return FOUND
    if not (standing.keys or standing.has_topic):
        return FINE
    if not yes:
        click.echo("nothing was deleted; to delete it: the same command with --yes")
        return FOUND
    click.echo("deleted")
    if afterwards:
        click.echo(afterwards)
    return FINE


def _told(settings: Settings, version: str, standing: Standing) -> list[str]:
    if not (standing.keys or standing.has_topic):
        return [f"state version {version}: there is nothing to delete"]
    topic = f", and the topic {standing.topic}" if standing.has_topic else ""
    lines = [
        f"state version {version}: {standing.keys:,} keys in Redis ({standing.prefix}*){topic}"
    ]
    if standing.records is not None:
        lines.append(
            f"a rebuild reads {standing.records:,} records of {settings.topics.events}: all that "
            "it still holds. What was deleted there will not be counted any more"
        )
    return lines


if __name__ == "__main__":  # pragma: no cover
    sys.exit(command())
