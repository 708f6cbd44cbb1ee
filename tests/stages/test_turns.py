"""Long work leaves turns to others, and leaves nothing out."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from stream_app.stages.turns import others, parts


@given(items=st.lists(st.integers(), max_size=30), each=st.integers(1, 8))
def test_parts_are_all_items_in_order_and_none_is_too_long(items: list[int], each: int) -> None:
    found = list(parts(items, each))

    assert [item for part in found for item in part] == items
    assert all(0 < len(part) <= each for part in found)


def test_between_two_parts_whoever_waits_gets_a_turn() -> None:
    told: list[str] = []

    async def heartbeat() -> None:
        told.append("heartbeat")

    async def work() -> None:
        waiting = asyncio.create_task(heartbeat())
        for part in parts("ab", each=1):
            told.extend(part)
            await others()
        await waiting

    asyncio.run(work())

    assert told == ["a", "heartbeat", "b"]
