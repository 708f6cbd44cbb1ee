"""What must hold at every moment, seen by somebody who sees everything."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from stream_app.stages.ports import OutRecord
from stream_app.state.keys import PartitionKeys
from stream_app.state.partition import PartitionState
from stream_app.verification.outcomes import OUTCOMES
from stream_app.wire.published import Published, decode_published
from tests.simulation.alarms import Listener
from tests.simulation.company import ALERTS, EVENTS, PARTIALS, SOURCES, VALUES, Line
from tests.simulation.kafka import Stored, TopicPartition

if TYPE_CHECKING:
    from tests.simulation.worker import Worker
    from tests.simulation.world import World

CALLS = b"calls_made|year|2026-01-01T00:00:00%2B01:00|company|all"
"""A sum that only ever grows: calls are never taken back, and all of them lie in one year."""


class Violated(AssertionError):
    """An invariant does not hold; the message says which and where."""


class Subscriber:
    """Reads `kpi.values` as the contract tells subscribers to: of one key the highest revision."""

    def __init__(self) -> None:
        self.values: dict[bytes, bytes] = {}
        self.revisions: dict[bytes, int] = {}

    def read(self, record: Stored) -> Published | None:
        """Take in the next record; what it says, if it is believed."""
        key = record.key or b""
        if record.value is None:
            self.values.pop(key, None)
            return None
        published = decode_published(record.value)
        if published.revision < self.revisions.get(key, 0):
            return None
        self.revisions[key] = published.revision
        self.values[key] = record.value
        return published


class Watch:
    """Checks every commit and every published value."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.subscriber = Subscriber()
        self.last: dict[bytes, bytes | None] = {}
        self.tokens: dict[str, tuple[Line, TopicPartition, int]] = {}
        self._speaker: Line | None = None
        self._said_by: dict[int, str] = {}
        self._calls = 0
        self._may_go_back = False
        self._metas = {
            PartitionKeys(line.namespace, topic, p).meta: (line.version, (topic, p))
            for line in world.lines
            for topic in (EVENTS, line.partials)
            for p in range(SOURCES)
        }
        self._offsets: dict[tuple[str, TopicPartition], int] = {}
        self._committed: set[tuple[str, TopicPartition]] = set()
        self._claimed_s: dict[str, float] = {}
        self._believed_s: dict[bytes, float] = {}
        self.listener = Listener()
        self.partials: dict[int, list[Stored]] = {}
        self.forgotten: set[int] = set()

    # -- what it hears ---------------------------------------------------------------------------

    def claimed(self, worker: "Worker", state: PartitionState) -> None:
        """A worker begins to work under a claim."""
        tp = (state.topic, state.partition)
        self.tokens[state.token] = (worker.line, tp, self._world.wipes)
        self._world.note(worker.name, "claims", tp, "at", state.offset)
        if (
            state.topic == PARTIALS
            and state.offset is None
            and (worker.line.version, tp) in self._committed
        ):
            self.forgotten.add(state.partition)
        if self._may_go_back and state.topic == worker.line.partials:
            self._calls, self._may_go_back = 0, False

    def saying(self, token: str, records: Sequence[OutRecord]) -> None:
        """Stage two hands records to its producer."""
        for record in records:
            if record.topic == VALUES and record.value is not None:
                revision = decode_published(record.value).revision
                self._said_by[revision, record.key] = token

    def forget_floor(self) -> None:
        """Redis was rolled back: the next owner may say less than before."""
        self._may_go_back = True

    # -- what it checks --------------------------------------------------------------------------

    def written(self, meta: bytes) -> None:
        """A script changed a partition's state."""
        place = self._metas.get(meta)
        if place is None:
            return  # who speaks is no partition's matter
        _, tp = place
        rows = self._world.redis.hashes.get(meta, {})
        self._claimed_s.setdefault(rows.get(b"owner", b"").decode(), self._world.loop.time())
        offset = int(rows.get(b"offset", b"0"))
        before = self._offsets.get(place, 0)
        if offset == before:
            return
        self._offsets[place] = offset
        self._committed.add(place)
        self._world.count("commits")
        self._world.note("redis", tp, "is committed up to", offset)
        if offset < before:
            raise Violated(f"a commit moved {tp} back from {before} to {offset}")
        if offset > self._world.logs.end(tp):
            raise Violated(f"{tp} is committed up to {offset}, beyond the end of its log")
        if tp[0] == EVENTS:
            counted = sum(int(rows.get(o.encode(), b"0")) for o in OUTCOMES)
            if counted != offset:
                raise Violated(f"{tp}: {counted} records are accounted for, {offset} were read")

    def went_back(self) -> None:
        """Redis was rolled back or emptied."""
        for meta, place in self._metas.items():
            rows = self._world.redis.hashes.get(meta, {})
            self._offsets[place] = int(rows.get(b"offset", b"0"))

    def appended(self, tp: TopicPartition, record: Stored) -> None:
        """A record arrived in a topic."""
        if tp[0] == PARTIALS:
            self.partials.setdefault(tp[1], []).append(record)
        if tp[0] == ALERTS:
            self._alerted(record)
        if tp[0] != VALUES or record.key is None:
            return
        self.last[record.key] = record.value
        known = self.subscriber.revisions.get(record.key, 0)
        believed = self.subscriber.read(record)
        if record.value is None:
            return
        revision = decode_published(record.value).revision
        token = self._said_by.get((revision, record.key), "")
        if believed is not None:
            self._believed_s[record.key] = self._world.loop.time()
        elif self._is_owner(token) and self._believed_s[record.key] < self._claimed_s[token]:
            # What a zombie says after the claim is told again when it says farewell.
            raise Violated(
                f"the owner's {record.key.decode()} has revision {revision}, and nobody believes "
                f"it, because {known} was there before"
            )
        self._hear_speaker(token)
        if record.key == CALLS and believed is not None and believed.value is not None:
            if believed.value < self._calls:
                raise Violated(
                    f"calls of the year went back from {self._calls} to {believed.value}: a value "
                    "was published from a state that is not whole"
                )
            self._calls = int(believed.value)

    def _hear_speaker(self, token: str) -> None:
        """Another state version may have read less of the log."""
        line = self.tokens[token][0] if token in self.tokens else self._speaker
        if line is not self._speaker:
            self._speaker, self._calls = line, 0

    def _alerted(self, record: Stored) -> None:
        wrong = self.listener.read(
            record, sent_s=self._world.logs.sent_s, arrived_s=self._world.loop.time()
        )
        self._world.count("alerts")
        if wrong is not None and not self._world.redis_forgot and not self._world.is_rolled_out:
            raise Violated(wrong)

    def _is_owner(self, token: str) -> bool:
        known = self.tokens.get(token)
        if known is None:
            return False
        line, (topic, partition), wipes = known
        meta = PartitionKeys(line.namespace, topic, partition).meta
        owner = self._world.redis.hashes.get(meta, {}).get(b"owner", b"")
        return wipes == self._world.wipes and owner == token.encode()
