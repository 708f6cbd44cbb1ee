"""stream-app: an event-driven KPI monitor for sales.

The path of one event through the files below (read them in this order):

    simulate/, intake/      events come in: a simulated CRM, history from files
    wire/                   bytes become validated `domain.events.Event`s, or a dead letter
    transport/              Faust delivers the records of one partition as one batch
    agents/measure.py       batch → threads → facts → cells, committed with the offset
    domain/                 the pure core: fold, measures, windows, formulas
    kpis/                   the catalogue: every KPI as an entry of data
    agents/evaluate.py      cells → totals → KPI values, published and shown as gauges
    agents/lookout.py       who may say the values, and what others left standing in the topic
    state/                  Redis: claim, atomic fenced commit, outbox
    metrics/                gauges, metrics about ourselves, health
    topology.py             how the parts above are wired into one Faust app
    cli/                    the commands
    local/                  a real Kafka broker and a real Redis for demo and tests
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import faust

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Build `app` when Faust's own command line asks for it (`faust -A stream_app worker`)."""
    if name == "app":
        return globals().setdefault("app", _build_app())
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _build_app() -> "faust.App":
    from stream_app.topology import app_from_environment  # noqa: PLC0415 - importing stays light

    return app_from_environment()
