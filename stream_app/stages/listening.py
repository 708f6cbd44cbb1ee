"""`silent_sources` in stage two: who owns the company's scope listens to all configured sources.

A source is judged at ticks, by its newest event in any partition. Time in which the clock stood
still (no worker ran) is not its silence: what it said meanwhile may not be counted yet.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from stream_app.domain.alerts import Alert
from stream_app.domain.alerts import State as AlertState
from stream_app.domain.calendar import FIVE_MINUTES_US, BusinessCalendar
from stream_app.domain.scopes import COMPANY
from stream_app.domain.silence import Notice, Quiet, alert_name, listen
from stream_app.domain.workdays import WorkingDays
from stream_app.wire.alert import AlertKey
from stream_app.wire.partial import Heard

LISTENED: Final = "listened"
"""Field of the committed meta: what was heard, and since when is listened."""

CLOCK_STOOD_US: Final = 60_000_000
"""The clock tells the time every second; a worker that dies is replaced much sooner than this."""

_encode = msgspec.json.encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """What is asked of the sources.

    Attributes:
        allowed_us: source → business time that it may be silent.
        by_event: "now" is data (`clock: event`, `as_of`), so that the events' own time counts, and
            not when their records were written.
    """

    allowed_us: Mapping[str, int] = field(default_factory=dict)
    by_event: bool = False


class _Listened(msgspec.Struct, gc=False):
    """What is remembered.

    Attributes:
        since_us: the tick from which on the clock has not stood still.
        tick_us: the last tick.
    """

    since_us: int = 0
    tick_us: int = 0
    heard: dict[str, Heard] = {}


_decode = msgspec.json.Decoder(_Listened).decode


class Listening:
    """The configured sources, as one partition of `kpi.partials` hears them."""

    def __init__(self, plan: Silence, working: WorkingDays, calendar: BusinessCalendar) -> None:
        """Take what is asked; a partition that does not own the company is given nothing."""
        self._plan = plan
        self._working = working
        self._calendar = calendar
        self._now = _Listened()
        self.keys = {
            AlertKey(alert_name(source), "level", COMPANY): source for source in plan.allowed_us
        }

    def restore(self, stored: str) -> None:
        """Go back to what is committed."""
        self._now = _decode(stored or "{}")

    @property
    def stored(self) -> str:
        """What to commit."""
        return _encode(self._now).decode()

    def hear(self, news: Iterable[tuple[str, Heard]]) -> None:
        """Sources were heard; what is not asked for is forgotten."""
        for source, heard in news:
            if source in self._plan.allowed_us:
                self._now.heard[source] = heard.or_later(self._now.heard.get(source))

    def step(
        self, now_us: int, alerts: Mapping[AlertKey, Alert | None]
    ) -> Iterator[tuple[AlertKey, Alert, Notice | None]]:
        """Judge every source at a tick.

        Args:
            now_us: the tick.
            alerts: what is remembered of them.

        Yields:
            What is to be remembered, where that is new, and what is to be told.
        """
        now = self._now
        if not self._plan.by_event and now_us - now.tick_us > CLOCK_STOOD_US:
            now.since_us = now_us
        now.tick_us = now_us
        for key, source in self.keys.items():
            known = alerts.get(key)
            before = known or Alert(since_us=now_us)
            after, notice = listen(source, before, self._quiet(source, before, now_us))
            if after != known:
                yield key, after, notice

    def restated(self, key: AlertKey, alert: Alert, told: AlertState, at_us: int) -> Notice:
        """The change from what somebody told of a source to what is remembered."""
        source = self.keys[key]
        seen = self._quiet(source, alert, at_us)
        return Notice(source=source, state=alert.state, previous=told, since_us=at_us, seen=seen)

    def _quiet(self, source: str, before: Alert, now_us: int) -> Quiet:
        heard = self._now.heard.get(source)
        heard_us = 0
        if heard is not None:
            heard_us = heard.event_us if self._plan.by_event else heard.record_us
        since_us = heard_us or before.since_us
        if before.state != "firing":  # else it goes on until the source is heard
            since_us = max(since_us, self._now.since_us)
        # As of the last full five minutes, like `no_data`.
        until_us = now_us // FIVE_MINUTES_US * FIVE_MINUTES_US
        return Quiet(
            now_us=now_us,
            heard_us=heard_us,
            passed_us=self._working.hours_us(since_us, until_us, self._calendar),
            allowed_us=self._plan.allowed_us[source],
        )
