"""What the worker logs: one line per event, ours; libraries only on demand.

aiokafka and Faust repeat every failure of every attempt, often with a traceback. Whatever they
know that an operator must know is said by us, once: who is away and since when, and why a worker
stops.
"""

import logging
from typing import Any, Final, Literal

Level = Literal["debug", "info", "warning", "error"]

LIBRARIES: Final = ("faust", "mode", "aiokafka", "aiohttp", "kafka")
_AS_SERVICES: Final = (
    # Faust's services log their starting and stopping under the module of their class.
    *("stream_app.faust_app", "stream_app.state.store", "stream_app.state.tables"),
    *("stream_app.transport.transport", "stream_app.transport.consumer"),
    "stream_app.transport.fetching",
)


def logging_config(level: Level = "info") -> dict[str, Any]:
    """For `logging.config.dictConfig`: lines on standard error."""
    silent = level if level == "debug" else logging.CRITICAL + 1
    fewer = level if level == "debug" else "warning"
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
        "loggers": {
            **{name: {"level": _named(silent)} for name in LIBRARIES},
            **{name: {"level": _named(fewer)} for name in _AS_SERVICES},
        },
    }


def _named(level: str | int) -> str | int:
    return level.upper() if isinstance(level, str) else level
