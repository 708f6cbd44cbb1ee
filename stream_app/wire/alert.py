"""`kpi.alerts`: every change of an alert's state (contract.md, section 5)."""

import shlex
from typing import Any, Final

import msgspec

from stream_app.domain.alerts import Alert, Kind, State, Transition
from stream_app.domain.calendar import rfc3339_utc
from stream_app.domain.formula import Number
from stream_app.domain.scopes import decode, encode, split_scope
from stream_app.domain.silence import Notice, alert_name
from stream_app.wire.timestamps import instant_us

VERSION: Final = 1
_DATE_CHARACTERS: Final = 10
_SECOND_US: Final = 1_000_000
_encode: Final = msgspec.json.Encoder(decimal_format="number").encode
_decoder: Final = msgspec.json.Decoder(dict[str, Any])


class AlertKey(msgspec.Struct, frozen=True, gc=False):
    """Whose alert it is; `scope` is `dimension|member` as in all keys."""

    target: str
    kind: Kind
    scope: str

    def encoded(self) -> bytes:
        """The record's key, `target|kind|dimension|member`."""
        return f"{encode(self.target)}|{self.kind}|{self.scope}".encode()

    @classmethod
    def parse(cls, key: bytes) -> "AlertKey | None":
        """The inverse of `encoded`; None for what is no such key."""
        target, _, rest = key.decode(errors="replace").partition("|")
        kind, _, scope = rest.partition("|")
        if kind not in ("level", "coaching") or scope.count("|") != 1:
            return None
        return cls(decode(target), kind, scope)  # type: ignore[arg-type] # one of the two


class Recorded(msgspec.Struct, frozen=True, gc=False):
    """What somebody needs of a record who did not write it."""

    id: str
    state: State
    start: str | None
    since: str
    reason: str = ""
    previous: State = "ok"

    @property
    def since_us(self) -> int:
        """When the state began; 0: nobody knows."""
        return instant_us(self.since) or 0


_recorded: Final = msgspec.json.Decoder(Recorded)


def encode_alert(change: Transition) -> bytes:
    """The record's JSON."""
    dimension, member = split_scope(change.scope)
    standing, target = change.standing, change.goal.target
    numbers: tuple[Number | None, ...] = (None, None, None, None)
    if standing is not None:
        sample = standing.sample
        numbers = (standing.value, standing.threshold, standing.expected, sample)
    value, threshold, expected, sample = numbers
    return _encode(
        {
            "v": VERSION,
            "id": change.id,
            "target": target.name,
            "kind": change.kind,
            "kpi": target.kpi,
            "window": target.window,
            "start": change.start,
            "dimension": dimension,
            "member": member,
            "state": change.state,
            "previous": change.previous,
            "reason": change.reason,
            "value": value,
            "threshold": threshold,
            "expected_by_now": expected,
            "since": rfc3339_utc(change.since_us),
            "severity": target.severity,
            "sample": sample,
            "explain": _explain(change, dimension, member),
        }
    )


def encode_notice(notice: Notice) -> bytes:
    """The record's JSON, of a source that is silent or is heard again: it has no KPI.

    `value` and `threshold` are seconds in business hours: of silence, and how much is allowed.
    """
    seen = notice.seen
    return _encode(
        {
            "v": VERSION,
            "id": notice.id,
            "target": alert_name(notice.source),
            "kind": "level",
            "kpi": None,
            "window": None,
            "start": None,
            "dimension": "company",
            "member": "all",
            "state": notice.state,
            "previous": notice.previous,
            "reason": notice.reason,
            "value": seen.passed_us // _SECOND_US,
            "threshold": seen.allowed_us // _SECOND_US,
            "expected_by_now": None,
            "since": rfc3339_utc(notice.since_us),
            "severity": "warning",
            "sample": None,
            "explain": None,
            "source": notice.source,
            "heard": rfc3339_utc(seen.heard_us) if seen.heard_us else None,
        }
    )


def _explain(change: Transition, dimension: str, member: str) -> str:
    """The command that says why, fit for a shell: members are whatever a CRM calls them.

    Of what is wrong, or was: what moved the value; of good news all that makes it up; of whom to
    coach the report.
    """
    target = change.goal.target
    if change.kind == "coaching":
        words = ["stream-app", "report", "--window", target.window]
        if dimension != "company":
            words += ["--dimension", dimension, "--member", member]
        words += ["--coaching"] if dimension == "rep" else []
    elif change.state == "achieved" or change.previous == "achieved":
        words = ["stream-app", "explain", target.kpi, "--window", target.window]
        if not change.goal.moves:
            words += ["--start", change.start[:_DATE_CHARACTERS]]
        if dimension != "company":
            words += ["--dimension", dimension, "--member", member]
    else:
        words = ["stream-app", "explain", "--alert", target.name]
        if dimension != "company":
            words += ["--member", member]
    return shlex.join(words)


def decode_alert(value: bytes) -> Recorded:
    """A record's value; unknown fields are ignored.

    Raises:
        msgspec.DecodeError: it is none.
    """
    return _recorded.decode(value)


def alert_of(record: Recorded, *, moves: bool) -> Alert | None:
    """What is remembered of an alert of which only its last record is left.

    Args:
        record: that record.
        moves: its window has no start of its own.
    """
    if not record.since_us:
        return None
    about = "now" if moves or record.start is None else record.start
    return Alert(
        state=record.state,
        since_us=record.since_us,
        window=about,
        about=about,
        achieved=about if record.state == "achieved" else "",
        told=True,
        reason=record.reason if record.state in ("pending", "firing", "achieved") else "",
    )


def ended(value: bytes, *, new_id: str, at_us: int) -> bytes | None:
    """The record that ends an alert whose target is gone; None: it has ended already."""
    record = _decoder.decode(value)
    state = {"firing": "resolved", "pending": "ok"}.get(record.get("state", ""))
    if state is None:
        return None
    record |= {
        "id": new_id,
        "state": state,
        "previous": record["state"],
        "reason": "recovered",
        "since": rfc3339_utc(at_us),
    }
    return _encode(record)
