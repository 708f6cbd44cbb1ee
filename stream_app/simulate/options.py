"""What is simulated, as one frozen value: the same options give the same bytes."""

import re
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2s
from typing import Any, Final, Self

import msgspec

from stream_app.domain.currencies import ACTIVE_EXPONENTS

_COMPANY: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_MAX_DAYS: Final = 3_600.0  # below the contract's retention, so no good event can be `too_old`
_YEARS: Final = range(2000, 2100)
_MAX_REPS: Final = 10_000
_MAX_PIPELINES: Final = 3
_MAX_SHARE: Final = 0.5
_SHARES: Final = ("duplicates", "disorder", "corrections", "bad")
_FAULTS: Final = ("duplicates", "disorder", "bad", "with_too_large")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """A past of `events` events over `days` from `start`, then `live_events` from its end on.

    `events` and `live_events` count distinct accepted CRM events. Duplicates, bad and ignored
    records come on top, so the accepted events of two runs that differ only in `duplicates`,
    `disorder`, `bad` and `with_too_large` are the same, and so must be their KPIs.

    Attributes:
        start: the first instant of the past, with a UTC offset, in the years 2000 to 2099.
        seed: chooses the company and everything that happens to it.
        company: the CRM's name in `source`, ids and keys (`//simulate/acme`).
        events: how many events the past has; 0: none.
        days: how long the past is, more than 0, at most 3,600.
        live_events: how many events follow the past; None: endless.
        rate: events per real second. Paces the live part or, without one, the past (0: at once).
        speed: simulated seconds per real second in the live part.
        now: the real instant at which sending begins; simulated time never passes it by more than
            the real time since. Default: the end of the past.
        reps: number of sales reps, `r-01` …
        teams: number of teams, at most `reps`.
        currencies: ISO 4217 codes; the first is taken to be the business currency.
        pipelines: 1 to 3 of the pipelines in `company.PIPELINES`.
        lines: some deals carry lines per product line.
        measures: names of measures recorded by `crm.measure.recorded.v1`; the worker's
            configuration must declare them.
        cycle_days: median sales cycle of a won deal; default 21, less where the past is short.
        duplicates: exact repeats, as a share of the events.
        disorder: share of the events that arrive after events with later times.
        corrections: share of the events that reach back and change what was said.
        bad: bad and ignored records, as a share of the events.
        with_too_large: bad input includes records over 1 MiB.

    Raises:
        ValueError: an option is out of its range; the message says which, and the range.
    """

    start: datetime
    seed: int = 1
    company: str = "acme"
    events: int = 0
    days: float = 90.0
    live_events: int | None = 0
    rate: float = 0.0
    speed: float = 1.0
    now: datetime | None = None
    reps: int = 12
    teams: int = 3
    currencies: tuple[str, ...] = ("EUR",)
    pipelines: int = 1
    lines: bool = True
    measures: tuple[str, ...] = ()
    cycle_days: float | None = None
    duplicates: float = 0.0
    disorder: float = 0.0
    corrections: float = 0.0
    bad: float = 0.0
    with_too_large: bool = False

    def __post_init__(self) -> None:
        for name in ("start", "now"):
            instant = getattr(self, name)
            if instant is not None and instant.utcoffset() is None:
                raise ValueError(f"{name} has no UTC offset: write it like 2026-01-05T08:00:00Z")
        is_word = _COMPANY.fullmatch(self.company) is not None
        _check("company", is_word, "1 to 64 letters, digits, '.', '_', '-'", repr(self.company))
        _check("start", self.start.year in _YEARS, "in the years 2000 to 2099", self.start)
        _check("days", 0 < self.days <= _MAX_DAYS, "more than 0, at most 3600", self.days)
        _check("events", self.events >= 0, "0 or more", self.events)
        _check("live_events", (self.live_events or 0) >= 0, "0 or more", self.live_events)
        _check("rate", self.rate >= 0, "0 or more", self.rate)
        _check("speed", self.speed > 0, "more than 0", self.speed)
        _check("reps", 1 <= self.reps <= _MAX_REPS, f"1 to {_MAX_REPS}", self.reps)
        _check("teams", 1 <= self.teams <= self.reps, f"1 to reps ({self.reps})", self.teams)
        known = 1 <= self.pipelines <= _MAX_PIPELINES
        _check("pipelines", known, f"1 to {_MAX_PIPELINES}", self.pipelines)
        for name in _SHARES:
            share = getattr(self, name)
            _check(name, 0 <= share <= _MAX_SHARE, f"a share from 0 to {_MAX_SHARE}", share)
        if self.cycle_days is not None:
            _check("cycle_days", self.cycle_days > 0, "more than 0", self.cycle_days)
        for code in self.currencies or ("",):
            _check("currencies", code in ACTIVE_EXPONENTS, "ISO 4217 codes such as EUR", code)
        if self.live_events != 0:
            _check("rate", self.rate > 0, "more than 0 in the live part", self.rate)
            if self.now is not None:
                _check(
                    "now", self.now >= self.end, f"not before the past's end {self.end}", self.now
                )

    @classmethod
    def live(
        cls,
        now: datetime,
        *,
        history_days: float = 30.0,
        history_events: int = 30_000,
        **others: Any,
    ) -> Self:
        """Options for a wall: weeks of history up to `now`, then real time, without an end.

        `others` are further options by name; `rate` defaults to 20 events per second.
        """
        options = cls(
            start=now - timedelta(days=history_days), days=history_days, rate=20.0, live_events=None
        )
        return replace(options, events=history_events, **others)

    @property
    def end(self) -> datetime:
        """Where the past ends and the live part begins."""
        return self.start + timedelta(days=self.days)

    @property
    def source(self) -> str:
        """The CloudEvents `source` of the CRM."""
        return f"//simulate/{self.company}"

    @property
    def run(self) -> str:
        """Six hex digits in every id, from all that decides the accepted events.

        Two different runs into one topic thus never claim the same id, and the same run sent
        twice is nothing but duplicates.
        """
        said = asdict(self)
        for name in (*_FAULTS, "live_events"):
            del said[name]
        if self.live_events == 0:
            for name in ("rate", "speed", "now"):
                del said[name]
        return blake2s(msgspec.json.encode(said), digest_size=3).hexdigest()


def _check(name: str, holds: bool, expected: str, said: object) -> None:  # noqa: FBT001 - private
    if not holds:
        raise ValueError(f"{name} is {said}; expected {expected}")
