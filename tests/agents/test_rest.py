"""A rest lasts as long as others use the processor."""

from stream_app.agents.rest import Rest


class Machine:
    """Time that goes by only in a rest, and how much of it the process uses."""

    def __init__(self, shares: list[float]) -> None:
        self.now_s = self.used_s = 0.0
        self.shares = shares

    async def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        self.used_s += seconds * self.shares.pop(0)

    async def rested(self, longest_s: float) -> float:
        rest = Rest(
            monotonic_s=lambda: self.now_s, processor_s=lambda: self.used_s, sleep=self.sleep
        )
        await rest(longest_s)
        return round(self.now_s, 6)


async def test_while_others_are_busy_a_rest_lasts_as_long_as_it_may() -> None:
    assert await Machine([0.5] * 100).rested(0.5) == 0.5


async def test_a_rest_that_nobody_uses_is_over_after_one_look() -> None:
    assert await Machine([0.01]).rested(0.5) == 0.02


async def test_a_rest_is_over_when_the_others_have_done_their_work() -> None:
    assert await Machine([1.0, 0.9, 0.0]).rested(0.5) == 0.06


async def test_a_rest_is_never_longer_than_asked_for() -> None:
    assert await Machine([1.0, 1.0]).rested(0.025) == 0.025
    assert await Machine([]).rested(0.0) == 0.0
