"""Transitions of alerts that are committed and not yet acknowledged, each with its whole record.

Whoever dies, or fails, between sending and acknowledging does not know what the topic has. Then the
topic itself is asked, so that nothing is said twice.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from stream_app.stages.ports import OutRecord, State
from stream_app.wire.alert import AlertKey, decode_alert

OUTBOX: Final = b"alert|"
"""What the names of its entries begin with; a number follows, in the order of the transitions."""

AlertLog = Callable[[], Awaitable[Sequence[tuple[bytes, bytes | None]]]]
"""Reads `kpi.alerts` from its beginning: (key, value) of every record that is there."""

Saying = tuple[bytes, bytes | None]
"""Key and value of a record; None takes back what stands."""


class _Entry(NamedTuple):
    name: bytes
    version: int
    key: bytes
    value: bytes | None


def entries(made: Iterable[Saying], first: int, version: int) -> dict[bytes, bytes]:
    """Outbox entries of transitions, numbered from `first`."""
    return {
        OUTBOX + b"%020d" % number: b"%d:" % version + msgspec.msgpack.encode(saying)
        for number, saying in enumerate(made, first)
    }


class AlertOutbox:
    """The part of one partition's outbox that holds transitions."""

    def __init__(self, state: State, topic: str, log: AlertLog) -> None:
        self._state = state
        self._topic = topic
        self._log = log
        self._sent: set[bytes] = set()
        self._is_in_doubt = False
        self._comparisons_asked = self._comparisons_begun = self._comparisons_said = 0

    @property
    def is_due(self) -> bool:
        """Whether there is something to send, or to find out."""
        return self.is_waiting or self.must_compare

    @property
    def must_compare(self) -> bool:
        """Whether what stands in the topic may not be what is remembered."""
        return self._comparisons_asked > self._comparisons_said

    def compare(self) -> None:
        """Others may have had a word: what stands is to be compared before the next sending."""
        self._comparisons_asked += 1

    def begin_comparison(self) -> None:
        """The topic is about to be read; it is over when what was found has been sent."""
        self._comparisons_begun = self._comparisons_asked

    def unsent(self) -> dict[AlertKey, list[bytes | None]]:
        """What waits to be sent, by alert, in its order."""
        unsent: dict[AlertKey, list[bytes | None]] = {}
        for entry in self._entries():
            key = AlertKey.parse(entry.key)
            if key is not None and entry.name not in self._sent:
                unsent.setdefault(key, []).append(entry.value)
        return unsent

    def leave_out(self, key: AlertKey) -> None:
        """What waits of this alert is not to be sent any more."""
        name = key.encoded()
        self._sent.update(entry.name for entry in self._entries() if entry.key == name)

    @property
    def is_waiting(self) -> bool:
        """Whether it holds anything."""
        return any(name.startswith(OUTBOX) for name in self._state.outbox)

    async def read_log(self) -> Mapping[AlertKey, bytes]:
        """The last record of every alert; what the outbox holds of the records was sent.

        Raises:
            BrokerUnavailable: try again.
        """
        last: dict[AlertKey, bytes] = {}
        ids: set[str] = set()
        for raw_key, value in await self._log():
            key = AlertKey.parse(raw_key)
            if key is None:
                continue
            if value is None:
                last.pop(key, None)
            else:
                last[key] = value
                ids.add(decode_alert(value).id)
        there: set[bytes] = set()
        for entry in reversed(self._entries()):
            # Records of one key keep their order: what comes before one that is there is, too.
            is_there = entry.value is not None and decode_alert(entry.value).id in ids
            if is_there or entry.key in there:
                there.add(entry.key)
                self._sent.add(entry.name)
        self._is_in_doubt = False
        return last

    async def records(self) -> tuple[list[OutRecord], dict[bytes, int]]:
        """What to send, in its order, and what to acknowledge then.

        Raises:
            BrokerUnavailable: it cannot be found out what a failed attempt has sent.
        """
        if self._is_in_doubt:
            await self.read_log()
        found = self._entries()
        records = [
            OutRecord(self._topic, entry.key, entry.value)
            for entry in found
            if entry.name not in self._sent
        ]
        return records, {entry.name: entry.version for entry in found}

    def sent(self, names: Iterable[bytes]) -> None:
        """The broker has these; whatever becomes of their acknowledgement, they stay said."""
        self._sent = {name for name in names if name.startswith(OUTBOX)}
        self._comparisons_said = self._comparisons_begun

    def doubt(self) -> None:
        """It is not known how much of them the broker has."""
        self._is_in_doubt = self.is_waiting

    def _entries(self) -> list[_Entry]:
        found = []
        for name in sorted(name for name in self._state.outbox if name.startswith(OUTBOX)):
            version, _, payload = self._state.outbox[name].partition(b":")
            key, value = msgspec.msgpack.decode(payload)
            found.append(_Entry(name, int(version), key, value))
        return found
