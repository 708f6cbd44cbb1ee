"""How long partitions have had something to publish and published nothing.

A stage that is stuck does not tell: its offsets go on, its log is empty, and its gauges only are
what they were. Whatever it is that it waits for, this is how it is seen.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from stream_app.agents.partition_work import PartitionWork, Stage


class _Waiting(NamedTuple):
    publications: int
    since_s: float


class UnpublishedTime:
    """Measures it for all partitions that this worker owns."""

    def __init__(
        self,
        works: Sequence[PartitionWork[Any]],
        *,
        monotonic_s: Callable[[], float],
        may_be_silent: Callable[[], bool],
        show: Callable[[str, int, float], None],
    ) -> None:
        """Nothing was seen yet.

        Args:
            works: the stages.
            monotonic_s: a clock.
            may_be_silent: whether others speak instead of this worker, by agreement.
            show: told topic, partition and seconds; 0: all was said, or something just now.
        """
        self._works = works
        self._monotonic_s = monotonic_s
        self._may_be_silent = may_be_silent
        self._show = show
        self._waiting: dict[Stage, _Waiting] = {}

    def measure(self) -> None:
        """Look at all stages; to be called every now and then."""
        now_s, before = self._monotonic_s(), self._waiting
        self._waiting = {}
        for work in self._works:
            for partition, stage in work.stages.items():
                seconds = 0.0
                if stage.has_words and not self._may_be_silent():
                    waiting = before.get(stage)
                    if waiting is None or waiting.publications != stage.publications:
                        waiting = _Waiting(stage.publications, now_s)
                    self._waiting[stage] = waiting
                    seconds = now_s - waiting.since_s
                self._show(work.topic, partition, seconds)
