"""`stream-app worker`: the Faust worker."""

import logging
import sys
from pathlib import Path
from typing import Any

import click
import faust

from stream_app.cli.startup import settings_and_company
from stream_app.topology import build

_CHATTY = (
    *("faust", "mode", "aiokafka", "aiohttp"),
    # Faust's services log their starting and stopping under the module of their class.
    *("stream_app.topology", "stream_app.transport.consumer", "stream_app.transport.fetching"),
)


@click.command("worker")
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    help="The YAML file of what the business wants (default: STREAM_APP_CONFIG).",
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
)
def command(config_path: Path | None, log_level: str) -> None:
    r"""Run a worker: CRM events in, exact KPIs out.

    It takes its share of the partitions of crm.events and kpi.partials; start more of them for
    more throughput or to take over when one dies. Metrics and health are on STREAM_APP_METRICS.

    \b
    Example:
      STREAM_APP_KAFKA=kafka:9092 STREAM_APP_REDIS=redis://redis:6379/0 \\
        stream-app worker --config company.yaml
    """
    settings, company = settings_and_company(config_path)
    app = build(settings, company)
    worker = faust.Worker(
        app,
        loglevel=log_level,
        redirect_stdouts=False,
        quiet=True,
        logging_config=_logging(log_level),
    )
    try:
        worker.execute_from_commandline()
    except SystemExit as exit_:
        sys.exit(1 if app.fatal_error is not None else exit_.code)


def _logging(level: str) -> dict[str, Any]:
    """One line per event on standard error; Faust and aiokafka only when something is wrong."""
    quiet = {"level": "DEBUG" if level == "debug" else "WARNING"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {"format": "%(asctime)s %(levelname)-8s %(name)s: %(message)s"},
        },
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "line",
                "stream": "ext://sys.stderr",
            },
        },
        "root": {"handlers": ["stderr"], "level": level.upper()},
        "loggers": dict.fromkeys(_CHATTY, quiet),
    }


logging.captureWarnings(capture=True)
