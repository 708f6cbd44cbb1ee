"""Stage one's ear: when each source that may not be silent was heard last, in one partition."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from stream_app.domain.events import Event
from stream_app.domain.silence import speaks_for
from stream_app.stages.ports import SourceRecord
from stream_app.wire.partial import HEARD, Heard, control_key

_encode = msgspec.json.encode
_decode = msgspec.json.Decoder(dict[str, Heard]).decode


class Hearing:
    """The newest event of each configured source, whether it is a repeat or not.

    What is refused is not heard: it says nothing that could be believed.
    """

    def __init__(self, names: Iterable[str], partition: int) -> None:
        """Nothing was heard yet.

        Args:
            names: the configured sources.
            partition: of `crm.events`.
        """
        self._names = tuple(names)
        self._partition = partition
        self.last: Mapping[str, Heard] = {}

    def restore(self, stored: str) -> None:
        """What is committed is what was heard, of those that are still asked for."""
        known = _decode(stored or "{}")
        self.last = {name: known[name] for name in self._names if name in known}

    def take(
        self,
        records: Sequence[SourceRecord],
        decoded: Sequence[object],
        next_offset: int,
    ) -> dict[str, Heard]:
        """The sources of which something newer is there, among the records before an offset."""
        found: dict[str, Heard] = {}
        if not self._names:
            return found
        for record, event in zip(records, decoded, strict=True):
            if type(event) is not Event or record.offset >= next_offset:
                continue
            heard = Heard(record.timestamp * 1_000, event.time)
            for name in self._names:
                if speaks_for(name, event.source):
                    found[name] = heard.or_later(found.get(name))
        merged = {name: heard.or_later(self.last.get(name)) for name, heard in found.items()}
        return {name: heard for name, heard in merged.items() if heard != self.last.get(name)}

    def stored(self, news: Mapping[str, Heard]) -> str:
        """What to commit together with news."""
        return _encode({**self.last, **news}).decode()

    def committed(self, news: Mapping[str, Heard]) -> None:
        """The news are in the state."""
        self.last = {**self.last, **news}

    def key(self, name: str) -> bytes:
        """The key of what is said of a source, in `kpi.partials` and in the outbox."""
        return control_key(HEARD, f"{name}/{self._partition}")

    def said(self, key: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Key and value of the record under a key; none if nobody asks for the source any more."""
        for name, heard in self.last.items():
            if self.key(name) == key:
                yield key, _encode(heard)
