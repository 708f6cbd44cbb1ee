"""What is remembered of the alerts of one partition, and what of it the next commit takes along.

Changes are kept apart until they are in the state: a batch that fails has made none.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec

from stream_app.domain.alerts import Alert
from stream_app.stages.alert_outbox import AlertOutbox, Saying, entries
from stream_app.stages.ports import State
from stream_app.wire.alert import AlertKey

ALERTS: Final = "alerts"
"""`target|kind|dimension|member` → what is remembered of the alert."""

NUMBER: Final = "alert_number"
"""Field of the committed meta: how many transitions were ever made."""

_decode: Final = msgspec.json.Decoder(Alert).decode
_encode: Final = msgspec.json.encode


class AlertMemory:
    """The alerts of one partition: as committed, and as they will be after the next commit.

    Attributes:
        gone: alerts that nothing asks for any more → their last record; None: there is none.
    """

    def __init__(self, state: State, outbox: AlertOutbox) -> None:
        self._state = state
        self._outbox = outbox
        self._committed: dict[AlertKey, Alert] = {}
        self.gone: dict[AlertKey, bytes | None] = {}
        self.reset()

    def reset(self) -> None:
        """Nothing was changed since the last commit that counts."""
        self._number = int(self._state.meta.get(NUMBER, 0))
        self._changed: dict[AlertKey, Alert | None] = {}
        self._made: list[Saying] = []
        self._is_gone_told = False

    async def begin(
        self,
        is_asked: Callable[[AlertKey], bool],
        is_ours: Callable[[AlertKey], bool],
        continued: Callable[[AlertKey, bytes], Alert | None],
    ) -> None:
        """Remember what was committed; without a state, what `kpi.alerts` says last.

        Args:
            is_asked: whether the configuration still asks for an alert.
            is_ours: whether it is one of this partition.
            continued: what is remembered of an alert by its last record alone; None: nothing.

        Raises:
            BrokerUnavailable: try again.
        """
        self._committed.clear()
        self.gone.clear()
        self.reset()
        async for name, row in self._state.scan(ALERTS):
            key = AlertKey.parse(name)
            if key is not None:
                self._committed[key] = _decode(row)
        self.gone = {key: None for key in self._committed if not is_asked(key)}
        is_new = NUMBER not in self._state.meta
        if not (is_new or self.gone or self._outbox.is_waiting):
            return
        last = await self._outbox.read_log()
        self.gone = {key: last.get(key) for key in self.gone}
        if not is_new:
            return
        for key, value in last.items():
            if not is_ours(key):
                continue
            if not is_asked(key):
                self.gone[key] = value
            elif (alert := continued(key, value)) is not None:
                self._committed[key] = self._changed[key] = alert

    # -- during a batch --------------------------------------------------------------------------

    def __getitem__(self, key: AlertKey) -> Alert | None:
        return self._changed[key] if key in self._changed else self._committed.get(key)

    def __setitem__(self, key: AlertKey, alert: Alert | None) -> None:
        self._changed[key] = alert

    def __iter__(self) -> Iterator[tuple[AlertKey, Alert]]:
        for key, alert in self._committed.items():
            if key not in self._changed:
                yield key, alert
        for key, changed in self._changed.items():
            if changed is not None:
                yield key, changed

    def say(self, key: AlertKey, value: bytes | None) -> None:
        """Tell `kpi.alerts`; None takes back what stands."""
        self._made.append((key.encoded(), value))

    def take_gone(self) -> list[tuple[AlertKey, bytes | None]]:
        """The alerts that nothing asks for, once in each attempt to end them."""
        if self._is_gone_told:
            return []
        self._is_gone_told = True
        return [*self.gone.items()]

    # -- the commit ------------------------------------------------------------------------------

    @property
    def number(self) -> int:
        """Of the last transition, what is to be committed included."""
        return self._number + len(self._made)

    def write(self, version: int) -> dict[bytes, bytes]:
        """Write what is remembered; the outbox entries of new transitions."""
        for key, alert in self._changed.items():
            self._state.put(ALERTS, key.encoded(), None if alert is None else _encode(alert))
        return entries(self._made, self._number + 1, version)

    def committed(self) -> None:
        """What was changed and made is in the state."""
        for key, alert in self._changed.items():
            if alert is None:
                self._committed.pop(key, None)
            else:
                self._committed[key] = alert
        self._number += len(self._made)
        self._changed, self._made = {}, []
        if self._is_gone_told:
            self.gone.clear()

    def forget(self) -> None:
        """The batch failed: what it made was not."""
        self.reset()
        if NUMBER not in self._state.meta:
            self._changed |= self._committed  # of the log, and in no state yet

    @property
    def standing(self) -> Mapping[AlertKey, Alert]:
        """The alerts as they are committed."""
        return self._committed
