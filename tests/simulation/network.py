"""Between processes and servers: how long everything takes, and what gets lost on the way.

Every request has a way there and a way back, each with its own time, so a process can die or stop
between any two of them. Weather makes it worse for a while: requests lost, replies lost, requests
that arrive when nobody waits for them any more.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from redis import exceptions

from tests.simulation.loop import Process, SimulatedLoop

FAST_S, SLOW_S = 0.004, 0.15


@dataclass(slots=True)
class Weather:
    """How likely things go wrong; 0 is a clear sky."""

    request_lost: float = 0.0
    reply_lost: float = 0.0
    late: float = 0.0


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one request."""

    request_s: float
    reply_s: float
    is_request_lost: bool
    is_reply_lost: bool
    is_late: bool
    late_s: float = 0.0


class Network:
    """All connections."""

    def __init__(self, loop: SimulatedLoop, chance: random.Random) -> None:
        self._loop = loop
        self._chance = chance
        self.redis_weather = Weather()
        self.kafka_weather = Weather()
        self.redis_until_s = 0.0
        self.kafka_until_s = 0.0
        self.redis_fault: Callable[[], Exception] = _refused
        self._numbers = count()
        self._wires: dict[Process, dict[int, bool]] = {}

    # -- what becomes of a request ---------------------------------------------------------------

    def _fate(self, weather: Weather) -> Fate:
        draw = self._chance.random
        return Fate(
            self._latency_s(),
            self._latency_s(),
            draw() < weather.request_lost,
            draw() < weather.reply_lost,
            draw() < weather.late,
        )

    def fate_of_send(self) -> Fate:
        """What becomes of a send: a late one takes seconds."""
        fate = self._fate(self.kafka_weather)
        return replace(fate, late_s=1.0 + 6.0 * self._chance.random()) if fate.is_late else fate

    def _latency_s(self) -> float:
        draw = self._chance.random()
        return SLOW_S * draw * 5 * (draw - 0.8) + FAST_S if draw > 0.8 else FAST_S * draw

    def kafka_away_s(self) -> float:
        """How long no broker answers from now on."""
        return self.kafka_until_s - self._loop.time()

    # -- what is on its way ----------------------------------------------------------------------

    def on_the_wire(self, process: Process, delay_s: float, arrive: Callable[[], None]) -> None:
        """It arrives, even if its sender stops; if the sender is killed, perhaps."""
        wires = self._wires.setdefault(process, {})
        number = next(self._numbers)
        wires[number] = True

        def arrives() -> None:
            if wires.pop(number):
                arrive()

        self._loop.later(delay_s, arrives)

    def cut(self, process: Process) -> None:
        """The process is dead: of what is on its way some arrives."""
        wires = self._wires.get(process, {})
        for number in wires:
            wires[number] = self._chance.random() < 0.5

    # -- asking ----------------------------------------------------------------------------------

    async def ask_redis(self, process: Process, question: Callable[[], Any]) -> Any:
        """A command and its reply.

        Raises:
            RedisError: what redis-py would raise.
        """
        fate = self._fate(self.redis_weather)
        reply = self._loop.create_future()

        def answer(result: Any, error: Exception | None) -> None:
            if not reply.done():
                if error is None:
                    reply.set_result(result)
                else:
                    reply.set_exception(error)

        def arrive() -> None:
            error: Exception | None = None
            result = None
            if self.redis_until_s > self._loop.time():
                error = self.redis_fault()
            else:
                try:
                    result = question()
                except exceptions.RedisError as failed:
                    error = failed
            if fate.is_reply_lost:
                error = exceptions.ConnectionError("the reply was lost")
            self._loop.later(fate.reply_s, answer, result, error)

        if fate.is_request_lost:
            lost = exceptions.ConnectionError("the request was lost")
            self._loop.later(fate.request_s, answer, None, lost)
        elif fate.is_late:
            kind = self._chance.choice([exceptions.TimeoutError, exceptions.ConnectionError])
            self._loop.later(fate.request_s, answer, None, kind("given up"))
            self.on_the_wire(process, fate.request_s + self._chance.random(), arrive)
        else:
            self.on_the_wire(process, fate.request_s, arrive)
        return await reply

    async def ask_kafka(
        self, process: Process, question: Callable[[], Any], away: Exception
    ) -> Any:
        """A request that changes nothing in any log.

        Raises:
            Exception: `away`, when nobody answers.
        """
        fate = self._fate(self.kafka_weather)
        reply = self._loop.create_future()

        def answer(result: Any) -> None:
            if not reply.done():
                if result is away:
                    reply.set_exception(away)
                else:
                    reply.set_result(result)

        def arrive() -> None:
            if self.kafka_away_s() > 0 or fate.is_request_lost:
                self._loop.later(0.5 + fate.reply_s, answer, away)
            else:
                self._loop.later(fate.reply_s, answer, question())

        self.on_the_wire(process, fate.request_s, arrive)
        return await reply


def _refused() -> Exception:
    return exceptions.ConnectionError("Connection refused")
