"""Plants bad input: every reason in turn, every way of each reason in turn."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import cycle
from random import Random
from typing import Any, Final

import msgspec

from stream_app.simulate.bad_values import BAD_WAYS, IGNORED_WAYS, TOO_LARGE_WAYS, Spoil
from stream_app.simulate.options import Options
from stream_app.simulate.record import IGNORED, SimRecord
from stream_app.simulate.spelling import time_text

_AMONG_OTHERS: Final = 0.5  # of the bad records carry the key of something good
_CONFLICT: Final = "id_conflict"
_CONFLICTS: Final = ("other_data", "unknown_field", "other_time", "other_type")
_OTHER_TYPE: Final = {
    "crm.lead.created.v1": "crm.lead.updated.v1",
    "crm.lead.updated.v1": "crm.lead.deleted.v1",
    "crm.lead.deleted.v1": "crm.lead.created.v1",
    "crm.deal.created.v1": "crm.deal.won.v1",
    "crm.deal.updated.v1": "crm.deal.lost.v1",
    "crm.deal.stage_changed.v1": "crm.deal.updated.v1",
    "crm.deal.won.v1": "crm.deal.lost.v1",
    "crm.deal.lost.v1": "crm.deal.won.v1",
    "crm.deal.reopened.v1": "crm.deal.deleted.v1",
    "crm.deal.deleted.v1": "crm.deal.reopened.v1",
    "crm.customer.activated.v1": "crm.customer.churned.v1",
    "crm.customer.churned.v1": "crm.customer.activated.v1",
}


class BadInput:
    """Makes bad records, one after the other.

    Args:
        rng: chooses keys and shifts; not what comes next, which goes round.
        options: names the run, and whether records over 1 MiB are wanted.
    """

    def __init__(self, rng: Random, options: Options) -> None:
        self._rng = rng
        self._options = options
        self._planted = 0
        reasons = [*BAD_WAYS, IGNORED, _CONFLICT]
        if options.with_too_large:
            reasons.append("too_large")
        rng.shuffle(reasons)
        self._reasons = cycle(reasons)
        ways = {**BAD_WAYS, IGNORED: IGNORED_WAYS, "too_large": TOO_LARGE_WAYS}
        self._ways: dict[str, Iterator[tuple[str, Spoil]]] = {
            reason: cycle(named.items()) for reason, named in ways.items()
        }
        self._conflicts = cycle(_CONFLICTS)

    def plant(self, at_ms: int, earlier: SimRecord) -> tuple[str, SimRecord]:
        """Return the next bad record's `reason/variant` and the record.

        Args:
            at_ms: the record's timestamp.
            earlier: an accepted record delivered before; conflicts are with it, and half of the
                others carry its key.
        """
        reason = next(self._reasons)
        self._planted += 1
        if reason == _CONFLICT:
            variant, value = self._conflict(earlier)
            return f"{reason}/{variant}", SimRecord(earlier.key, value, at_ms, 0.0, reason)
        variant, spoil = next(self._ways[reason])
        event = self._deal(at_ms)
        key = earlier.key
        if self._rng.random() > _AMONG_OTHERS:
            key = event["data"]["deal_id"].encode()
        if reason == "missing_key":
            key = None
        record = SimRecord(key, spoil(event, at_ms, self._rng), at_ms, 0.0, reason)
        return f"{reason}/{variant}", record

    def _deal(self, at_ms: int) -> dict[str, Any]:
        """Return a valid event, of a deal that nobody else talks about."""
        name = f"{self._options.run}-bad-{self._planted}"
        return {
            "id": name,
            "source": self._options.source,
            "type": "crm.deal.created.v1",
            "time": time_text(at_ms),
            "specversion": "1.0",
            "data": {
                "deal_id": f"{self._options.company}:deal:{name}",
                "rep": "r-01",
                "amount": "100.00",
            },
        }

    def _conflict(self, earlier: SimRecord) -> tuple[str, bytes]:
        """Return an event with the id of the earlier one that says something else."""
        event: dict[str, Any] = msgspec.json.decode(earlier.value or b"")
        variant = next(self._conflicts)
        if variant == "other_type" and event["type"] not in _OTHER_TYPE:
            variant = "unknown_field"
        if variant == "other_time":
            before = datetime.fromisoformat(event["time"]) - timedelta(seconds=1)
            event["time"] = before.isoformat(timespec="milliseconds")
        elif variant == "other_type":
            event["type"] = _OTHER_TYPE[event["type"]]
        elif variant == "other_data":
            event["data"]["region"] = f"elsewhere-{self._planted}"
        else:
            event["data"]["sim_note"] = self._planted
        return variant, msgspec.json.encode(event)
