"""Whether what stage two knows of one partition is the whole truth yet, and what "now" it is of."""

import msgspec

from stream_app.stages.evaluation import Evaluation
from stream_app.stages.ports import State


class Readiness:
    """How far one partition of `kpi.partials` is.

    Attributes:
        now_us: the instant that values are of; 0: not known yet.
        began_empty: nothing was stored when the partition was claimed.
        sources: partitions of `crm.events` that said that they had caught up with their logs.
        rebuilds: source → how far in its log it is known to be ready, or to be rebuilt.
    """

    def __init__(self, state: State, plan: Evaluation) -> None:
        """As it was committed."""
        self._state = state
        self._plan = plan
        self.began_empty = state.offset is None
        self.restore()

    def restore(self) -> None:
        """What was heard and not committed was not heard."""
        meta = self._state.meta
        clock, fixed = self._plan.clock, self._plan.fixed_now_us
        told_us = int(meta.get("now_us", 0)) if meta.get("clock", clock) == clock else 0
        self.now_us = fixed if fixed is not None else told_us
        self.sources = set(msgspec.json.decode(meta.get("ready", "[]"), type=list[str]))
        self.rebuilds = msgspec.json.decode(meta.get("rebuilds", "{}"), type=dict[str, int])

    @property
    def hears_all_sources(self) -> bool:
        """Whether all sources have caught up with the log as it was when they began, and we too.

        After a loss of Redis the topic still says from before that they are ready, until those who
        begin again take it back.
        """
        return self.would_hear_all(self._state.offset or 0, len(self.sources))

    def would_hear_all(self, offset: int, sources: int) -> bool:
        """Whether they have when records up to an offset are read and so many sources are ready."""
        rebuild_until = int(self._state.meta.get("rebuild_until", 0))
        return offset >= rebuild_until and sources >= self._plan.sources

    @property
    def has_caught_up(self) -> bool:
        """Whether all was read that was there when the partition was claimed.

        Until then nothing is said: values would go back after a Redis that was rolled back, and
        revisions that predecessors announced would not be known.
        """
        return (self._state.offset or 0) >= self._state.log_end

    @property
    def is_complete(self) -> bool:
        """Whether what is said is the whole truth, and there is a "now" to say it of."""
        return self.hears_all_sources and self.has_caught_up and self.now_us > 0
