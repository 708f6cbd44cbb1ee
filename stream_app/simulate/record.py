"""One Kafka record of the simulation, and what the contract says becomes of it."""

import msgspec

APPLIED = "applied"
DUPLICATE = "duplicate"
IGNORED = "ignored"


class SimRecord(msgspec.Struct, frozen=True):
    """A record, ready to be sent to `crm.events`.

    Attributes:
        key: the Kafka key; None only where a missing key is the planted fault.
        value: the bytes; None only where a null value is the planted fault (then there is a key).
        timestamp_ms: the record's own timestamp, milliseconds since 1970-01-01T00:00:00Z.
        due_seconds: when to send it, in real seconds since sending began; 0.0 is "at once".
        expected: what a worker must make of it: `applied`, `duplicate`, `ignored`, or the reason of
            its dead letter (contract.md, section 3, rule 9). For tests; it is not sent.
    """

    key: bytes | None
    value: bytes | None
    timestamp_ms: int
    due_seconds: float = 0.0
    expected: str = APPLIED
