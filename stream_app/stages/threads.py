"""Threads in the state: the accepted events of a key, in segments that are written once.

The newest events of a thread are in its row of `threads`; every 64 events a full segment moves to
`segments` and is never written again, so that a long thread does not rewrite itself.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from stream_app.domain.events import Event
from stream_app.domain.ledger import SEGMENT_EVENTS, ThreadLedger
from stream_app.domain.rules import FoldRules
from stream_app.stages.cache import BoundedCache
from stream_app.stages.ports import State

THREADS: Final = "threads"
SEGMENTS: Final = "segments"


class _Head(msgspec.Struct, frozen=True, array_like=True):
    """A thread's row: how many full segments it has, and the events after them."""

    segments: int
    events: list[Event]


_head_decoder: Final = msgspec.json.Decoder(_Head)
_events_decoder: Final = msgspec.json.Decoder(list[Event])
_encode: Final = msgspec.json.encode


class ThreadStore:
    """The threads of one partition: cached, loaded when a batch needs them."""

    def __init__(self, state: State, rules: FoldRules, capacity: int) -> None:
        self._state = state
        self._rules = rules
        self._cache: BoundedCache[ThreadLedger] = BoundedCache(capacity)

    async def load(self, keys: Iterable[bytes]) -> None:
        """Make the threads of these keys available; new ones begin empty."""
        missing = self._cache.missing(keys)
        if not missing:
            return
        state = self._state
        await state.prefetch(THREADS, missing)
        heads: dict[bytes, _Head] = {}
        wanted: list[bytes] = []
        for key in missing:
            row = state.get(THREADS, key)
            if row is None:
                self._cache[key] = ThreadLedger(self._rules)
                continue
            head = heads[key] = _head_decoder.decode(row)
            wanted.extend(_segment_key(key, number) for number in range(head.segments))
        if wanted:
            await state.prefetch(SEGMENTS, wanted)
        for key, head in heads.items():
            events: list[Event] = []
            for number in range(head.segments):
                row = state.get(SEGMENTS, _segment_key(key, number))
                if row is None:
                    raise LookupError(f"segment {number} of a thread is missing in the state")
                events.extend(_events_decoder.decode(row))
            events.extend(head.events)
            self._cache[key] = ThreadLedger(self._rules, events)

    def __getitem__(self, key: bytes) -> ThreadLedger:
        """A thread loaded before."""
        return self._cache[key]

    def write(self, events_before: Iterable[tuple[bytes, int]]) -> None:
        """Write what threads accepted since they had so many events."""
        heads: dict[bytes, bytes] = {}
        for key, before in events_before:
            arrived = self._cache[key].arrived
            full = len(arrived) // SEGMENT_EVENTS
            for number in range(before // SEGMENT_EVENTS, full):
                segment = arrived[number * SEGMENT_EVENTS : (number + 1) * SEGMENT_EVENTS]
                self._state.put(SEGMENTS, _segment_key(key, number), _encode(segment))
            heads[key] = _encode(_Head(full, arrived[full * SEGMENT_EVENTS :]))
        self._state.put_all(THREADS, heads)

    def trim(self) -> None:
        """Keep the cache within its capacity; between batches only."""
        self._cache.trim()

    def forget(self) -> None:
        """Drop all memory: it may say more than what was committed."""
        self._cache.clear()

    def __len__(self) -> int:
        return len(self._cache)


def _segment_key(key: bytes, number: int) -> bytes:
    return b"%s\x00%d" % (key, number)
