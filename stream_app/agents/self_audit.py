"""The worker watches itself: does stage two hold what stage one committed?

Some cells at a time and off the hot path, cells as Redis holds them are compared: what a source
partition has committed with what the scope's partition has taken in. Both ways: cells of the
source partitions that this worker owns, and scopes of the partitions of `kpi.partials` it owns.

What is on its way is no divergence. A cell is looked at that is not in its source's outbox, so its
partial was acknowledged. Then the end of the log is asked for, and once stage two has committed up
to that end it must hold the same measures, or some of a version that is not counted yet: then the
cell changed meanwhile, or Redis was rolled back and the source is behind what it once said.

Five minutes that the source has no more are left out: it drops them when no window asks for them,
and does not say so of those that came and went while it counted anew after a loss of Redis.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from aiokafka.errors import ConsumerStoppedError, KafkaError

from stream_app.domain.placement import partition_of_scope
from stream_app.stages.cells import CELLS
from stream_app.stages.scopes import SCOPE_CELLS, SCOPES
from stream_app.state.client import Client, execute, pipelined
from stream_app.state.errors import StoreUnavailable
from stream_app.state.keys import PartitionKeys
from stream_app.wire.partial import FIVE_MINUTES_END, Cell, decode_cell, scope_of_name

logger = logging.getLogger(__name__)

INTERVAL_SECONDS: Final = 10.0
CELLS_PER_LOOK: Final = 200
SCOPES_PER_LOOK: Final = 2
CATCH_UP_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.5
_CHUNK: Final = 500
_NOTHING: Final = Cell(0, 0, 0, {})

CellOf = tuple[int, bytes]
"""(source partition, name of the cell)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where the two stages keep what is compared.

    Attributes:
        namespace: of all keys.
        events: topic of stage one.
        partials: topic of stage two.
        sources: partitions of the first.
        partitions: partitions of the second.
    """

    namespace: str
    events: str
    partials: str
    sources: int
    partitions: int

    def one(self, source: int) -> PartitionKeys:
        """Stage one's keys."""
        return PartitionKeys(self.namespace, self.events, source)

    def two(self, partition: int) -> PartitionKeys:
        """Stage two's keys."""
        return PartitionKeys(self.namespace, self.partials, partition)

    def partition_of(self, name: bytes) -> int:
        """Where a cell's scope lives."""
        return partition_of_scope(scope_of_name(name.decode()), self.partitions)


class SelfAudit:
    """Walks over the cells that this worker is responsible for, round and round.

    Args:
        redis: made by `client.connect`.
        places: where to look.
        owned: topic → partitions that this worker owns now.
        log_ends: where partitions of `kpi.partials` end now.
        show: told the number of diverging cells after every look.
        compared: told how many cells were compared.
        catch_up_seconds: stage two may be so far behind; if it is more, nothing is compared.
    """

    def __init__(
        self,
        redis: Client,
        places: Places,
        *,
        owned: Callable[[str], Collection[int]],
        log_ends: Callable[[Iterable[int]], Awaitable[Mapping[int, int]]],
        show: Callable[[int], None],
        compared: Callable[[int], None] = lambda _: None,
        catch_up_seconds: float = CATCH_UP_SECONDS,
    ) -> None:
        self._redis = redis
        self._places = places
        self._owned = owned
        self._log_ends = log_ends
        self._show = show
        self._compared = compared
        self._catch_up_seconds = catch_up_seconds
        self._cursors: dict[bytes, int] = {}
        self._diverging: set[CellOf] = set()

    async def run(self) -> None:
        """Look for ever, with pauses; while Redis or Kafka is away there is nothing to see."""
        while True:
            await asyncio.sleep(INTERVAL_SECONDS)
            # A worker that is told to stop in the middle of a look has not failed.
            with suppress(StoreUnavailable, KafkaError, TimeoutError, ConsumerStoppedError):
                await self.look()

    async def look(self) -> None:
        """Compare the next few cells of every owned partition.

        Raises:
            StoreUnavailable, KafkaError: somebody does not answer.
        """
        places = self._places
        sources, partitions = self._owned(places.events), self._owned(places.partials)
        for source in sources:
            names = await self._next(places.one(source).of(CELLS), CELLS_PER_LOOK)
            await self._compare([(source, name) for name in names])
        for partition in partitions:
            keys = places.two(partition)
            for scope in await self._next(keys.of(SCOPES), SCOPES_PER_LOOK):
                await self._compare(await self._cells_of(keys, scope))
        # Of what somebody else is responsible for by now, somebody else tells.
        self._diverging = {
            (source, name)
            for source, name in self._diverging
            if source in sources or places.partition_of(name) in partitions
        }
        self._show(len(self._diverging))

    async def _next(self, key: bytes, count: int) -> list[bytes]:
        """The next few fields of a hash, round and round."""
        cursor = self._cursors.get(key, 0)
        following, rows = await execute(self._redis, "HSCAN", key, cursor, "COUNT", count)
        self._cursors[key] = int(following)
        return list(rows)

    async def _cells_of(self, keys: PartitionKeys, scope: bytes) -> list[CellOf]:
        cells = []
        for field in await execute(self._redis, "HKEYS", keys.of((SCOPE_CELLS, scope))):
            bucket, _, source = field.rpartition(b"|")
            cells.append((int(source), b"%s|%s" % (scope, bucket)))
        return cells

    async def _compare(self, cells: Sequence[CellOf]) -> None:
        for at in range(0, len(cells), _CHUNK):
            await self._compare_some(cells[at : at + _CHUNK])

    async def _compare_some(self, cells: Sequence[CellOf]) -> None:
        before = await self._offsets()
        said = {cell: row for cell, (row, waits) in (await self._said(cells)).items() if not waits}
        if not said or not await self._is_caught_up(said):
            return
        held = await self._held(list(said))
        again = await self._said(list(said))
        after = await self._offsets()
        wrong = {
            cell
            for cell, row in said.items()
            if again[cell] == (row, False)
            and not (row is None and cell[1].endswith(FIVE_MINUTES_END))
            and _diverges(row, held[cell], min(before[cell[0]], after[cell[0]]))
        }
        self._compared(len(said))
        if new := wrong - self._diverging:
            logger.error(
                "the two stages differ in %d cells, so KPIs are wrong; see which: stream-app "
                "verify; mend: stream-app rebuild",
                len(new),
            )
        self._diverging -= said.keys()
        self._diverging |= wrong

    async def _is_caught_up(self, cells: Iterable[CellOf]) -> bool:
        """Wait until stage two has taken in all that was said before; False: not in time."""
        places = self._places
        ends = await self._log_ends({places.partition_of(name) for _, name in cells})
        commands = [("HGET", places.two(partition).meta, "offset") for partition in ends]
        clock = asyncio.get_running_loop().time
        deadline = clock() + self._catch_up_seconds
        while True:
            offsets = await pipelined(self._redis, commands)
            pairs = zip(offsets, ends.values(), strict=True)
            if all(int(offset or 0) >= end for offset, end in pairs):
                return True
            if clock() > deadline:
                return False
            await asyncio.sleep(_POLL_SECONDS)

    async def _offsets(self) -> list[int]:
        places = self._places
        commands = [("HGET", places.one(s).meta, "offset") for s in range(places.sources)]
        return [int(offset or 0) for offset in await pipelined(self._redis, commands)]

    async def _said(self, cells: Sequence[CellOf]) -> dict[CellOf, tuple[bytes | None, bool]]:
        """What stage one has of cells, and whether it still has to say so."""
        commands: list[tuple[bytes | str, ...]] = []
        for source, name in cells:
            keys = self._places.one(source)
            commands += [("HGET", keys.of(CELLS), name), ("HEXISTS", keys.outbox, name)]
        replies: list[Any] = await pipelined(self._redis, commands)
        pairs = zip(cells, replies[::2], replies[1::2], strict=True)
        return {cell: (row, bool(waits)) for cell, row, waits in pairs}

    async def _held(self, cells: Sequence[CellOf]) -> dict[CellOf, bytes | None]:
        """What stage two has of cells."""
        commands = []
        for source, name in cells:
            scope, _, bucket = name.rpartition(b"|")
            keys = self._places.two(self._places.partition_of(name))
            commands.append(("HGET", keys.of((SCOPE_CELLS, scope)), b"%s|%d" % (bucket, source)))
        return dict(zip(cells, await pipelined(self._redis, commands), strict=True))


def _diverges(said: bytes | None, held: bytes | None, counted_up_to: int) -> bool:
    """Whether the two stages, which had the time to agree, do not.

    Args:
        said: what stage one has; None: nothing, or nothing any more.
        held: what stage two has.
        counted_up_to: the source's offset.
    """
    one = _NOTHING if said is None else decode_cell(said)
    two = _NOTHING if held is None else decode_cell(held)
    return two.version <= counted_up_to and one.measures != two.measures
