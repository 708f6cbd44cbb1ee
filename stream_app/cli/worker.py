"""`stream-app worker`: the Faust worker."""

import logging
import os
import sys
import traceback
from pathlib import Path
from typing import NoReturn, get_args

import click
import faust

from stream_app.cli.startup import settings_and_company
from stream_app.logs import Level, logging_config
from stream_app.topology import build

_STOPPED = 1


@click.command(
    "worker",
    epilog="Example: STREAM_APP_KAFKA=kafka:9092 STREAM_APP_REDIS=redis://redis:6379/0 "
    "stream-app worker --config company.yaml",
)
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    help="The YAML file of what the business wants (default: STREAM_APP_CONFIG).",
)
@click.option(
    "--log-level",
    type=click.Choice(get_args(Level)),
    default="info",
    show_default=True,
    help="debug also shows what Faust and aiokafka say.",
)
def command(config_path: Path | None, log_level: Level) -> None:
    """Run a worker: CRM events in, exact KPIs out.

    It takes its share of the partitions of crm.events and kpi.partials; start more of them for
    more throughput or to take over when one dies. Metrics and health are on STREAM_APP_METRICS.
    """
    settings, company = settings_and_company(config_path)
    logging.captureWarnings(capture=True)
    app = build(settings, company)
    worker = faust.Worker(
        app,
        loglevel=log_level,
        redirect_stdouts=False,
        quiet=True,
        logging_config=logging_config(log_level),
    )
    try:
        worker.execute_from_commandline()
    except SystemExit as exit_:
        if app.fatal_error is not None:
            # Again, and last: libraries that were stopped in the middle have had their words.
            logging.getLogger(__name__).critical("the worker has stopped: %s", app.fatal_error)
            _leave(_STOPPED)
        if exit_.code:
            # Faust says nothing of what it died of: its loggers are silent.
            traceback.print_exception(exit_.__context__ or exit_)
        _leave(exit_.code if isinstance(exit_.code, int) else _STOPPED)


def _leave(status: int) -> NoReturn:
    """End at once: everything is stopped and closed.

    An interpreter that ends in its own way takes every object of the caches apart first. With a
    year in memory that took over a minute, and a container is killed after ten seconds.
    """
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
