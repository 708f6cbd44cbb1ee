"""What goes wrong, and when: drawn from the seed before anything happens."""

import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from redis import exceptions

from tests.simulation.company import ALERTS, PARTIALS, VALUES
from tests.simulation.network import Weather

if TYPE_CHECKING:
    from tests.simulation.worker import Worker
    from tests.simulation.world import World

Fault = Callable[["World"], None]

PERIODS = 4


def schedule(chance: random.Random, span_s: float) -> Iterator[tuple[float, Fault]]:
    """(seconds from the beginning, fault): 3 to 8, or 10 to 24; a quarter of the time is quiet."""
    count = chance.randrange(10, 25) if chance.random() < 0.25 else chance.randrange(3, 9)
    length_s = span_s / PERIODS
    loud = [period for period in range(PERIODS) if chance.random() > 0.25]
    if not loud:
        return
    for _ in range(count):
        at_s = length_s * (chance.choice(loud) + chance.random())
        yield at_s, _named(chance.choice(FAULTS), chance.random(), chance.random())


def _named(fault: "Callable[[World, float, float], None]", one: float, two: float) -> Fault:
    def happens(world: "World") -> None:
        world.count(fault.__name__)
        world.note("fault", fault.__name__.replace("_", " "))
        fault(world, one, two)

    return happens


def _somebody(world: "World", drawn: float) -> "Worker | None":
    alive = world.alive()
    return alive[int(drawn * len(alive))] if alive else None


def kill_now(world: "World", who: float, again: float) -> None:
    if worker := _somebody(world, who):
        world.kill(worker)
        world.loop.later(2 * again, world.start_worker)


def kill_at_a_step(world: "World", who: float, when: float) -> None:
    worker = _somebody(world, who)
    if worker is None:
        return

    def dies() -> None:
        world.kill(worker)
        world.loop.later(when, world.start_worker)

    worker.process.dies_at = worker.process.steps + int(60 * when)
    worker.process.on_death = dies


def pause(world: "World", who: float, how_long: float) -> None:
    """SIGSTOP and, mostly after the session timed out, SIGCONT."""
    worker = _somebody(world, who)
    if worker is None or worker.process.is_paused:
        return
    worker.process.is_paused = True
    world.note(worker.name, "is paused")

    def resume() -> None:
        if worker.process.is_paused and worker.process.is_alive:
            world.note(worker.name, "goes on")
            world.loop.resume(worker.process)

    world.loop.later(0.2 + 5.0 * how_long, resume)


def another_worker(world: "World", _one: float, _two: float) -> None:
    if len(world.alive()) < 4:
        world.start_worker()


def rebalance(world: "World", _one: float, _two: float) -> None:
    for group in world.groups.values():
        if group.members:
            group.rebalance()


def redis_is_rolled_back(world: "World", how_far: float, how_long: float) -> None:
    _redis_restarts(world, 0.3 * how_long)
    undone = world.redis.roll_back(1 + int(12 * how_far))
    world.redis_forgot = True
    world.note("redis", "loses", undone, "writes")
    world.watch.went_back()
    world.watch.forget_floor()


def redis_is_wiped(world: "World", _one: float, how_long: float) -> None:
    _redis_restarts(world, 0.3 * how_long)
    world.redis.wipe()
    world.wipes += 1
    world.redis_forgot = True
    world.watch.went_back()


def redis_is_away(world: "World", why: float, how_long: float) -> None:
    kinds = (
        lambda: exceptions.ConnectionError("Connection refused"),
        lambda: exceptions.TimeoutError("Timeout reading"),
        lambda: exceptions.BusyLoadingError("LOADING"),
        lambda: exceptions.ReadOnlyError("READONLY"),
        lambda: exceptions.OutOfMemoryError("OOM"),
    )
    world.network.redis_fault = kinds[int(why * len(kinds))]
    world.network.redis_until_s = world.loop.time() + 2.0 * how_long


def redis_connections_break(world: "World", how_bad: float, how_long: float) -> None:
    bad = 0.4 * how_bad
    world.network.redis_weather = Weather(bad, bad, bad)
    world.loop.later(2.0 * how_long, _clear_redis, world)


def kafka_is_away(world: "World", _one: float, how_long: float) -> None:
    world.network.kafka_until_s = world.loop.time() + 4.0 * how_long


def sends_fail(world: "World", how_bad: float, how_long: float) -> None:
    bad = 0.3 * how_bad
    world.network.kafka_weather = Weather(bad, bad, bad)
    world.loop.later(2.5 * how_long, _clear_kafka, world)


def a_topic_is_compacted(world: "World", keep: float, which: float) -> None:
    tps = [tp for topic in (PARTIALS, VALUES, ALERTS) for tp, _ in world.logs.of(topic)]
    tp = tps[int(which * len(tps))]
    world.compacted.add(tp)
    world.note("kafka", "removes", world.logs.compact(tp, int(5 * keep)), "records of", tp)


def time_passes(world: "World", how_much: float, _two: float) -> None:
    """All clocks go on by minutes, hours or days while nothing happens."""
    spans = (timedelta(minutes=5), timedelta(hours=7), timedelta(days=1), timedelta(days=5))
    if world.company.is_wall_clock:
        world.jumped_us += round(spans[int(how_much * 4)].total_seconds() * 1_000_000)


def _redis_restarts(world: "World", away_s: float) -> None:
    world.network.redis_fault = lambda: exceptions.ConnectionError("Connection reset")
    world.network.redis_until_s = world.loop.time() + away_s


def _clear_redis(world: "World") -> None:
    world.network.redis_weather = Weather()


def _clear_kafka(world: "World") -> None:
    world.network.kafka_weather = Weather()


FAULTS = (
    kill_now,
    kill_at_a_step,
    kill_at_a_step,
    pause,
    pause,
    another_worker,
    rebalance,
    redis_is_rolled_back,
    redis_is_rolled_back,
    redis_is_wiped,
    redis_is_away,
    redis_connections_break,
    kafka_is_away,
    sends_fail,
    sends_fail,
    a_topic_is_compacted,
    time_passes,
)
