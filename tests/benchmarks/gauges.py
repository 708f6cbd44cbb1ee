"""What 20,000 series cost the event loop: `python -m tests.benchmarks.gauges`.

Measured on two cores: 50 ms in the thread, of which
the loop waits 2-3 ms at once; the library's own rendering makes it wait 6-13 ms."""

import asyncio
import sys
import time
from collections.abc import Callable
from functools import partial

from stream_app.metrics.board import SnapshotBoard
from stream_app.metrics.kpi_gauges import KpiGauges, Page
from tests.metrics.exposing import sample

ATTEMPTS = 40
SWITCH_INTERVAL_S = sys.getswitchinterval()
WINDOWS = ("day", "week", "month", "quarter", "year", "30d", "90d", "365d")


def full_board() -> SnapshotBoard:
    board = SnapshotBoard()
    board.show()
    for rep in range(62):
        board.replace(
            (rep % 4, rep),
            [
                sample(f"kpi_{kpi}", unit="ratio", window=window, member=f"r-{rep}", value=kpi / 7)
                for kpi in range(40)
                for window in WINDOWS
            ],
        )
    return board


async def longest_wait_s(work: Callable[[], Page]) -> tuple[float, Page]:
    """How long the loop was kept from its next turn while a thread did the work."""
    loop = asyncio.get_running_loop()
    finished = asyncio.ensure_future(asyncio.to_thread(work))
    longest, last = 0.0, time.perf_counter()
    while not finished.done():
        turn = loop.create_future()
        loop.call_soon(turn.set_result, None)
        await turn
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    return longest, finished.result()


async def main() -> None:
    """Print the waits of some renderings; other programs' load can only lengthen them."""
    waits_s = []
    for _ in range(ATTEMPTS):
        render = partial(KpiGauges(currency="EUR").render, full_board().snapshot())
        wait_s, page = await longest_wait_s(render)
        waits_s.append(wait_s)
    waits_s.sort()
    print(f"{page.series:,} series; longest wait of the loop while a thread renders them:")
    print(f"least {waits_s[0] * 1000:.1f} ms, median {waits_s[len(waits_s) // 2] * 1000:.1f} ms")
    print(f"(a thread that does not pause itself holds on for {SWITCH_INTERVAL_S * 1000:.0f} ms)")


if __name__ == "__main__":
    asyncio.run(main())
