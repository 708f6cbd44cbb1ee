"""Which partitions this worker has claimed."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from stream_app.state.client import Client, address_of, pipelined
from stream_app.state.partition import PartitionState

TopicPartition = tuple[str, int]
"""Faust's `TP` and aiokafka's `TopicPartition` are such tuples."""


class NotClaimed(LookupError):
    """A table or partition was used that this worker does not own now."""


@dataclass(frozen=True, slots=True)
class _Left:
    """What is remembered of a claim that was given back."""

    token: str
    offset: int | None


class Claims:
    """The claims of one worker.

    Args:
        redis: made by `client.connect`.
        namespaces: topic → namespace of its keys; these are the *stateful* topics.
    """

    def __init__(self, redis: Client, namespaces: Mapping[str, str]) -> None:
        self._redis = redis
        self._namespaces = dict(namespaces)
        self._states: dict[TopicPartition, PartitionState] = {}
        self._left: dict[TopicPartition, _Left] = {}
        self._on_claimed: list[Callable[[PartitionState], None]] = []
        self._on_released: list[Callable[[TopicPartition], None]] = []

    @property
    def topics(self) -> frozenset[str]:
        """The stateful topics."""
        return frozenset(self._namespaces)

    @property
    def address(self) -> str:
        """`host:port` of the Redis that holds the claims."""
        return address_of(self._redis)

    def __iter__(self) -> Iterator[PartitionState]:
        """The partitions held now."""
        return iter(list(self._states.values()))

    def listen(
        self,
        *,
        on_claimed: Callable[[PartitionState], None] | None = None,
        on_released: Callable[[TopicPartition], None] | None = None,
    ) -> None:
        """Calls back, on the event loop and without delay, when a partition comes or goes.

        `on_claimed` gets the state before any of its records is delivered: where `unchanged` is
        set, caches may be kept. `on_released` comes at once when a rebalance begins.
        """
        if on_claimed is not None:
            self._on_claimed.append(on_claimed)
        if on_released is not None:
            self._on_released.append(on_released)

    def get(self, tp: TopicPartition) -> PartitionState | None:
        """The partition's state, if this worker has claimed it."""
        return self._states.get(tp)

    def __getitem__(self, tp: TopicPartition) -> PartitionState:
        """The partition's state.

        Raises:
            NotClaimed: it is not this worker's.
        """
        try:
            return self._states[tp]
        except KeyError:
            raise NotClaimed(
                f"{tp[0]}/{tp[1]} is not claimed by this worker; it owns "
                f"{sorted(self._states) or 'nothing'}"
            ) from None

    async def claim(
        self,
        tp: TopicPartition,
        *,
        defaults: Mapping[str, str | int] | None = None,
        verify: Callable[[PartitionState], Awaitable[None]] | None = None,
    ) -> PartitionState:
        """Claims the partition for this worker and tells the listeners.

        Args:
            tp: a partition of a stateful topic that the group assigned to this worker.
            defaults: meta fields to store where they are missing.
            verify: looks at what is stored before anybody else does, when all earlier owners are
                fenced already; what it raises ends the claim.

        Raises:
            KeyError: the topic is not stateful.
            StoreUnavailable: claim again.
            StateTorn: the stored state cannot be built upon.
        """
        self.release((tp,))
        topic, partition = tp
        state = await PartitionState.claim(
            self._redis, self._namespaces[topic], topic, partition, defaults=defaults
        )
        left = self._left.pop(tp, None)
        state.unchanged = left == _Left(state.previous_owner or "", state.offset)
        if verify is not None:
            await verify(state)
        self._states[topic, partition] = state
        for listener in self._on_claimed:
            listener(state)
        return state

    async def lost(self) -> list[TopicPartition]:
        """Claims that, as Redis says now, do not stand any more as they are known here.

        Another worker has claimed the partition, or Redis was rolled back or emptied. A commit
        would find out, but in quiet hours there is none.

        Raises:
            StoreUnavailable: not known.
        """
        held = [(state, state.offset) for state in self if state.settled]
        commands = [("HMGET", state.owner_field[0], "owner", "offset") for state, _ in held]
        replies = await pipelined(self._redis, commands)
        return [
            (state.topic, state.partition)
            for (state, offset), (owner, stored) in zip(held, replies, strict=True)
            # What was committed while Redis was asked is not comparable.
            if state.settled
            and state.offset == offset
            and (
                not state.held
                or owner != state.token.encode()
                or (stored or b"") != (b"" if offset is None else b"%d" % offset)
            )
        ]

    def release(self, tps: Iterable[TopicPartition]) -> None:
        """Gives partitions back, all at once and without asking Redis: the next claim fences us."""
        for tp in tps:
            state = self._states.pop((tp[0], tp[1]), None)
            if state is None:
                continue
            if state.held and state.settled:
                self._left[tp] = _Left(state.token, state.offset)
            state.release()
            for listener in self._on_released:
                listener(tp)
