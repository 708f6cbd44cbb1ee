"""Which alert is asked about, since when something is wrong, and until when (pure)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from stream_app.config.nearest import hint
from stream_app.explaining.question import WrongQuestion
from stream_app.wire.alert import AlertKey
from stream_app.wire.timestamps import instant_us

_WRONG: Final = ("pending", "firing")


class Told(msgspec.Struct, frozen=True):
    """A record of `kpi.alerts`, as far as it is needed here."""

    id: str
    target: str
    kpi: str | None
    window: str | None
    start: str | None
    dimension: str
    member: str
    state: str
    previous: str
    reason: str
    value: float | None
    threshold: float | None
    since: str

    @property
    def since_us(self) -> int:
        """The tick at which the state began."""
        return instant_us(self.since) or 0


decode_told: Final = msgspec.json.Decoder(Told).decode
Log = Mapping[AlertKey, Sequence[Told]]
"""The records of every alert, in their order."""


@dataclass(frozen=True, slots=True)
class Episode:
    """From the tick at which something became wrong to the one at which that ended.

    Attributes:
        told: the record that was asked about, or the last one.
        until_us: None: it goes on.
    """

    told: Told
    since_us: int
    until_us: int | None


def records_of(records: Iterable[tuple[bytes | None, bytes | None]]) -> Log:
    """What the topic has, by alert."""
    found: dict[AlertKey, list[Told]] = {}
    for raw_key, value in records:
        key = None if raw_key is None else AlertKey.parse(raw_key)
        if key is not None and value is not None:
            found.setdefault(key, []).append(decode_told(value))
    return found


def episode(log: Log, name: str, member: str | None, for_us: Mapping[str, int]) -> Episode:
    """The newest episode of a target and member, or the one that a record belongs to.

    Args:
        log: `kpi.alerts`.
        name: a record's id, or a target.
        member: of the target; None: the only one that has an alert.
        for_us: target → how long it is pending, where the record of that is gone.

    Raises:
        WrongQuestion: there is no such alert, or it is about nothing that could be explained.
    """
    for records in log.values():
        for place, each in enumerate(records):
            if each.id == name:
                return _around(records, place, for_us)
    records = log[_key_of(log, name, member)]
    return _around(records, len(records) - 1, for_us)


def _key_of(log: Log, name: str, member: str | None) -> AlertKey:
    ours = [key for key in log if key.target == name]
    if not ours:
        known = sorted({key.target for key in log})
        raise WrongQuestion(f"no alert has the id or the target {name!r}{hint(name, known)}")
    members = {log[key][-1].member: key for key in sorted(ours, key=lambda key: key.kind)}
    # of both kinds of one member the level: it sorts last
    if member is None and len(members) > 1:
        wrong = [each for each, key in members.items() if log[key][-1].state in _WRONG]
        if len(wrong) != 1:
            raise WrongQuestion(
                f"which member of {name}? write one of {', '.join(sorted(wrong or members))}"
            )
        member = wrong[0]
    chosen = next(iter(members)) if member is None else member
    if chosen not in members:
        raise WrongQuestion(f"{name} has no alert about {chosen!r}{hint(chosen, members)}")
    return members[chosen]


def _around(records: Sequence[Told], place: int, for_us: Mapping[str, int]) -> Episode:
    told = records[place]
    if told.kpi is None:
        raise WrongQuestion(f"{told.target} is about a source of events: it has no KPI to explain")
    if told.state == "achieved":
        raise WrongQuestion(f"{told.target} of {told.member} was achieved: nothing is wrong")
    first = place
    if told.state not in _WRONG:
        first -= 1
        if first < 0 or records[first].state not in _WRONG:
            raise WrongQuestion(
                f"what was wrong with {told.target} of {told.member} is not in the topic any more"
            )
    after = first + 1
    while first and records[first - 1].state in _WRONG:
        first -= 1
    while after < len(records) and records[after].state in _WRONG:
        after += 1
    began = records[first]
    since_us = began.since_us
    if began.state == "firing" and began.previous == "pending":
        since_us -= for_us.get(told.target, 0)
    until_us = records[after].since_us if after < len(records) else None
    return Episode(told, since_us, until_us)
