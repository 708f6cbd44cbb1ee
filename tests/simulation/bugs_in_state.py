"""Bugs planted into what is committed, kept in the outbox, and passed from stage to stage."""

import asyncio
from typing import Any, Final

from stream_app.domain.totals import ScopeTotals
from stream_app.stages.cells import CellStore
from stream_app.stages.measuring import Measurer
from stream_app.state import partition as partition_module
from stream_app.state.client import ACKNOWLEDGE, COMMIT, execute
from stream_app.state.errors import StoreUnavailable
from stream_app.state.partition import PartitionState
from tests.simulation.ground import Ground, publishing, send_and_hope

# -- the commit ----------------------------------------------------------------------------------


def no_owner_check(ground: Ground) -> None:
    """The commit does not ask who the owner is."""
    ground.rewrite(COMMIT, "if owner ~= ARGV[1] then", "if false then")


def offset_is_not_compared(ground: Ground) -> None:
    """The commit does not ask where the state stands."""
    ground.rewrite(COMMIT, "if offset ~= ARGV[2] then", "if false then")


def offset_before_state(ground: Ground) -> None:
    """The offset is stored first, the rows after it."""

    async def commit(
        self: PartitionState, expected: Any, following: int, meta: Any = None, outbox: Any = None
    ) -> None:
        batch, self._batch = self._batch, type(self._batch)()
        await original(self, expected, following, meta, outbox)
        for place, rows in batch._writes.items():
            key = self._keys.of(place)
            for field, value in rows.items():
                if value is None:
                    await execute(self._redis, "HDEL", key, field)
                else:
                    await execute(self._redis, "HSET", key, field, value)

    original = ground.put(PartitionState, "commit", commit)


def memory_is_kept_after_a_failed_commit(ground: Ground) -> None:
    """A batch that was not committed is remembered all the same."""
    ground.put(Measurer, "forget", lambda _self: None)


def a_batch_that_fails_is_acknowledged(ground: Ground) -> None:
    """An exception skips the batch, as stock Faust does."""

    async def take(self: Measurer, records: Any, next_offset: int) -> Any:
        try:
            return await original(self, records, next_offset)
        except StoreUnavailable:
            await self._patiently(lambda: self._state.commit(self._state.offset, next_offset))

    original = ground.put(Measurer, "take", take)


def reading_goes_on_at_kafkas_offset(ground: Ground) -> None:
    """After a rollback the group's committed offset decides, which is ahead of Redis."""
    told: dict[tuple[Any, str, int], int] = {}

    def known(self: PartitionState) -> tuple[Any, str, int]:
        return getattr(self._redis, "server", None), self.topic, self.partition

    async def commit(self: PartitionState, expected: Any, following: int, *rest: Any) -> None:
        await original(self, expected, following, *rest)
        told[known(self)] = following

    original = ground.put(PartitionState, "commit", commit)
    position = PartitionState.position.fget  # type: ignore[attr-defined]
    ground.put(
        PartitionState,
        "position",
        property(lambda self: max(position(self), told.get(known(self), 0))),
    )


def an_overtaken_batch_goes_on(ground: Ground) -> None:
    """A stage does not notice that its claim is over while it works."""
    ground.put(PartitionState, "require_held", lambda _self: None)


# -- the outbox ----------------------------------------------------------------------------------


def outbox_is_cleared_early(ground: Ground) -> None:
    """Partials leave the outbox before they are sent."""

    async def clear_then_send(self: Measurer, publish: Any, records: Any) -> None:
        names = dict(self._state.outbox)
        await self._state.acknowledge({n: int(v.partition(b":")[0]) for n, v in names.items()})
        await publish(records)

    publishing(ground, Measurer, "publish_outbox", clear_then_send)


def outbox_is_cleared_whatever_its_version(ground: Ground) -> None:
    """What changed while it was sent leaves the outbox, too."""
    ground.rewrite(ACKNOWLEDGE, "if version == ARGV[from + 2 * i - 1] then", "if values[i] then")
    ground.put(partition_module, "version_of", lambda _value: _Any())


class _Any:
    """Equal to everything."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


def a_failed_send_of_partials_is_forgotten(ground: Ground) -> None:
    """No acknowledgement is taken for one."""
    publishing(ground, Measurer, "publish_outbox", send_and_hope)


def nothing_is_republished_at_a_claim(ground: Ground) -> None:
    """What a predecessor committed and did not send stays unsent."""

    async def take(self: PartitionState, defaults: Any) -> None:
        await original(self, defaults)
        self.outbox.clear()

    original = ground.put(PartitionState, "_take", take)


# -- between the stages --------------------------------------------------------------------------


def the_last_arrival_wins(ground: Ground) -> None:
    """Stage two believes the partial that came last instead of the newest version."""

    def put(self: ScopeTotals, bucket: int, source: str, version: int, measures: Any) -> Any:
        held = self._partials.get((bucket, source))
        if held is not None:
            self._partials[bucket, source] = (-1, held[1])
        return original(self, bucket, source, version, measures)

    original = ground.put(ScopeTotals, "put", put)


def a_partial_is_read_from_memory_that_is_not_committed(ground: Ground) -> None:
    """Publishing does not wait for a batch under way, and sees its cells."""

    async def change(self: CellStore, *args: Any) -> Any:
        changed = await original(self, *args)
        self._cache.update(self._changed)
        return changed

    original = ground.put(CellStore, "change", change)
    _without_lock(ground, Measurer)


def _without_lock(ground: Ground, stage: type) -> None:
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        self._lock = _NoLock()

    original = ground.put(stage, "__init__", init)


class _NoLock:
    async def __aenter__(self) -> None:
        await asyncio.sleep(0)

    async def __aexit__(self, *_: object) -> None:
        return


def a_replay_in_other_batches_keeps_old_versions(ground: Ground) -> None:
    """What cancels out within a batch is not published, even if it was before a rollback."""
    ground.put(Measurer, "_take", _with_log_end_zero(Measurer._take))


def _with_log_end_zero(original: Any) -> Any:
    async def take(self: Measurer, records: Any, next_offset: int) -> Any:
        state, self._state = self._state, _Endless(self._state)  # type: ignore[assignment]
        try:
            return await original(self, records, next_offset)
        finally:
            self._state = state

    return take


class _Endless:
    """A state that does not know where the log ended."""

    log_end = 0

    def __init__(self, state: Any) -> None:
        self._real = state

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


BUGS: Final = (
    no_owner_check,
    offset_is_not_compared,
    offset_before_state,
    memory_is_kept_after_a_failed_commit,
    a_batch_that_fails_is_acknowledged,
    reading_goes_on_at_kafkas_offset,
    an_overtaken_batch_goes_on,
    outbox_is_cleared_early,
    outbox_is_cleared_whatever_its_version,
    a_failed_send_of_partials_is_forgotten,
    nothing_is_republished_at_a_claim,
    the_last_arrival_wins,
    a_partial_is_read_from_memory_that_is_not_committed,
    a_replay_in_other_batches_keeps_old_versions,
)
