"""What the reading commands share: options, and errors as exit codes."""

import asyncio
import logging
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final

import click

from stream_app.state.errors import StoreUnavailable
from stream_app.transport.errors import BrokerUnavailable, PublishRejected
from stream_app.transport.reading import NoSuchTopic

FINE: Final = 0
FOUND: Final = 1
_INTERRUPTED: Final = 130

config_option: Final = click.option(
    "--config",
    "config_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The YAML file of what the business wants (default: STREAM_APP_CONFIG).",
)
json_option: Final = click.option("--json", "as_json", is_flag=True, help="One JSON document.")


def finish(work: Coroutine[Any, Any, int]) -> None:
    """Run the command and end the program with its exit code.

    What is not there (a broker, a topic, a Redis) is told in one line, without a traceback.
    """
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # we say ourselves what is missing
    try:
        code = asyncio.run(_interruptible(work))
    except (BrokerUnavailable, PublishRejected, NoSuchTopic, StoreUnavailable) as error:
        click.echo(str(error), err=True)
        code = FOUND
    except KeyboardInterrupt:
        code = _INTERRUPTED
    sys.exit(code)


async def _interruptible(work: Coroutine[Any, Any, int]) -> int:
    """Do the work; Ctrl-C and SIGTERM end it at once, also in the midst of computing.

    asyncio's own answer to Ctrl-C waits until the loop has its turn, which can take a minute here.
    """
    numbers = [signal.SIGTERM]
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        numbers.append(signal.SIGINT)
    before = {number: signal.signal(number, signal.default_int_handler) for number in numbers}
    try:
        return await work
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
