"""Does a worker run at STREAM_APP_METRICS, and what does it say of itself?"""

import re
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException

from stream_app.addresses import join_address
from stream_app.checking.findings import Finding, fine, note
from stream_app.metrics.scrape import ScrapeError, fetch_metrics

_READY, _NOT_READY = 200, 503
_TIMEOUT_SECONDS = 2.0
_TOLD_CHARACTERS_MAX = 300
_CONFIGURATION = re.compile(r'^stream_app_build_info\{.*configuration="([0-9a-f]+)"', re.MULTILINE)


def worker_findings(host: str, port: int, configuration: str | None) -> Iterator[Finding]:
    """Ask its readiness, and by which configuration it publishes.

    Args:
        host: of its metrics.
        port: likewise.
        configuration: the one that is looked at now (`Company.configuration`), if it is right.
    """
    finding, is_ours = _readiness(host, port)
    yield finding
    theirs = _configuration(host, port) if is_ours else None
    if theirs is not None and configuration is not None and theirs != configuration:
        yield note(
            f"the worker at {join_address(host, port)} publishes by another configuration "
            f"({theirs}; this one is {configuration}): KPIs, windows, targets, rates or quotas",
            "name the file that the workers use (--config), or restart all workers with this one: "
            "if they differ among each other, so do their values",
        )


def _configuration(host: str, port: int) -> str | None:
    """What its metrics say; None if they say nothing."""
    try:
        text = fetch_metrics(host, port, timeout_seconds=_TIMEOUT_SECONDS)
    except ScrapeError:
        return None
    found = _CONFIGURATION.search(text)
    return None if found is None else found[1]


def _readiness(host: str, port: int) -> tuple[Finding, bool]:
    """What it says, and whether it is a worker of ours."""
    where = join_address(host, port)
    connection = HTTPConnection(host, port, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/readyz")
        response = connection.getresponse()
        told = " ".join(response.read().decode(errors="replace").split())[:_TOLD_CHARACTERS_MAX]
    except (OSError, HTTPException):
        return note(
            f"no worker answers at {where} (STREAM_APP_METRICS)",
            "start one with `stream-app worker`, if none runs elsewhere",
        ), False
    finally:
        connection.close()
    if response.status == _READY:
        return fine(f"a worker answers at {where}: {told}"), True
    if response.status == _NOT_READY:
        return note(f"the worker at {where} is not ready: {told}", "wait, or read its log"), True
    return note(
        f"{where} answers {response.status}: that is no worker of ours",
        "correct STREAM_APP_METRICS",
    ), False
