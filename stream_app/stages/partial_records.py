"""What stage one publishes: an outbox name and what is committed under it become records."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import msgspec

from stream_app.domain.placement import partition_of_scope
from stream_app.domain.scopes import COMPANY
from stream_app.stages.ports import OutRecord, State
from stream_app.wire.cloudevent import Reason, Rejection
from stream_app.wire.dead_letter import DeadLetter
from stream_app.wire.partial import (
    CLOCK,
    READY,
    REBUILD,
    Cell,
    Control,
    control_key,
    encode_value,
    partial_key,
)

DEAD_LETTER: Final = b"dead|"
"""What the outbox names of dead letters begin with."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where stage one writes, and how many partitions `kpi.partials` has."""

    partials: str
    dead_letters: str
    partitions: int


class PartialRecords:
    """Records of one source partition."""

    def __init__(self, state: State, outputs: Outputs) -> None:
        self._state = state
        self._outputs = outputs
        self._source = str(state.partition)

    def of(self, name: bytes, payload: bytes, cell: Cell | None, newest_us: int) -> list[OutRecord]:
        """What an outbox entry says; `cell` is what is committed of a cell, None: it has ended."""
        if name.startswith(DEAD_LETTER):
            return [self._dead_letter_record(int(name[len(DEAD_LETTER) :]), payload)]
        if name in (CLOCK.encode(), READY.encode()):
            return self.control(name.decode(), newest_us)
        text = name.decode()
        return [
            OutRecord(
                topic=self._outputs.partials,
                key=partial_key(text, self._source),
                value=None if cell is None else encode_value(cell),
                partition=partition_of_scope(text.rpartition("|")[0], self._outputs.partitions),
            ),
        ]

    def control(self, kind: str, instant_us: int) -> list[OutRecord]:
        """A clock or a source's readiness, for every partition of stage two."""
        return self._to_all(kind, Control(self._state.offset or 0, instant_us))

    def _to_all(self, kind: str, control: Control) -> list[OutRecord]:
        key, value = control_key(kind, self._source), encode_value(control)
        topic = self._outputs.partials
        return [OutRecord(topic, key, value, p) for p in range(self._outputs.partitions)]

    def rebuild(self, until: int) -> list[OutRecord]:
        """The source counts again from the beginning, for every partition of stage two."""
        return self._to_all(REBUILD, Control(until, 0))

    def heard(self, said: Iterable[tuple[bytes, bytes]]) -> list[OutRecord]:
        """When sources were heard last, for whoever evaluates the company."""
        to = partition_of_scope(COMPANY, self._outputs.partitions)
        return [OutRecord(self._outputs.partials, key, value, to) for key, value in said]

    def _dead_letter_record(self, offset: int, payload: bytes) -> OutRecord:
        reason, detail, value = msgspec.msgpack.decode(payload)
        letter = DeadLetter.of(
            Rejection(Reason(reason), detail),
            self._state.topic,
            self._state.partition,
            offset,
            value,
        )
        return OutRecord(
            self._outputs.dead_letters, letter.key, letter.value, headers=letter.headers
        )
