"""`stream-app dead-letters`: list and show rejected records (`replay` will be a command here)."""

import base64
import re
import sys
import time
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import click
import msgspec
from rich.console import Console
from rich.table import Table

from stream_app.cli.reading import FINE, FOUND, config_option, finish, json_option
from stream_app.cli.startup import settings_and_company
from stream_app.cli.watching import Watching
from stream_app.config.nearest import hint
from stream_app.dead_letters.listing import Coordinates, Listing, described, parse_place
from stream_app.domain.calendar import rfc3339_utc
from stream_app.intake.connection import connection
from stream_app.settings import Settings
from stream_app.transport.reading import TopicReader
from stream_app.wire.dead_letter import DeadLetter, NotADeadLetter
from stream_app.wire.reasons import Reason

_UNIT_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_DURATION: Final = re.compile(r"([0-9]{1,6})([smhd])")


class _SinceType(click.ParamType):
    """A length of time before now, or an instant; milliseconds since 1970."""

    name = "since"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the instant."""
        if isinstance(value, int):
            return value
        if match := _DURATION.fullmatch(value):
            return _now_ms() - int(match[1]) * _UNIT_SECONDS[match[2]] * 1_000
        try:
            instant = datetime.fromisoformat(value)
        except ValueError:
            instant = None
        if instant is None or instant.utcoffset() is None:
            self.fail(
                f"{value!r} is neither a length of time such as 30m, 2h, 7d nor an instant such as "
                "2026-11-22T08:00:00Z",
                param,
                ctx,
            )
        return int(instant.timestamp() * 1_000)


class _PlaceType(click.ParamType):
    """`TOPIC/PARTITION/OFFSET`."""

    name = "TOPIC/PARTITION/OFFSET"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Coordinates:
        """Return the coordinates."""
        if isinstance(value, tuple):
            return value
        try:
            return parse_place(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.group("dead-letters", epilog="Example: stream-app dead-letters list --since 2h")
def command() -> None:
    """List and show rejected records.

    Every record of crm.events that cannot be counted becomes one dead letter with its reason; the
    topic keeps them for 14 days.
    """


@command.command(
    "list", epilog="Example: stream-app dead-letters list --reason schema --since 2h --limit 50"
)
@config_option
@click.option("--reason", "reasons", multiple=True, help="Only these; may be repeated.")
@click.option(
    "--since", "since_ms", type=_SinceType(), help="Written since: 30m, 2h, 7d, or an instant."
)
@click.option(
    "--limit",
    type=click.IntRange(0),
    default=20,
    show_default=True,
    help="List so many, the newest first; all are counted.",
)
@json_option
def list_command(
    config_path: Path | None,
    reasons: tuple[str, ...],
    since_ms: int | None,
    limit: int,
    *,
    as_json: bool,
) -> None:
    """Count dead letters by reason and list the newest. Exit code 0, also when there are some."""
    known = [reason.value for reason in Reason]
    for reason in reasons:
        if reason not in known:
            raise click.UsageError(f"there is no reason {reason!r}{hint(reason, known)}")
    settings, _ = settings_and_company(config_path)
    listing = Listing(frozenset(reasons), since_ms or 0)
    finish(_list(settings, listing, limit, as_json=as_json))


@command.command("show", epilog="Example: stream-app dead-letters show crm.events/3/1041")
@click.argument("place", type=_PlaceType(), metavar="TOPIC/PARTITION/OFFSET")
@config_option
@click.option(
    "--payload",
    is_flag=True,
    help="The original bytes, to standard output; they may hold personal data.",
)
@json_option
def show_command(
    place: Coordinates, config_path: Path | None, *, payload: bool, as_json: bool
) -> None:
    """Show one dead letter, without the bytes it is about. Exit code 1 if there is none."""
    settings, _ = settings_and_company(config_path)
    finish(_show(settings, place, payload=payload, as_json=as_json))


async def _list(settings: Settings, listing: Listing, limit: int, *, as_json: bool) -> int:
    async for found in _letters(settings):
        if found.letter is None:
            listing.unreadable += 1
        else:
            listing.take(found.letter, found.written_ms)
    letters, counts = listing.letters(), listing.counts()
    if as_json:
        _print_json(
            {
                "total": len(letters),
                "counts": counts,
                "repeats": listing.repeats,
                "unreadable": listing.unreadable,
                "letters": [letter.document() for letter in letters[:limit]],
            }
        )
        return FINE
    console = Console(soft_wrap=not sys.stdout.isatty())
    table = Table(box=None, header_style="cyan", pad_edge=False)
    for title in ("record", "reason", "age", "detail"):
        table.add_column(title, no_wrap=title != "detail", overflow="fold")
    now_ms = _now_ms()
    for letter in letters[:limit]:
        row = (letter.place, letter.reason, _age(now_ms - letter.written_ms), letter.detail)
        if console.is_terminal:
            table.add_row(*map(_plain, row))
        else:
            click.echo("\t".join(map(_plain, row)))
    if console.is_terminal and table.row_count:
        console.print(table, markup=False)
    if len(letters) > limit:
        click.echo(f"… and {len(letters) - limit:,} more (--limit)")
    by_reason = ", ".join(f"{count:,} {reason}" for reason, count in counts.items())
    click.echo(f"{len(letters):,} dead letters" + (f": {by_reason}" if by_reason else ""))
    if listing.unreadable:
        click.echo(f"{listing.unreadable:,} records of the topic are no dead letters", err=True)
    return FINE


async def _show(settings: Settings, place: Coordinates, *, payload: bool, as_json: bool) -> int:
    latest: _Found | None = None
    async for found in _letters(settings):
        letter = found.letter
        if letter is not None and (letter.topic, letter.partition, letter.offset) == place:
            latest = found
    name = "/".join(map(str, place))
    if latest is None:
        click.echo(
            f"there is no dead letter about {name}; `stream-app dead-letters list` lists those of "
            "the last 14 days",
            err=True,
        )
        return FOUND
    about = described(latest.value)
    if as_json:
        document = {"headers": latest.headers, "written_at": latest.written_at, **about}
        if payload:
            encoded = None if latest.value is None else base64.b64encode(latest.value).decode()
            document["payload_base64"] = encoded
        _print_json(document)
        return FINE
    # With --payload standard output is for the bytes alone.
    for header, text in latest.headers.items():
        click.echo(f"{header + ':':<11} {_plain(text)}", err=payload)
    click.echo(f"{'written:':<11} {latest.written_at}", err=payload)
    if latest.value is None:
        click.echo(f"{'payload:':<11} null", err=payload)
        return FINE
    cut = ", cut at 64 KiB: the whole lies in the topic" if about["cut"] else ""
    click.echo(f"{'payload:':<11} {about['size_bytes']:,} bytes{cut}", err=payload)
    click.echo(f"{'sha256:':<11} {about['sha256']}", err=payload)
    if payload:
        _print_payload(latest.value)
    return FINE


class _Found(NamedTuple):
    """A record of the topic; `letter` is None if it is no dead letter."""

    letter: DeadLetter | None
    headers: dict[str, str]
    value: bytes | None
    written_ms: int

    @property
    def written_at(self) -> str:
        return rfc3339_utc(self.written_ms * 1000, "milliseconds")


async def _letters(settings: Settings) -> AsyncIterator[_Found]:
    topic = settings.topics.dead_letters
    async with await TopicReader.open(topic, connection(settings)) as reader:
        with Watching(Console(stderr=True, soft_wrap=True)) as watching:
            async for record in reader.read(watching.began(f"reading {topic}")):
                try:
                    letter = DeadLetter.read(record.headers, record.value)
                except NotADeadLetter:
                    letter = None
                headers = {
                    name: (raw or b"").decode(errors="replace") for name, raw in record.headers
                }
                yield _Found(letter, headers, record.value, record.timestamp)


def _print_payload(value: bytes) -> None:
    if not sys.stdout.isatty():
        click.get_binary_stream("stdout").write(value)
        return
    # A terminal obeys control characters, whoever wrote them.
    text = value.decode(errors="backslashreplace")
    click.echo("".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text))


def _plain(text: str) -> str:
    """Text without what a terminal would obey."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _print_json(document: dict[str, Any]) -> None:
    click.echo(msgspec.json.format(msgspec.json.encode(document)).decode())


def _age(milliseconds: int) -> str:
    seconds = max(0, milliseconds // 1_000)
    unit = [unit for unit, length in _UNIT_SECONDS.items() if seconds >= length or unit == "s"][-1]
    return f"{seconds // _UNIT_SECONDS[unit]}{unit}"


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
