"""From what was asked for on the command line to `Options`: bulk history, or live."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from stream_app.simulate.options import Options

_BULK_DAYS: Final = 90.0
_LIVE_RATE: Final = 20.0
_HISTORY_DAYS: Final = 30.0
_HISTORY_EVENTS_PER_DAY: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was asked for; None: not said.

    Attributes:
        events: so many events of history; None: live.
        duration_seconds: how long to go on live.
        days: how long the history of `events` is.
        history_days, history_events: what a live run begins with.
        start: where the history begins or, live, where simulated time begins.
        company: the other fields of `Options`, by name.
    """

    events: int | None = None
    duration_seconds: float | None = None
    rate: float | None = None
    speed: float = 1.0
    start: datetime | None = None
    days: float | None = None
    history_days: float | None = None
    history_events: int | None = None
    company: dict[str, Any] = field(default_factory=dict)


def planned(request: Request, now: datetime) -> Options:
    """Return the options of a request made now.

    Raises:
        ValueError: two things were asked for that do not go together, or one is out of range.
    """
    if request.events is None:
        return _live(request, now)
    for name in ("duration_seconds", "history_days", "history_events"):
        if getattr(request, name) is not None:
            option = name.removesuffix("_seconds").replace("_days", "").replace("_", "-")
            raise ValueError(
                f"--{option} is for a live run; leave it out, or leave out --events to run live"
            )
    days = _BULK_DAYS if request.days is None else request.days
    start = request.start or (now - timedelta(days=days)).replace(second=0, microsecond=0)
    return Options(
        start=start, days=days, events=request.events, rate=request.rate or 0.0, **request.company
    )


def _live(request: Request, now: datetime) -> Options:
    if request.days is not None:
        raise ValueError("--days goes with --events; a live run takes --history instead")
    rate = _LIVE_RATE if request.rate is None else request.rate
    begin = request.start or now
    if begin > now:
        raise ValueError(f"--start is {begin}; a live run cannot begin in the future")
    days = _HISTORY_DAYS if request.history_days is None else request.history_days
    events = request.history_events
    if events is None:
        events = int(_HISTORY_EVENTS_PER_DAY * days)
    if days == 0:
        days, events = 1.0, 0
    duration = request.duration_seconds
    return Options(
        start=begin - timedelta(days=days),
        days=days,
        events=events,
        live_events=None if duration is None else max(1, round(duration * rate)),
        rate=rate,
        speed=request.speed,
        now=now,
        **request.company,
    )
