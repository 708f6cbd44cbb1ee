"""A Kafka as far as the workers use one.

Guarantees that it keeps, all of them the real one's:

1. A partition is a log: an appended record has the next offset for ever; compaction may remove
   records that a later one of the same key replaced, never move one.
2. One producer's sends to one partition arrive in their order, each at most once, as long as the
   producer lives. Nothing is promised between partitions and between producers.
3. An acknowledged send is in the log. One that failed may have arrived, or arrive later, as long as
   its producer lives (a paused one's when it goes on). What was on the wire when a process died
   arrives soon, or not at all: sooner than a group gives its partitions to somebody else.
4. A fetch returns a contiguous run from the position asked for. Nobody asks whose it is.
5. A group gives each partition to one member of its current generation. A member that is silent
   for longer than the session timeout is out, and does not know it.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from aiokafka.errors import KafkaTimeoutError

from stream_app.stages.ports import OutRecord
from stream_app.transport.errors import BrokerUnavailable
from stream_app.transport.log_facts import LogFacts
from stream_app.transport.publisher import partition_of
from tests.simulation.loop import Process, SimulatedLoop
from tests.simulation.network import Fate, Network

TopicPartition = tuple[str, int]

SEND_TIMEOUT_S = 3.0
_LOOK_AGAIN_S = 0.02


class Stored(NamedTuple):
    """A record in a log."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = ()


class Logs:
    """The partitions of all topics."""

    def __init__(self, partitions: Mapping[str, int], now_ms: Callable[[], int]) -> None:
        self.partitions = partitions
        self._now_ms = now_ms
        self._logs: dict[TopicPartition, list[Stored]] = {
            (topic, p): [] for topic, count in partitions.items() for p in range(count)
        }
        self._ends = dict.fromkeys(self._logs, 0)
        self._arrivals: dict[TopicPartition, list[Callable[[], None]]] = {}
        self.sent_s = 0.0  # when what is appended now was handed to a producer
        self.on_append: Callable[[TopicPartition, Stored], None] = lambda _tp, _record: None

    def append(self, tp: TopicPartition, record: OutRecord, timestamp: int | None = None) -> None:
        """One more record."""
        moment = self._now_ms() if timestamp is None else timestamp
        stored = Stored(self._ends[tp], moment, record.key, record.value, tuple(record.headers))
        self._ends[tp] += 1
        self._logs[tp].append(stored)
        self.on_append(tp, stored)
        for arrived in self._arrivals.pop(tp, ()):
            arrived()

    def end(self, tp: TopicPartition) -> int:
        """The next offset."""
        return self._ends[tp]

    def read(self, tp: TopicPartition, position: int, most: int) -> tuple[list[Stored], int]:
        """Records from a position on, and the position behind them."""
        records = [record for record in self._logs[tp] if record.offset >= position][:most]
        at_end = not records or records[-1] is self._logs[tp][-1]
        return records, self._ends[tp] if at_end else records[-1].offset + 1

    def of(self, topic: str) -> Iterable[tuple[TopicPartition, list[Stored]]]:
        """The logs of a topic."""
        return ((tp, log) for tp, log in self._logs.items() if tp[0] == topic)

    def when_longer(self, tp: TopicPartition, call: Callable[[], None]) -> None:
        """Call once when something is appended."""
        self._arrivals.setdefault(tp, []).append(call)

    def compact(self, tp: TopicPartition, keep: int) -> int:
        """Remove what a later record replaced, but for the newest records; how many went."""
        log = self._logs[tp]
        newest = {record.key: record.offset for record in log}
        kept = [r for r in log if newest[r.key] == r.offset or r.offset >= self._ends[tp] - keep]
        gone = len(log) - len(kept)
        log[:] = kept
        return gone


@dataclass(slots=True)
class _Send:
    """A run of records for one partition."""

    tp: TopicPartition
    records: list[OutRecord]
    done: Callable[[str | None], None]
    began_s: float


class Producer:
    """What `Publisher` is: idempotent, in order for each partition, errors that are not silent."""

    def __init__(self, process: Process, loop: SimulatedLoop, logs: Logs, network: Network) -> None:
        self._process = process
        self._loop = loop
        self._logs = logs
        self._network = network
        self._queues: dict[TopicPartition, deque[_Send]] = {}
        self._incarnation = object()
        self._flying = 0

    async def send_all(self, records: Sequence[OutRecord]) -> None:
        """Send and wait for all acknowledgements.

        Raises:
            BrokerUnavailable: not all were acknowledged; they may have arrived, or still arrive.
        """
        runs: dict[TopicPartition, list[OutRecord]] = {}
        for record in records:
            partition = record.partition
            if partition is None:
                partition = partition_of(record.key, self._logs.partitions[record.topic])
            runs.setdefault((record.topic, partition), []).append(record)
        if not runs:
            return
        waiting = _All(self._loop, len(runs))
        for tp in sorted(runs):
            queue = self._queues.setdefault(tp, deque())
            queue.append(_Send(tp, runs[tp], waiting.one_done, self._loop.time()))
            if len(queue) == 1:
                self._pump(tp)
        timer = self._loop.call_later(SEND_TIMEOUT_S, waiting.one_done, "not done in time")
        try:
            failure = await waiting.all_done
        finally:
            timer.cancel()
        if failure is not None:
            if failure != "not done in time":
                self._discard()
                await self._landed()
            raise BrokerUnavailable(["simulated:9092"], "sending", failure)

    async def abandon(self) -> None:
        """Send nothing more of what waits, and wait for what is on the wire, not for ever."""
        waiting = [send for queue in self._queues.values() for send in queue]
        self._discard()
        for send in waiting:
            send.done("abandoned")
        await self._landed()

    async def _landed(self) -> None:
        """A producer that is closed waits for what is on the wire, lest the next overtakes it."""
        until_s = self._loop.time() + SEND_TIMEOUT_S
        while self._flying and self._loop.time() < until_s:  # noqa: ASYNC110 - virtual time
            await asyncio.sleep(0.01)

    def _discard(self) -> None:
        """Its sequence numbers have a hole: a new producer begins."""
        self._incarnation = object()
        self._queues.clear()

    def _pump(self, tp: TopicPartition) -> None:
        """Send the first of a partition's queue."""
        queue, incarnation = self._queues.get(tp), self._incarnation
        if not queue:
            return
        send, fate = queue[0], self._network.fate_of_send()

        def answered(failure: str | None) -> None:
            if incarnation is self._incarnation:
                queue.popleft()
                send.done(failure)
                self._pump(tp)

        def answer(failure: str | None) -> None:
            context = self._process.context
            self._loop.call_later(fate.reply_s, answered, failure, context=context)

        def leave() -> None:
            if incarnation is self._incarnation:
                self._transmit(send, fate, answer)

        if fate.is_request_lost:
            self._loop.later(fate.request_s, answer, "the request was lost")
        elif fate.is_late:  # the producer tries for long
            self._loop.call_later(fate.late_s, leave, context=self._process.context)
        else:
            leave()

    def _transmit(self, send: _Send, fate: Fate, answer: Callable[[str | None], None]) -> None:
        """Put a run on the wire; it is appended as a whole."""
        self._flying += 1

        def arrive() -> None:
            if (wait_s := self._network.kafka_away_s()) > 0:
                self._network.on_the_wire(self._process, min(wait_s, _LOOK_AGAIN_S), arrive)
                return
            self._flying -= 1
            for record in send.records:
                self._logs.sent_s = send.began_s
                self._logs.append(send.tp, record)
            answer("the acknowledgement was lost" if fate.is_reply_lost else None)

        self._network.on_the_wire(self._process, fate.request_s, arrive)


class _All:
    """Waits for several things, and for the first failure among them once all are there."""

    def __init__(self, loop: SimulatedLoop, count: int) -> None:
        self._left = count
        self._failure: str | None = None
        self.all_done = loop.create_future()

    def one_done(self, failure: str | None) -> None:
        self._left -= 1
        self._failure = self._failure or failure
        late = failure == "not done in time"
        if (self._left == 0 or late) and not self.all_done.done():
            self.all_done.set_result(self._failure)


@dataclass(slots=True)
class _Member:
    """A member as the coordinator knows it."""

    heard_s: float
    joining: Any = None


@dataclass
class Group:
    """The coordinator of the consumer group."""

    loop: SimulatedLoop
    assign: Callable[[Sequence[str]], dict[str, set[TopicPartition]]]
    session_s: float
    rejoin_s: float
    generation: int = 0
    members: dict[str, _Member] = field(default_factory=dict)
    assignment: dict[str, set[TopicPartition]] = field(default_factory=dict)
    is_rebalancing: bool = False
    rebalances: int = 0

    def join(self, name: str, answer: Callable[[tuple[int, set[TopicPartition]]], None]) -> None:
        """A member wants partitions; it is answered when the rebalance is over."""
        self.members[name] = _Member(self.loop.time(), answer)
        self.rebalance()
        if all(member.joining for member in self.members.values()):
            self._complete()

    def heartbeat(self, name: str, generation: int) -> bool:
        """Whether the member still has what it was given."""
        member = self.members.get(name)
        if member is None or generation != self.generation:
            return False
        member.heard_s = self.loop.time()
        return not self.is_rebalancing

    def confirms(self, name: str, generation: int, tp: TopicPartition) -> bool:
        """Whether an offset commit of this member would be taken."""
        return (
            name in self.members
            and generation == self.generation
            and tp in self.assignment.get(name, ())
        )

    def leave(self, name: str) -> None:
        """A member says goodbye."""
        if self.members.pop(name, None) is not None and self.members:
            self.rebalance()

    def rebalance(self) -> None:
        """Everybody has to join again."""
        if self.is_rebalancing:
            return
        self.is_rebalancing = True
        self.loop.later(self.rejoin_s, self._close, self.generation)

    def watch(self) -> None:
        """Throw out who is silent; call it once."""
        limit_s = self.loop.time() - self.session_s
        for name, member in list(self.members.items()):
            if member.heard_s < limit_s and member.joining is None:
                del self.members[name]
                self.rebalance()
        self.loop.later(self.session_s / 4, self.watch)

    def _close(self, generation: int) -> None:
        if not self.is_rebalancing or generation != self.generation:
            return
        for name, member in list(self.members.items()):
            if member.joining is None:
                del self.members[name]
        if self.members:
            self._complete()
        else:
            self.is_rebalancing = False

    def _complete(self) -> None:
        self.generation += 1
        self.rebalances += 1
        self.is_rebalancing = False
        self.assignment = self.assign(sorted(self.members))
        for name, member in self.members.items():
            answer, member.joining = member.joining, None
            member.heard_s = self.loop.time()
            answer((self.generation, self.assignment[name]))


Confirm = Callable[[TopicPartition], bool]


class Fetching:
    """What `BatchConsumerThread` is: positions, fetches, log facts, the group's confirmation."""

    def __init__(
        self, process: Process, logs: Logs, network: Network, confirm: Confirm, most: int
    ) -> None:
        self._process = process
        self._logs = logs
        self._network = network
        self._confirm = confirm
        self._most = most
        self._positions: dict[TopicPartition, int] = {}
        self._epochs: dict[TopicPartition, int] = {}

    async def reposition(self, tp: TopicPartition, offset: int, epoch: int) -> None:
        """Seek; a matter of this process alone."""
        self._positions[tp] = offset
        self._epochs[tp] = epoch

    async def log_facts(self, tps: set[TopicPartition]) -> dict[TopicPartition, LogFacts]:
        """Ask what the logs are."""
        return await self._ask(
            lambda: {
                tp: LogFacts(0, self._logs.end(tp), self._logs.partitions[tp[0]], "1") for tp in tps
            }
        )

    async def confirm_membership(self, tp: TopicPartition, _offset: int) -> bool:
        """Ask whether the partition is ours."""
        return await self._ask(lambda: self._confirm(tp))

    async def fetch(
        self, tps: Iterable[TopicPartition]
    ) -> dict[TopicPartition, tuple[list[Stored], int, int, int, int]]:
        """(records, start, end, log end, epoch) of partitions that have something new."""
        asked = {tp: (self._positions[tp], self._epochs[tp]) for tp in sorted(tps)}
        found = await self._ask(
            lambda: {
                tp: (*self._logs.read(tp, position, self._most), self._logs.end(tp))
                for tp, (position, _) in asked.items()
                if self._logs.end(tp) > position
            }
        )
        fetched = {}
        for tp, (records, end, log_end) in found.items():
            start, epoch = asked[tp]
            if self._epochs[tp] == epoch and self._positions[tp] == start:
                self._positions[tp] = end
                fetched[tp] = records, start, end, log_end, epoch
        return fetched

    async def _ask(self, question: Callable[[], Any]) -> Any:
        return await self._network.ask_kafka(self._process, question, KafkaTimeoutError())
