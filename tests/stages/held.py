"""A worker that was stopped while it sent: its words come when it goes on, however late that is."""

import asyncio
from collections.abc import Sequence

from stream_app.stages.evaluating import EvaluatingStage
from stream_app.stages.ports import OutRecord
from tests.stages.rig import Rig


class Held:
    """Sends that wait in a producer until they are let go."""

    def __init__(self, rig: Rig, stage: EvaluatingStage) -> None:
        self.publish, self.stage = rig.topics.publish, stage
        self.waits, self.goes_on = asyncio.Event(), asyncio.Event()
        stage.speaker._publish = self

    async def __call__(self, records: Sequence[OutRecord]) -> None:
        self.waits.set()
        await self.goes_on.wait()
        await self.publish(records)
