"""`stream-app copy-log`: the way to another number of partitions."""

import sys
from dataclasses import replace
from typing import Final

import click
from rich.console import Console

from stream_app.cli.reading import FINE, FOUND, finish
from stream_app.cli.startup import read_settings
from stream_app.cli.watching import Watching
from stream_app.intake.connection import connection, ensure_events_topic, security
from stream_app.rebuilding.copying import NotEmpty, copy_log
from stream_app.settings import Settings, parse_topic_prefix
from stream_app.transport.publisher import Publisher

_AFTERWARDS: Final = """\
now let producers and workers use it:
  export STREAM_APP_TOPIC_PREFIX={prefix} STREAM_APP_PARTITIONS={partitions}
the workers count it from its beginning; stream-app verify proves the result. The old topic is as it
was: delete it when you are content"""


@click.command(
    "copy-log",
    epilog="Example: STREAM_APP_PARTITIONS=8 stream-app copy-log --to-prefix wide.",
)
@click.option(
    "--to-prefix",
    "prefix",
    required=True,
    help="STREAM_APP_TOPIC_PREFIX of the copy, for example 'wide.'",
)
def command(prefix: str) -> None:
    """Copy crm.events, for another number of partitions.

    A key's partition depends on how many there are, so a topic whose number was changed holds
    threads that are torn apart, and the worker refuses it. This copies every record, key by key,
    into <prefix>crm.events with STREAM_APP_PARTITIONS partitions. Stop the producers first: what is
    written meanwhile may be missing in the copy. The topic that is read is not changed.
    """
    settings = read_settings()
    if prefix == settings.topic_prefix:
        raise click.UsageError(f"--to-prefix {prefix!r} is the prefix that is used now")
    try:
        copy = replace(settings, topic_prefix=parse_topic_prefix(prefix))
    except ValueError as error:
        raise click.UsageError(f"--to-prefix: {error}") from error
    finish(_copy(settings, copy))


async def _copy(settings: Settings, copy: Settings) -> int:
    source, target = settings.topics.events, copy.topics.events
    await ensure_events_topic(copy)
    async with Publisher(copy.kafka, security=security(copy)) as publisher:
        with Watching(Console(stderr=True)) as watching:
            progress = watching.began(f"copying {source} to {target}")
            try:
                copied = await copy_log(source, target, connection(settings), publisher, progress)
            except NotEmpty as error:
                click.echo(str(error), err=True)
                return FOUND
    click.echo(f"{copied.records:,} records of {source} copied to {target}")
    if copied.missing:
        click.echo(
            f"warning: {copied.missing:,} records at the beginning of {source} had been deleted "
            "before, by its retention or by hand; the copy has what was left, and verify cannot "
            "miss the rest",
            err=True,
        )
    click.echo(_AFTERWARDS.format(prefix=copy.topic_prefix, partitions=copy.partitions))
    return FINE


if __name__ == "__main__":  # pragma: no cover
    sys.exit(command())
