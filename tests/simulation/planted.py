"""Bugs planted into the machinery of exactness, one at a time: the simulation must catch each.

Each replaces a function of the product, or a line of a Lua script, for as long as it is planted.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha1
from typing import Any, Final

from stream_app.domain.totals import ScopeTotals
from stream_app.stages import words as words_module
from stream_app.stages.alert_memory import AlertMemory
from stream_app.stages.alert_outbox import AlertOutbox
from stream_app.stages.cells import CellStore
from stream_app.stages.evaluating import EvaluatingStage
from stream_app.stages.leftovers import Leftovers
from stream_app.stages.measuring import Measurer
from stream_app.stages.ports import OutRecord
from stream_app.stages.readiness import Readiness
from stream_app.stages.revisions import Revisions
from stream_app.stages.scopes import ScopeStore
from stream_app.stages.speaking import Speaker
from stream_app.state import partition as partition_module
from stream_app.state.client import ACKNOWLEDGE, COMMIT, Script, execute
from stream_app.state.errors import StoreUnavailable
from stream_app.state.partition import PartitionState
from stream_app.transport.errors import BrokerUnavailable
from stream_app.wire.dead_letter import DeadLetter


class Ground:
    """Where bugs are planted: whatever is replaced is put back."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []

    def put(self, where: Any, name: str, what: Any) -> Any:
        """Replace an attribute; returns what was there."""
        before = where.__dict__[name] if isinstance(where, type) else getattr(where, name)
        self._undo.append(lambda: setattr(where, name, before))
        setattr(where, name, what)
        return before

    def rewrite(self, script: Script, line: str, instead: str) -> None:
        """Replace a part of a Lua script, which must be there once."""
        text = script._text.decode()
        assert text.count(line) == 1, line
        mutated = text.replace(line, instead).encode()
        self.put(script, "_text", mutated)
        self.put(script, "_digest", sha1(mutated, usedforsecurity=False).hexdigest())

    def clear(self) -> None:
        """Everything is as it was."""
        while self._undo:
            self._undo.pop()()


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


def _publishing(ground: Ground, stage: type, method: str, wrap: Callable[..., Any]) -> None:
    """Wrap what a stage publishes with, while one of its methods runs."""

    async def wrapped(self: Any) -> Any:
        publish = self._publish

        async def instead(records: Sequence[OutRecord]) -> None:
            await wrap(self, publish, records)

        self._publish = instead
        try:
            return await original(self)
        finally:
            self._publish = publish

    original = ground.put(stage, method, wrapped)


def outbox_is_cleared_early(ground: Ground) -> None:
    """Partials leave the outbox before they are sent."""

    async def clear_then_send(self: Measurer, publish: Any, records: Any) -> None:
        names = dict(self._state.outbox)
        await self._state.acknowledge({n: int(v.partition(b":")[0]) for n, v in names.items()})
        await publish(records)

    _publishing(ground, Measurer, "publish_outbox", clear_then_send)


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
    _publishing(ground, Measurer, "publish_outbox", _send_and_hope)


def a_failed_send_of_values_is_forgotten(ground: Ground) -> None:
    """The same in stage two, and nobody looks."""
    ground.put(ScopeStore, "take_back", lambda _self, _scope, _standing, _own: [])
    _publishing(ground, Speaker, "flush", _send_and_hope)


async def _send_and_hope(_self: Any, publish: Any, records: Any) -> None:
    try:
        await publish(records)
    except BrokerUnavailable:
        return


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


# -- what is said --------------------------------------------------------------------------------


def dead_letters_are_keyed_wrongly(ground: Ground) -> None:
    """By partition alone."""
    ground.put(DeadLetter, "key", property(lambda self: f"{self.topic}/{self.partition}".encode()))


def a_new_owner_has_no_higher_revisions(ground: Ground) -> None:
    """Revisions are the time of day, whatever was announced."""

    def init(self: Revisions, _heard: int, wall_clock_us: Any) -> None:
        original(self, 0, wall_clock_us)

    original = ground.put(Revisions, "__init__", init)
    ground.put(Revisions, "hear", lambda _self, _limit: None)


def a_zombies_late_value_is_kept(ground: Ground) -> None:
    """Who lost a partition does not tell what it may have said too late, and nobody looks."""
    ground.put(ScopeStore, "take_back", lambda _self, _scope, _standing, _own: [])
    ground.put(Speaker, "farewell", lambda _self: [])


def ready_is_said_too_early(ground: Ground) -> None:
    """Before the log was read up to where it ended."""
    ground.put(Measurer, "is_ready", property(lambda _self: True))
    ground.put(Readiness, "has_caught_up", property(lambda _self: True))
    ground.put(
        Readiness,
        "hears_all_sources",
        property(lambda self: len(self.sources) >= self._plan.sources),
    )


def nothing_is_taken_back_after_a_loss(ground: Ground) -> None:
    """Records of scopes that are met again are thought to be unsaid, and nobody looks."""
    ground.put(ScopeStore, "take_back", lambda _self, _scope, _standing, _own: [])
    ground.put(Leftovers, "forget", lambda _self, _scopes: None)


def nobody_looks_in_a_new_reign(ground: Ground) -> None:
    """Another state version speaks on without knowing what stands."""
    ground.put(Speaker, "must_look", property(lambda _self: False))
    ground.put(Speaker, "may_speak", property(lambda self: self._granted() is not None))


def an_older_version_never_falls_silent(ground: Ground) -> None:
    """What was answered once about who speaks is believed for ever."""
    ground.put(
        Speaker,
        "must_look",
        property(lambda self: self._readiness.is_complete and not self._reign),
    )
    ground.put(Speaker, "may_speak", property(lambda self: self._reign > 0))


def a_new_owner_says_nothing_again(ground: Ground) -> None:
    """It trusts that its predecessor was heard."""

    async def begin(self: EvaluatingStage) -> None:
        await original(self)
        self.speaker._dirty.clear()

    original = ground.put(EvaluatingStage, "begin", begin)


# -- alerts and experiments ----------------------------------------------------------------------


def alerts_are_forgotten_at_a_claim(ground: Ground) -> None:
    """A new owner believes that all is well, and is alarmed again."""

    async def begin(self: AlertMemory, *args: Any) -> None:
        await original(self, *args)
        self._committed.clear()

    original = ground.put(AlertMemory, "begin", begin)


def a_change_in_doubt_is_told_again(ground: Ground) -> None:
    """Nobody looks whether a send without an acknowledgement has arrived."""
    ground.put(AlertOutbox, "doubt", lambda _self: None)


def what_another_version_told_stays(ground: Ground) -> None:
    """Nobody compares what `kpi.alerts` says with what is remembered."""
    ground.put(AlertOutbox, "compare", lambda _self: None)


def a_result_is_said_only_once(ground: Ground) -> None:
    """What an experiment says is not brought up to date."""

    def news_of(experiment: Any, totals: Any, today: int, said: Any) -> Any:
        before = set(said)
        return [news for news in original(experiment, totals, today, said) if news[0] not in before]

    original = ground.put(words_module, "news_of", news_of)


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
    a_failed_send_of_values_is_forgotten,
    nothing_is_republished_at_a_claim,
    the_last_arrival_wins,
    a_partial_is_read_from_memory_that_is_not_committed,
    a_replay_in_other_batches_keeps_old_versions,
    dead_letters_are_keyed_wrongly,
    a_new_owner_has_no_higher_revisions,
    a_zombies_late_value_is_kept,
    ready_is_said_too_early,
    nothing_is_taken_back_after_a_loss,
    a_new_owner_says_nothing_again,
    nobody_looks_in_a_new_reign,
    an_older_version_never_falls_silent,
    alerts_are_forgotten_at_a_claim,
    a_change_in_doubt_is_told_again,
    what_another_version_told_stays,
    a_result_is_said_only_once,
)


@contextmanager
def planted(bug: Callable[[Ground], None]) -> Iterator[None]:
    """A bug, for a while."""
    ground = Ground()
    try:
        bug(ground)
        yield
    finally:
        ground.clear()
