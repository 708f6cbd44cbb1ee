"""Long work in parts, so that heartbeats, pages and other partitions wait for a part, not for all.

Whoever works so holds a lock meanwhile: nobody sees what is half done.

    for part in parts(records):
        …
        await others()
"""

import asyncio
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final, TypeVar

_Item = TypeVar("_Item")

PART: Final = 250
"""Items of some 100 µs each make a part of some 25 ms."""


def parts(items: Iterable[_Item], each: int = PART) -> Iterator[list[_Item]]:
    """Consecutive items, `each` of them or fewer at the end."""
    rest = iter(items)
    while part := list(islice(rest, each)):
        yield part


async def others() -> None:
    """Everybody else on the loop has a turn."""
    await asyncio.sleep(0)
