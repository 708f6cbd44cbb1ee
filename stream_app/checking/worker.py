"""Does a worker run at STREAM_APP_METRICS, and what does it say of itself?"""

from http.client import HTTPConnection, HTTPException

from stream_app.addresses import join_address
from stream_app.checking.findings import Finding, fine, note

_READY, _NOT_READY = 200, 503
_TIMEOUT_SECONDS = 2.0
_TOLD_CHARACTERS_MAX = 300


def worker_finding(host: str, port: int) -> Finding:
    """Ask its readiness."""
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
        )
    finally:
        connection.close()
    if response.status == _READY:
        return fine(f"a worker answers at {where}: {told}")
    if response.status == _NOT_READY:
        return note(f"the worker at {where} is not ready: {told}", "wait, or read its log")
    return note(
        f"{where} answers {response.status}: that is no worker of ours",
        "correct STREAM_APP_METRICS",
    )
