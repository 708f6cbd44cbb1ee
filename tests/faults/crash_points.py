"""The named crash points, all of them: places where a worker ends as if by SIGKILL.

They are not in the program: `arm` puts one into the methods that every commit, send, clear and
advisory commit of both stages goes through, and only `tests.faults.crashing_worker` calls it. So
nobody can reach one in production, and the hot path does not even ask.

    measure.before_claim       measure.after_claim        the owner token is written in Redis
    measure.before_commit      measure.after_commit       state, counts, outbox and offset
    measure.before_send        measure.after_send         partials and dead letters
    measure.amid_send                                     one half was sent, the other was not
    measure.before_clear       measure.after_clear        acknowledged names leave the outbox
    evaluate.…                                            the same of stage two, which sends values
    clock.before_send          clock.after_send           ticks
    advisory.before_commit     advisory.after_commit      the offsets that Kafka is told of
"""

import os
from collections.abc import Callable, Sequence
from typing import Any, Final

from stream_app.runtime import Runtime
from stream_app.stages.ports import OutRecord
from stream_app.state.partition import PartitionState
from stream_app.transport.consumer import BatchConsumer
from stream_app.wire.partial import CLOCK, parse_key

EXIT_STATUS: Final = 137
"""As a shell tells a death by SIGKILL."""

_OF_BOTH_STAGES: Final = (
    *("before_claim", "after_claim", "before_commit", "after_commit"),
    *("before_send", "amid_send", "after_send", "before_clear", "after_clear"),
)
POINTS: Final = (
    *(f"{stage}.{place}" for stage in ("measure", "evaluate") for place in _OF_BOTH_STAGES),
    *("clock.before_send", "clock.after_send", "advisory.before_commit", "advisory.after_commit"),
)

Passed = Callable[[str], None]


def arm(spec: str) -> None:
    """End this process, as suddenly as SIGKILL does, at a crash point.

    Args:
        spec: `<point>:<count>`, at the how-manieth time that it is passed.

    Raises:
        ValueError: there is no such point.
    """
    point, _, count = spec.partition(":")
    if point not in POINTS:
        raise ValueError(f"there is no crash point {point!r}; expected one of {', '.join(POINTS)}")
    passed = _Countdown(point, int(count or 1))
    _surround(PartitionState, "_take", "claim", _stage_of, passed)
    _surround(PartitionState, "commit", "commit", _stage_of, passed)
    _surround(PartitionState, "acknowledge", "clear", _stage_of, passed)
    _surround(BatchConsumer, "_commit", "commit", lambda _: "advisory", passed)
    _surround_sending(passed)


class _Countdown:
    """Called with the name of every point that is passed."""

    def __init__(self, point: str, count: int) -> None:
        self._point = point
        self._left = count

    def __call__(self, name: str) -> None:
        if name != self._point:
            return
        self._left -= 1
        if not self._left:
            os._exit(EXIT_STATUS)


def _surround(
    owner: Any, method: str, step: str, stage_of: Callable[[Any], str], passed: Passed
) -> None:
    real = getattr(owner, method)

    async def surrounded(self: Any, *args: Any) -> Any:
        stage = stage_of(self)
        passed(f"{stage}.before_{step}")
        result = await real(self, *args)
        passed(f"{stage}.after_{step}")
        return result

    setattr(owner, method, surrounded)


def _surround_sending(passed: Passed) -> None:
    real = Runtime.publish

    async def surrounded(self: Runtime, records: Sequence[OutRecord]) -> None:
        stage = _sender_of(records)
        passed(f"{stage}.before_send")
        half = len(records) // 2
        await real(self, records[:half])
        passed(f"{stage}.amid_send")
        await real(self, records[half:])
        passed(f"{stage}.after_send")

    Runtime.publish = surrounded  # type: ignore[method-assign]


def _stage_of(state: PartitionState) -> str:
    return "evaluate" if "kpi.partials" in state.topic else "measure"


def _sender_of(records: Sequence[OutRecord]) -> str:
    for record in records:
        if "kpi.values" in record.topic:
            return "evaluate"
        if "kpi.ticks" in record.topic:
            return "clock"
        if "kpi.partials" in record.topic and record.key is not None:
            return "clock" if parse_key(record.key) == (CLOCK, 0, "wall") else "measure"
    return "measure"
