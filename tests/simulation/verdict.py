"""Whether a world that came to rest counted everything, once, and said so to everybody."""

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

from stream_app.state.keys import PartitionKeys
from stream_app.verification.compare import compare_values
from stream_app.verification.conservation import Committed, conservation_differences
from stream_app.verification.letters import FoundLetters, letter_differences, surplus_letters
from stream_app.verification.outcomes import OUTCOMES
from stream_app.verification.recompute import Recomputation
from stream_app.verification.results import ResultRounds
from tests.simulation.alarms import in_peace, partition_of_alert
from tests.simulation.company import (
    DEAD,
    EVENTS,
    EXPERIMENTS,
    PARTIALS,
    PARTIALS_PARTITIONS,
    SOURCES,
    Line,
)

if TYPE_CHECKING:
    from tests.simulation.world import World


def problems(world: "World", line: Line, now_us: int | None, *, is_fresh: bool) -> Iterator[str]:
    """Every difference from what the log says, by one plain pass over it.

    Args:
        world: nobody has anything to do in it.
        line: the state version that speaks.
        now_us: the last tick, where there are ticks.
        is_fresh: everybody has just begun from what Redis holds. Others may know more than Redis,
            if it went back while they had nothing to do.
    """
    truth = Recomputation(
        line.company.config,
        line.company.catalogue,
        line.company.plan.alerts.goals,
        line.company.plan.alerts.working,
    )
    for partition in range(SOURCES):
        truth.begin(partition, 0)
    for (_, partition), log in world.logs.of(EVENTS):
        for record in log:
            truth.add(partition, record)
    now_us = truth.now_us(now_us)
    yield from _value_problems(world, truth, now_us)
    yield from _result_problems(world, truth, now_us)
    yield from _letter_problems(world, truth)
    if is_fresh:
        yield from _state_problems(world, line, truth)


def _value_problems(world: "World", truth: Recomputation, now_us: int | None) -> Iterator[str]:
    if now_us is None:
        return
    expected = list(truth.values(now_us))
    found = compare_values(expected, world.watch.subscriber.values)
    for differences in found.by_key.values():
        yield from map(str, differences)
    last = {key: value for key, value in world.watch.last.items() if value is not None}
    for differences in compare_values(expected, last).by_key.values():
        yield from (f"(by offset) {difference}" for difference in differences)


def _result_problems(world: "World", truth: Recomputation, now_us: int | None) -> Iterator[str]:
    if now_us is None:
        return
    found: dict[bytes, bytes | None] = {}
    for _, log in world.logs.of(EXPERIMENTS):
        found.update({record.key or b"": record.value for record in log})
    standing = {key: value for key, value in found.items() if value is not None}
    yield from map(str, ResultRounds().compare(truth.results(now_us), standing, {}))


_OVER = (None, "ok", "resolved")
"""What one state version calls resolved may never have been anything for the other."""


async def alert_problems(world: "World", line: Line) -> AsyncIterator[str]:
    """What `kpi.alerts` says that is not so, in a world where nobody has anything to do."""
    listener = world.watch.listener
    remembered = {
        key.encoded(): alert
        for worker in world.alive()
        for (topic, _), stage in worker.stages()
        if topic == line.partials
        for key, alert in stage._alerts._memory.standing.items()
        if alert.told
    }
    for key in sorted(remembered.keys() | listener.last.keys()):
        alert, told = remembered.get(key), listener.last.get(key)
        stands, is_told = alert and alert.state, told and told.state
        if world.is_rolled_out and stands in _OVER and is_told in _OVER:
            continue
        if stands != is_told:
            yield f"the alert {key.decode()} is {stands}, kpi.alerts says {is_told}"
    if not line.company.is_wall_clock:
        return  # elsewhere alerts are looked at batch by batch
    if world.is_rolled_out:
        return  # each state version moves its own alerts, by its own ticks
    for partition in range(PARTIALS_PARTITIONS):
        if partition in world.watch.forgotten or (PARTIALS, partition) in world.compacted:
            continue
        meta = world.redis.hashes.get(PartitionKeys(line.namespace, PARTIALS, partition).meta, {})
        records = world.watch.partials[partition]
        made = await in_peace(
            line.company, partition, records, int(meta.get(b"rebuild_until", b"0"))
        )
        told_here = {
            k: ids for k, ids in listener.ids.items() if partition_of_alert(k) == partition
        }
        world.outcome.counts["alerts compared"] += sum(map(len, made.values()))
        for key in sorted(made.keys() | told_here.keys()):
            must, does = made.get(key, []), [*told_here.get(key, ())]
            if must != does:
                yield f"{key.decode()} was told {does}, in peace it is {must}"


def _letter_problems(world: "World", truth: Recomputation) -> Iterator[str]:
    letters = FoundLetters()
    for _, log in world.logs.of(DEAD):
        for record in log:
            headers = dict(record.headers)
            key = f"{EVENTS}/{int(_said(headers, 'partition'))}/{int(_said(headers, 'offset'))}"
            if record.key != key.encode():
                yield f"a dead letter of {key} has the key {record.key!r}"
            coordinates = int(_said(headers, "partition")), int(_said(headers, "offset"))
            letters.note(coordinates, _said(headers, "reason"))
    ends = {p: world.logs.end((EVENTS, p)) for p in range(SOURCES)}
    begins = dict.fromkeys(range(SOURCES), 0)
    yield from map(str, letter_differences(EVENTS, truth.dead_letters, letters))
    yield from map(str, surplus_letters(EVENTS, truth.dead_letters, letters, ends, begins))


def _state_problems(world: "World", line: Line, truth: Recomputation) -> Iterator[str]:
    for partition in range(SOURCES):
        keys = PartitionKeys(line.namespace, EVENTS, partition)
        meta = world.redis.hashes.get(keys.meta, {})
        committed = Committed(
            int(meta[b"offset"]) if b"offset" in meta else None,
            {outcome: int(meta.get(outcome.encode(), b"0")) for outcome in OUTCOMES},
        )
        end = world.logs.end((EVENTS, partition))
        yield from map(
            str,
            conservation_differences(
                f"{EVENTS}/{partition}", truth.outcomes[partition], end, committed
            ),
        )
    for topic in (EVENTS, line.partials):
        for partition in range(world.logs.partitions[topic]):
            outbox = world.redis.hashes.get(PartitionKeys(line.namespace, topic, partition).outbox)
            if outbox:
                yield f"the outbox of {topic}/{partition} still holds {sorted(outbox)[:3]}"


def _said(headers: dict[str, bytes | None], name: str) -> str:
    return (headers.get(name) or b"").decode()
