"""Names that last: keys, event ids, and the order of what is said twice about one instant.

**Importing again changes nothing.** An event's id is made of the row's identity, the event's type
and a hash of its time and data, so the same row gives the same id, time and data: an exact
duplicate, which the fold counts once.

**A corrected row is a correction.** Its hash differs, so it is a new event and never an
`id_conflict`. It says something else about the same instant as the old event, and which of the two
stands must not be left to the order of their hashes. Every event therefore carries a `sequence`
(contract.md, rule 1): later imports sort after earlier ones. Only `deal.created` is the other way
round: a later `deal.created` fills what was left unsaid (rule 3), so the newest comes *first* and
the older one has nothing left to say. What comes of it:

- any value corrected, same dates: the new row holds, and the days it belongs to are restated;
- created earlier than first said: the new row holds; created later: what the first creation said
  stays, its date included;
- lost instead of won or the reverse, on the same day or a later one: the new result holds;
- won earlier: the new day holds, with the amount that was said of the later one; won later: the
  first day stays, with the new amount (a win of a won deal changes attributes only);
- a result withdrawn, a row removed, a cell emptied: nothing is said, so what was said stays;
- a row put back to what it once was is the same event as then, a duplicate: `--revision` gives all
  events of an import new ids.

tests/intake/test_corrections.py folds each of these.
"""

import hashlib
from typing import Any, Final

import msgspec

STEPS_MAX: Final = 100
"""Event rules a mapping may have: two digits of the sequence."""

_GENERATION_LIMIT_MS: Final = 10**13  # the year 2286
_RESULT: Final = 3
_RECORD: Final = 5
_PHASES: Final = {
    "crm.lead.created.v1": 0,
    "crm.lead.updated.v1": 0,
    "crm.lead.deleted.v1": 0,
    "crm.deal.created.v1": 1,
    "crm.deal.updated.v1": 2,
    "crm.deal.stage_changed.v1": _RESULT,
    "crm.deal.reopened.v1": _RESULT,
    "crm.deal.lost.v1": _RESULT,
    "crm.deal.won.v1": _RESULT,
    "crm.deal.deleted.v1": 4,
}
"""The contract's ranks, except that stages and results of one instant go by import, then by the
mapping's order: of a win and a later imported loss on the same day the loss must stand."""

_HASH_HEX_DIGITS: Final = 16


def qualified(source: str, entity: str, entity_id: str) -> str:
    """An entity's id, and the key of its thread: unlike any other CRM's and any other entity's.

    Args:
        source: CloudEvents `source`, like `//crm/sales`.
        entity: its kind, like `deal`.
        entity_id: its id in that source.

    Returns:
        `crm/sales/deal/501`; `%` and `/` of the id are percent-encoded, so that the last two parts
        are always kind and id.
    """
    encoded = entity_id.replace("%", "%25").replace("/", "%2F")
    return f"{source.strip('/')}/{entity}/{encoded}"


def row_identity(parts: list[str | None]) -> str:
    """What identifies a row: its one value as it is, several as a hash of them all."""
    if len(parts) == 1 and parts[0] is not None:
        return parts[0]
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:_HASH_HEX_DIGITS]


def event_id(identity: str, event_type: str, time: str, data: dict[str, Any], revision: str) -> str:
    """The id of an event: the same for the same row content, on every machine and at any time.

    Args:
        identity: the row's.
        event_type: like `crm.deal.won.v1`.
        time: the event's time as it is sent.
        data: the event's data as it is sent.
        revision: makes ids of their own for an import that repeats what once was.
    """
    content = msgspec.json.encode([time, data, revision], order="sorted")
    digest = hashlib.sha256(content).hexdigest()[:_HASH_HEX_DIGITS]
    return f"{identity}/{event_type.removeprefix('crm.').removesuffix('.v1')}/{digest}"


def sequence(event_type: str, generation_ms: int, step: int) -> int:
    """The place of an event among those of its thread and instant.

    Args:
        event_type: like `crm.deal.won.v1`.
        generation_ms: when the import was started, in milliseconds since 1970.
        step: place of the event's rule in the mapping, 0 to 99.

    Returns:
        A number that JSON carries exactly (below 2**53).
    """
    phase = _PHASES.get(event_type, _RECORD)
    if event_type == "crm.deal.created.v1":
        generation_ms = _GENERATION_LIMIT_MS - 1 - generation_ms
    return (phase * _GENERATION_LIMIT_MS + generation_ms) * STEPS_MAX + step
