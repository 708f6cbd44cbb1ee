"""What the simulated Redis adds to the suite of the real one: whatever a test wants to happen."""

from typing import Any

import pytest

from stream_app.state.partition import PartitionState

pytest.importorskip("lupa", reason="new here: pip install -e '.[dev]'")

from tests.simulation.redis_server import DirectClient, RedisServer


class Forgetful(RedisServer):
    """Restarts before every command, so that it knows no script."""

    def execute(self, *command: Any) -> Any:
        self._scripts.clear()
        return super().execute(*command)


async def test_a_redis_that_restarts_again_while_it_is_told_a_script_serves_all_the_same() -> None:
    redis = DirectClient(Forgetful())
    state = await PartitionState.claim(redis, "ns", "t", 0)
    state.put("rows", b"a", b"1")
    await state.commit(None, 5, None, {b"x": b"5"})
    assert await state.acknowledge({b"x": 5}) == 1
    assert (await PartitionState.claim(redis, "ns", "t", 0)).offset == 5
