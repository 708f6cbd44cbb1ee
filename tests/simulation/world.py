"""One seed: a world, what happens in it, and whether all of it was counted right in the end."""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
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
    NEXT_PARTIALS,
    PARTIALS,
    PARTIALS_PARTITIONS,
    SOURCES,
    TICKS,
    VALUES,
    Line,
    lines,
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

ROLLED_OUT = 0.2
"""How often another state version is rolled out."""

SETTLED_S = 150.0
"""Patience with a world that was healed; the longest time-out is a few seconds."""

_TOPICS = {
    EVENTS: SOURCES,
    PARTIALS: PARTIALS_PARTITIONS,
    NEXT_PARTIALS: PARTIALS_PARTITIONS,
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
        self._roll_out = random.Random(-1 - seed)  # noqa: S311
        self.loop = SimulatedLoop()
        self.outcome = Outcome(seed)
        self.clock = chance.choice(["event", "event", "wall", "wall", "date"])
        self.lines = lines(self.clock)
        self.company = self.lines[0].company
        self.running: tuple[Line, ...] = self.lines[:1]
        self.is_rolled_out = False
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
        self.groups = {line.version: self._group(line) for line in self.lines}
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

    def start_worker(self, line: Line | None = None) -> Worker:
        """One more worker process; of any version that runs, unless it is said which."""
        self._born += 1
        if line is None:
            line = self.running[self._born % len(self.running)]
        worker = Worker(self, line, f"w{self._born}")
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

    def _group(self, line: Line) -> Group:
        return Group(self.loop, partial(self._assign, line), session_s=SESSION_S, rejoin_s=1.0)

    def _assign(self, line: Line, names: Sequence[str]) -> dict[str, set[TopicPartition]]:
        tps = [(EVENTS, p) for p in range(SOURCES)]
        tps += [(line.partials, p) for p in range(PARTIALS_PARTITIONS)] + [(TICKS, 0)]
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
        for group in self.groups.values():
            self.loop.later(0.0, group.watch)
        for _ in range(chance.choice([1, 2, 2, 3])):
            self.start_worker()
        for told in tell(chance, self.begin, chance.randrange(10, 61), SPAN_S):
            self.loop.later(told.after_s, self._send, told)
        for after_s, fault in faults.schedule(chance, SPAN_S):
            self.loop.later(after_s, fault, self)
        if self._roll_out.random() < ROLLED_OUT:
            self.loop.later(SPAN_S * self._roll_out.random(), self._begin_next)
        await asyncio.sleep(SPAN_S)
        self._heal()
        await self._settle("healed")
        if chance.random() < 0.5:
            self.note("world", "all workers are replaced")
            for worker in self.alive():
                self.kill(worker)
            self._heal()
            await self._settle("replaced", is_fresh=True)

    def _begin_next(self) -> None:
        """Workers of another state version start; later one of the two versions is stopped."""
        self.note("world", "the next state version is rolled out")
        self.count("rollouts")
        self.is_rolled_out = True
        self.running = self.lines
        self.start_worker(self.lines[1])
        stays = self._roll_out.choice([(0,), (1,), (1,), (0, 1)])
        self.loop.later(5.0 * self._roll_out.random(), self._end_rollout, stays)

    def _end_rollout(self, stays: tuple[int, ...]) -> None:
        self.running = tuple(self.lines[number] for number in stays)
        self.note("world", "runs", *(line.version for line in self.running))
        for worker in self.alive():
            if worker.line not in self.running:
                self.kill(worker)
        self._heal()

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
        for line in self.running:
            if not any(worker.line is line for worker in self.alive()):
                self.start_worker(line)

    async def _settle(self, when: str, *, is_fresh: bool = False) -> None:
        self.loop.until_s = self.loop.time() + SETTLED_S
        while self._unsettled():  # noqa: ASYNC110 - virtual time
            await asyncio.sleep(0.5)
        now_us = None
        if self.company.is_wall_clock:
            now_us = await self._last_tick()
        line = next(iter(self._speaking()), self.running[0])  # none where a worker stopped
        for problem in problems(self, line, now_us, is_fresh=is_fresh):
            self._problem(f"{when}: {problem}")
        async for problem in alert_problems(self, line):
            self._problem(f"{when}: {problem}")

    async def _last_tick(self) -> int:
        """The clocks stop, and a last tick says to all partitions what time it is."""
        self.ticking = False
        await asyncio.sleep(5.0)
        now_us = self.wall_us() + 5_000_000
        key, value = control_key(CLOCK, "wall"), encode_value(Control(now_us, now_us))
        for partition in range(PARTIALS_PARTITIONS):
            for line in self.lines:
                self.logs.append((line.partials, partition), OutRecord(line.partials, key, value))
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
        if len(self._speaking()) != 1:
            return f"{self._speaking()} speak"
        if curious := [worker.name for worker in self._speakers() if worker.will_look]:
            return f"{curious} are about to look"
        left = (
            self._left_to_do(line, tp) for line in self.running for tp in self._with_state(line)
        )
        return next(filter(None, left), "")

    def _speaking(self) -> list[Line]:
        """The versions of which some worker may say values."""
        spoken_for = [worker.line for worker in self._speakers()]
        return [line for line in self.running if line in spoken_for]

    def _speakers(self) -> list[Worker]:
        return [worker for worker in self.alive() if worker.speaking.reign]

    @staticmethod
    def _with_state(line: Line) -> list[TopicPartition]:
        counts = ((EVENTS, SOURCES), (line.partials, PARTIALS_PARTITIONS))
        return [(topic, partition) for topic, count in counts for partition in range(count)]

    def _left_to_do(self, line: Line, tp: TopicPartition) -> str:
        stages = (
            stage
            for worker in self.alive()
            if worker.line is line
            for owned, stage in worker.stages()
            if owned == tp
        )
        stage = next(stages, None)
        if stage is None:
            return f"nobody owns {tp}"
        state, end, is_two = stage._state, self.logs.end(tp), tp[0] == line.partials
        # A clock never stands still: what the last seconds brought may be under way.
        is_clocked = is_two and self.company.is_wall_clock and self.ticking
        if (state.offset or 0) + (4 if is_clocked else 0) < end:
            return f"{tp} is read up to {state.offset} of {end}"
        if is_clocked or (is_two and line not in self._speaking()):
            return ""
        if state.outbox:
            return f"{tp} has {len(state.outbox)} names in its outbox"
        if is_two:
            speaker = stage.speaker
            if speaker.is_dirty or speaker.is_in_doubt or not speaker.may_speak:
                return f"{tp} has something to say"
        return ""


def simulate(seed: int) -> Outcome:
    """Run one seed."""
    logging.getLogger("stream_app").setLevel(logging.CRITICAL)
    return World(seed).run()
