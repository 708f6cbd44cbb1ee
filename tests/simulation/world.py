"""One seed: a world, what happens in it, and whether all of it was counted right in the end."""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from stream_app.stages.ports import OutRecord
from stream_app.transport.publisher import partition_of
from stream_app.wire.partial import CLOCK, Control, control_key, encode_value
from tests.simulation import faults
from tests.simulation.company import (
    ALERTS,
    DEAD,
    EVENTS,
    EXPERIMENTS,
    PARTIALS,
    PARTIALS_PARTITIONS,
    SOURCES,
    TICKS,
    VALUES,
    company,
)
from tests.simulation.kafka import Group, Logs, TopicPartition
from tests.simulation.loop import SimulatedLoop, Stuck
from tests.simulation.network import Network, Weather
from tests.simulation.redis_server import RedisServer
from tests.simulation.story import BEGINNINGS, Told, tell
from tests.simulation.verdict import alert_problems, problems
from tests.simulation.watch import Violated, Watch
from tests.simulation.worker import SESSION_S, Worker

SPAN_S = 7.0
"""How long events and faults go on."""

SETTLED_S = 150.0
"""Patience with a world that was healed; the longest time-out is a few seconds."""

_TOPICS_WITH_STATE = [
    *((EVENTS, p) for p in range(SOURCES)),
    *((PARTIALS, p) for p in range(PARTIALS_PARTITIONS)),
]
_TOPICS = {
    EVENTS: SOURCES,
    PARTIALS: PARTIALS_PARTITIONS,
    VALUES: 2,
    ALERTS: 2,
    EXPERIMENTS: 1,
    DEAD: 1,
    TICKS: PARTIALS_PARTITIONS,
}


@dataclass
class Outcome:
    """What became of a seed.

    Attributes:
        problems: what is wrong, each in a line; empty if nothing is.
        counts: how often interesting things happened.
        steps: callbacks that ran.
        trace: (seconds, who, what …).
    """

    seed: int
    problems: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    steps: int = 0
    trace: list[tuple[Any, ...]] = field(default_factory=list)


class World:
    """Servers, workers, a clock, and somebody who watches."""

    def __init__(self, seed: int) -> None:
        self.chance = chance = random.Random(seed)  # noqa: S311
        self.loop = SimulatedLoop()
        self.outcome = Outcome(seed)
        self.clock = chance.choice(["event", "event", "wall", "wall", "date"])
        self.company = company(self.clock)
        self.begin = chance.choice(BEGINNINGS)
        self._began_us = round(self.begin.timestamp() * 1_000_000)
        self.jumped_us = 0
        self.network = Network(self.loop, chance)
        self.logs = Logs(_TOPICS, lambda: self.wall_us() // 1000)
        self.redis = RedisServer(lambda: round(self.loop.time() * 1_000))
        self.wipes = 0
        self.redis_forgot = False
        self.compacted: set[TopicPartition] = set()
        self.watch = Watch(self)
        self.redis.on_written = self._watched(self.watch.written)
        self.logs.on_append = self._watched(self.watch.appended)
        self.group = Group(self.loop, self._assign, session_s=SESSION_S, rejoin_s=1.0)
        self.batch_records = chance.choice([1, 2, 3, 8])
        self.fetch_most = chance.choice([2, 5, 20, 100])
        self.cached_threads = chance.choice([1, 2, 50])
        self._gaps = chance.choice([0.0, 0.0, 0.05])
        self.ticking = True
        self.workers: list[Worker] = []
        self._born = 0
        self._is_over = False

    # -- what others ask -------------------------------------------------------------------------

    def wall_us(self) -> int:
        """The true time of day."""
        return self._began_us + self.jumped_us + round(self.loop.time() * 1_000_000)

    def drops_a_fetch(self) -> bool:
        """Whether fetched records are lost between the fetcher and the agent."""
        return bool(self._gaps) and self.chance.random() < self._gaps

    def note(self, who: str, *what: object) -> None:
        """A line of the trace."""
        self.outcome.trace.append((self.loop.time(), who, *what))

    def count(self, what: str) -> None:
        """Something happened once more."""
        self.outcome.counts[what] += 1

    def failed(self, worker: Worker, error: BaseException) -> None:
        """A worker stopped by itself, which it never should here."""
        if self._is_over:
            return
        self._problem(f"{worker.name} stopped: {type(error).__name__}: {error}")
        self.note(worker.name, "stopped", repr(error))

    def _problem(self, text: str) -> None:
        if len(self.outcome.problems) < 20:
            self.outcome.problems.append(text)

    def _watched(self, check: Callable[..., None]) -> Callable[..., None]:
        def checked(*what: Any) -> None:
            try:
                check(*what)
            except Violated as error:
                self._problem(f"at {self.loop.time():.3f} s: {error}")
                self.note("watch", str(error))

        return checked

    # -- workers ---------------------------------------------------------------------------------

    def start_worker(self) -> Worker:
        """One more worker process."""
        self._born += 1
        worker = Worker(self, f"w{self._born}")
        self.workers.append(worker)
        self.note(worker.name, "starts")
        self.loop.start(worker.process, worker.main())
        return worker

    def kill(self, worker: Worker) -> None:
        """SIGKILL."""
        if worker.process.is_alive:
            worker.process.is_alive = False
            self.network.cut(worker.process)
            self.note(worker.name, "is killed after", worker.process.steps, "steps")
            self.count("kills")

    def alive(self) -> list[Worker]:
        """Workers that were not killed; some may be paused."""
        return [worker for worker in self.workers if worker.process.is_alive]

    def _assign(self, names: list[str]) -> dict[str, set[TopicPartition]]:
        tps = [(EVENTS, p) for p in range(SOURCES)]
        tps += [(PARTIALS, p) for p in range(PARTIALS_PARTITIONS)] + [(TICKS, 0)]
        self.chance.shuffle(tps)
        given: dict[str, set[TopicPartition]] = {name: set() for name in names}
        for number, tp in enumerate(tps):
            given[names[number % len(names)]].add(tp)
        self.count("rebalances")
        return given

    # -- the schedule ----------------------------------------------------------------------------

    def run(self) -> Outcome:
        """From the beginning to the verdict."""
        try:
            self.loop.run_until_complete(self._life())
        except Stuck as stuck:
            self._problem(f"stuck: {stuck}; {self._unsettled()}")
        except Violated as error:
            self._problem(str(error))
        finally:
            self._is_over = True
            self.loop.bury(worker.process for worker in self.workers)
            self.loop.close()
        for context in self.loop.errors:
            self._problem(f"unexpected: {context.get('exception') or context['message']}")
        self.outcome.steps = sum(worker.process.steps for worker in self.workers)
        return self.outcome

    async def _life(self) -> None:
        chance = self.chance
        self.loop.later(0.0, self.group.watch)
        for _ in range(chance.choice([1, 2, 2, 3])):
            self.start_worker()
        for told in tell(chance, self.begin, chance.randrange(10, 61), SPAN_S):
            self.loop.later(told.after_s, self._send, told)
        for after_s, fault in faults.schedule(chance, SPAN_S):
            self.loop.later(after_s, fault, self)
        await asyncio.sleep(SPAN_S)
        self._heal()
        await self._settle("healed")
        if chance.random() < 0.5:
            self.note("world", "all workers are replaced")
            for worker in self.alive():
                self.kill(worker)
            self._heal()
            await self._settle("replaced", is_fresh=True)

    def _send(self, told: Told) -> None:
        partition = partition_of(told.key, SOURCES) if told.key is not None else 0
        self.logs.append((EVENTS, partition), OutRecord(EVENTS, told.key, told.value))

    def _heal(self) -> None:
        self.note("world", "everything is healed")
        self.network.redis_weather = Weather()
        self.network.kafka_weather = Weather()
        self.network.redis_until_s = self.network.kafka_until_s = 0.0
        self._gaps = 0.0
        for worker in self.alive():
            worker.process.dies_at = None
            if worker.process.is_paused:
                self.loop.resume(worker.process)
        while len(self.alive()) < 2:
            self.start_worker()

    async def _settle(self, when: str, *, is_fresh: bool = False) -> None:
        self.loop.until_s = self.loop.time() + SETTLED_S
        while self._unsettled():  # noqa: ASYNC110 - virtual time
            await asyncio.sleep(0.5)
        now_us = None
        if self.company.is_wall_clock:
            now_us = await self._last_tick()
        for problem in problems(self, now_us, is_fresh=is_fresh):
            self._problem(f"{when}: {problem}")
        async for problem in alert_problems(self):
            self._problem(f"{when}: {problem}")

    async def _last_tick(self) -> int:
        """The clocks stop, and a last tick says to all partitions what time it is."""
        self.ticking = False
        await asyncio.sleep(5.0)
        now_us = self.wall_us() + 5_000_000
        key, value = control_key(CLOCK, "wall"), encode_value(Control(now_us, now_us))
        for partition in range(PARTIALS_PARTITIONS):
            self.logs.append((PARTIALS, partition), OutRecord(PARTIALS, key, value))
        while self._unsettled():  # noqa: ASYNC110 - virtual time
            await asyncio.sleep(0.5)
        self.ticking = True
        return now_us

    def _unsettled(self) -> str:
        """What is still to be done; nothing if all is quiet."""
        if any(worker.died_of for worker in self.alive()):
            return ""
        if leaving := [worker.name for worker in self.alive() if worker.is_leaving]:
            return f"{leaving} say farewell"
        owned = {tp: stage for worker in self.alive() for tp, stage in worker.stages()}
        left = (self._left_to_do(tp, owned.get(tp)) for tp in _TOPICS_WITH_STATE)
        return next(filter(None, left), "")

    def _left_to_do(self, tp: TopicPartition, stage: Any) -> str:
        if stage is None:
            return f"nobody owns {tp}"
        state, end = stage._state, self.logs.end(tp)
        # A clock never stands still: what the last seconds brought may be under way.
        is_clocked = tp[0] == PARTIALS and self.company.is_wall_clock and self.ticking
        if (state.offset or 0) + (4 if is_clocked else 0) < end:
            return f"{tp} is read up to {state.offset} of {end}"
        if state.outbox and not is_clocked:
            return f"{tp} has {len(state.outbox)} names in its outbox"
        if tp[0] == PARTIALS and not is_clocked and (stage.is_dirty or not stage.may_speak):
            return f"{tp} has something to say"
        return ""


def simulate(seed: int) -> Outcome:
    """Run one seed."""
    logging.getLogger("stream_app").setLevel(logging.CRITICAL)
    return World(seed).run()
