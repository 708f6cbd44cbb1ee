"""Looks at `kpi.values` and `kpi.experiments`: who may write them, and what others left there.

every second    say that this state version lives, hear which one speaks (`state.speaking`)
a new reign     read the topic before anything is said: revisions must be above those that stand
that, or a new  read it once more when every zombie must have noticed that it is one
owner
words that came   end the reign, so that whoever speaks looks again
too late
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from stream_app.agents.partition_work import PartitionWork
from stream_app.agents.patience import Patience
from stream_app.stages.evaluating import EvaluatingStage
from stream_app.stages.standing import Standing
from stream_app.state.speaking import Speaking

ASK_SECONDS: Final = 1.0
_SILENT_PAUSE_SECONDS: Final = 0.2
"""Between two questions of a worker that has something to say and may not, or must look first."""


class Lookout:
    """Lets the stages of one worker speak, and shows them what stands."""

    def __init__(
        self,
        work: PartitionWork[EvaluatingStage],
        *,
        speaking: Speaking,
        read_standing: Callable[[], Awaitable[Standing]],
        end_reign: Callable[[], Awaitable[None]],
        patience: Patience,
        own_seconds: float,
        monotonic_s: Callable[[], float],
        tell_superseded: Callable[[str | None], None],
    ) -> None:
        """Nothing was seen yet.

        Args:
            work: the second stage of the partitions that this worker owns.
            speaking: which state version speaks.
            read_standing: reads all of both topics as they are now.
            end_reign: makes whoever speaks look again, once nothing of ours can arrive any more.
            patience: for Redis and Kafka outages.
            own_seconds: so long after a stage began nobody else takes its partition for theirs.
            monotonic_s: a clock.
            tell_superseded: told which newer state version speaks, or None.
        """
        self._work = work
        self._speaking = speaking
        self._read_standing = read_standing
        self._end_reign = end_reign
        self._patience = patience
        self._own_seconds = own_seconds
        self._monotonic_s = monotonic_s
        self._tell_superseded = tell_superseded
        self._due_s: dict[EvaluatingStage, float | None] = {}

    async def ask(self) -> None:
        """Ask who speaks, for ever: an answer holds for a lease only."""
        while True:
            stages = self._work.stages.values()
            complete = any(stage.is_ready for stage in stages)
            await self._patience(lambda: self._speaking.ask(complete=complete))  # noqa: B023
            self._tell_superseded(self._speaking.superseded_by)
            # Whoever is about to become ready must not wait for a second then.
            waits = bool(stages) and not (complete and self._speaking.reign)
            await asyncio.sleep(_SILENT_PAUSE_SECONDS if waits else ASK_SECONDS)

    async def look(self) -> None:
        """Show the stages what stands, whenever they must know it, for ever."""
        while True:
            await self.look_once()
            await asyncio.sleep(_SILENT_PAUSE_SECONDS)

    async def look_once(self) -> None:
        """Show what stands to the stages that must know it now."""
        await self._tell_of_late_words()
        stages, now_s = self._work.stages, self._monotonic_s()
        self._due_s = {
            stage: self._due_s.get(stage, now_s + self._own_seconds) for stage in stages.values()
        }
        reign = self._speaking.reign
        if reign is None:
            return
        for partition, stage in stages.items():
            # It tried while it might not, and no news may come for hours.
            if stage.speaker.is_dirty:
                self._work.wake(partition)
        curious = {
            partition: stage
            for partition, stage in stages.items()
            if stage.speaker.must_look or (stage.is_ready and self._is_due(stage, now_s))
        }
        if not curious:
            return
        standing = await self._patience(self._read_standing)
        for partition, stage in curious.items():
            if self._work.stages.get(partition) is stage:
                is_first = stage.speaker.must_look
                await stage.speaker.look(standing, reign)
                if is_first:  # what the last speaker had sent already may still come
                    self._due_s[stage] = self._monotonic_s() + self._own_seconds
                elif self._is_due(stage, now_s):
                    self._due_s[stage] = None
                self._work.wake(partition)

    async def _tell_of_late_words(self) -> None:
        speakers = [stage.speaker for stage in self._work.stages.values()]
        late = [speaker for speaker in speakers if speaker.was_too_late]
        if late:
            for speaker in late:
                speaker.was_too_late = False
            await self._patience(self._end_reign)
            for speaker in late:
                speaker.doubt_is_over()

    def _is_due(self, stage: EvaluatingStage, now_s: float) -> bool:
        due_s = self._due_s.get(stage)
        return due_s is not None and due_s <= now_s
