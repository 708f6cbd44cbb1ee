"""A source of events that says nothing for too long: `silent_sources`, judged at ticks (pure).

ok ─silent for longer than allowed, in business hours─▶ firing ─heard again─▶ resolved
"""

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from stream_app.domain.alerts import Alert, State, alert_id
from stream_app.domain.scopes import COMPANY

SILENT_SOURCES: Final = "silent_sources."
"""What the names of their alerts begin with: the place in the configuration. No target's do."""

_SOURCES_KNOWN: Final = 4_096


@lru_cache(maxsize=_SOURCES_KNOWN)
def speaks_for(name: str, source: str) -> bool:
    """Whether events of a CloudEvents source are a configured source's.

    They are if its name stands in the source as a word of its own, whatever its case: `hubspot` in
    `//hubspot/4711` and `https://api.hubspot.com`, and not in `//hubspot-eu/1`.
    """
    word = rf"(?<![\w-]){re.escape(name)}(?![\w-])"
    return re.search(word, source, re.IGNORECASE) is not None


def alert_name(source: str) -> str:
    """What stands where a target's name does."""
    return SILENT_SOURCES + source


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """What can be said of one source at one tick.

    Attributes:
        now_us: the tick.
        heard_us: when something came last; 0: nothing ever did.
        passed_us: business time since then.
        allowed_us: how much of it there may be.
    """

    now_us: int
    heard_us: int
    passed_us: int
    allowed_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One change of a source's alert, as `kpi.alerts` tells it."""

    source: str
    state: State
    previous: State
    since_us: int
    seen: Quiet

    @property
    def reason(self) -> str:
        """Why."""
        return "silent_source" if self.state == "firing" else "recovered"

    @property
    def id(self) -> str:
        """The same for the same change, after whatever crash."""
        name = alert_name(self.source)
        return alert_id(name, "level", COMPANY, "", self.state, self.since_us)


def listen(source: str, before: Alert, seen: Quiet) -> tuple[Alert, Notice | None]:
    """A source's alert at the next tick.

    Who was silent and was never heard stays so, since there is nothing to measure its silence by.

    Args:
        source: its configured name.
        before: what was remembered; of a new one, that it is listened to since a tick.
        seen: what there is now.
    """
    was_silent = before.state == "firing"
    is_silent = seen.passed_us > seen.allowed_us or (was_silent and not seen.heard_us)
    if is_silent == was_silent:
        return before, None
    # Time may stand still (`as_of`): a change must not look like an earlier one.
    at_us = max(seen.now_us, before.since_us + 1) if before.told else seen.now_us
    state: State = "firing" if is_silent else "resolved"
    notice = Notice(source=source, state=state, previous=before.state, since_us=at_us, seen=seen)
    return replace(before, state=state, since_us=at_us, told=True), notice
