"""`stream-app verify`: the proof that every KPI equals what the log says."""

import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from stream_app.addresses import join_address, parse_address
from stream_app.cli.reading import FINE, FOUND, config_option, finish, json_option
from stream_app.cli.startup import settings_and_company
from stream_app.cli.watching import Watching
from stream_app.company import Company
from stream_app.intake.connection import connection
from stream_app.metrics.scrape import ScrapeError, fetch_metrics
from stream_app.settings import Settings
from stream_app.verification.audit import Audit, Metrics
from stream_app.verification.committed import CommittedState, connected
from stream_app.verification.compare import shown
from stream_app.verification.evidence import Evidence
from stream_app.verification.pages import Address
from stream_app.verification.report import Report

_encode: Final = msgspec.json.Encoder(decimal_format="number").encode
_DEFAULT_PAGE_SECONDS: Final = 2.0
_MENDED_WITHIN_SECONDS: Final = 10.0


class _AddressType(click.ParamType):
    """`host:port`."""

    name = "host:port"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Address:
        """Return (host, port)."""
        if isinstance(value, tuple):
            return value
        try:
            return parse_address(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.command(
    "verify",
    epilog="Example: stream-app verify --metrics 127.0.0.1:9108 --metrics 127.0.0.1:9109",
)
@config_option
@click.option(
    "--metrics",
    "metrics",
    multiple=True,
    type=_AddressType(),
    help="A worker's metrics; name all workers.  [default: STREAM_APP_METRICS, if it answers]",
)
@click.option(
    "--wait",
    "wait_seconds",
    type=click.FloatRange(0),
    default=30.0,
    show_default=True,
    help="Give the worker so many seconds to catch up while something differs.",
)
@click.option(
    "--limit",
    type=click.IntRange(0),
    default=20,
    show_default=True,
    help="List so many differences.",
)
@json_option
@click.option("--republish", is_flag=True, help="Write what the log says over what differs.")
@click.option("--yes", is_flag=True, help="Republish without asking.")
def command(config_path: Path | None, metrics: tuple[Address, ...], **options: Any) -> None:
    """Recompute every KPI from the log and compare.

    Reads crm.events from its beginning in one plain pass, computes every KPI and every result of
    an experiment with the same formulas and nothing else of the worker's, and compares with
    kpi.values and kpi.experiments, with the counts that the worker has committed, with the dead
    letters and with the metrics. 0 differences, or a list and exit code 1. While a worker is still
    busy it looks again, up to --wait seconds.
    """
    settings, company = settings_and_company(config_path)
    finish(_verify(settings, company, metrics, **options))


async def _verify(
    settings: Settings,
    company: Company,
    addresses: tuple[Address, ...],
    *,
    wait_seconds: float,
    limit: int,
    as_json: bool,
    republish: bool,
    yes: bool,
) -> int:
    console = Console(stderr=True, soft_wrap=True)
    async with AsyncExitStack() as stack:
        kafka = connection(settings)
        evidence = await stack.enter_async_context(await Evidence.open(settings.topics, kafka))
        redis = connected(settings)
        stack.push_async_callback(redis.aclose)
        metrics = _metrics(settings, addresses, console)
        watching = stack.enter_context(Watching(console))
        audit = Audit(
            company=company,
            topics=settings.topics,
            evidence=evidence,
            committed=CommittedState(redis, settings, company),
            partials_partitions=await _partials_partitions(settings, company),
            metrics=metrics,
            told=watching.began,
        )
        report = await audit.run(wait_seconds)
        watching.end()
        if republish and audit.mendable:
            _print(report, limit, as_json=False, console=console)
            if not yes:
                click.confirm(
                    f"Write {audit.mendable:,} records to {settings.topics.values} and "
                    f"{settings.topics.experiments}?",
                    abort=True,
                    err=True,
                )
            await _mend(audit, settings, console)
            report = audit.report()
        _print(report, limit, as_json=as_json, console=Console(soft_wrap=True))
        return FOUND if report.total else FINE


def _metrics(settings: Settings, addresses: tuple[Address, ...], console: Console) -> Metrics:
    """Whose metrics to look at; says so when it is nobody's."""
    if addresses:
        return Metrics(addresses=addresses, all_workers=True)
    default = (settings.metrics_host, settings.metrics_port)
    try:
        text = fetch_metrics(*default, timeout_seconds=_DEFAULT_PAGE_SECONDS)
    except ScrapeError:
        text = ""
    # On a shared machine somebody else's worker may have the usual port.
    if f'topic="{settings.topics.events}"' in text:
        return Metrics(addresses=(default,))
    who = f"worker of {settings.topics.events}"
    console.print(
        f"metrics skipped: no {who} answers at {join_address(*default)} "
        "(name them with --metrics host:port)",
        highlight=False,
        markup=False,
    )
    return Metrics()


async def _partials_partitions(settings: Settings, company: Company) -> int | None:
    from stream_app.runtime import security_of  # noqa: PLC0415 - imports Faust
    from stream_app.transport.topics import partition_counts  # noqa: PLC0415 - as above

    topic = settings.topics.partials(company.state_version)
    counts = await partition_counts(settings.kafka, [topic], security=security_of(settings))
    return counts.get(topic)


async def _mend(audit: Audit, settings: Settings, console: Console) -> None:
    from stream_app.runtime import security_of  # noqa: PLC0415 - imports Faust
    from stream_app.transport.publisher import Publisher  # noqa: PLC0415 - as above

    async with Publisher(settings.kafka, security=security_of(settings)) as publisher:
        written = await audit.mend(publisher)
    console.print(f"{written:,} records written", highlight=False)
    await audit.run(_MENDED_WITHIN_SECONDS)


def _print(report: Report, limit: int, *, as_json: bool, console: Console) -> None:
    if as_json:
        click.echo(msgspec.json.format(_encode(report.document(limit))).decode())
        return
    for warning in report.warnings:
        console.print(f"warning: {warning}", markup=False, highlight=False)
    if report.total and console.is_terminal:
        console.print(_table(report, limit))
    else:
        for _, difference in report.listed(limit):
            console.print(f"  {difference}", markup=False, highlight=False)
    if report.total > limit:
        console.print(f"  … and {report.total - limit:,} more (--limit)", highlight=False)
    for line in report.lines():
        console.print(line, markup=False, highlight=False)


def _table(report: Report, limit: int) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("key", "field", "the log says", "found"):
        table.add_column(name, overflow="fold")
    for _, difference in report.listed(limit):
        found = shown(difference.expected), shown(difference.found)
        table.add_row(*map(Text, (difference.key, difference.field, *found)))  # `[/]` is no markup
    return table


if __name__ == "__main__":  # pragma: no cover
    sys.exit(command())
