"""When an import keeps how far it is."""

from stream_app.intake.checkpoint import Standing
from stream_app.intake.events import Outcome
from stream_app.intake.publish import publish
from stream_app.intake.rows import Row
from tests.intake.memory_topic import MemoryTopic

ROWS = 4_000
ROW_SECONDS = 0.1


async def savings(save_seconds: float) -> int:
    """How often it is saved while 400 seconds of rows are imported."""
    now, saved = 0.0, 0

    def rows() -> list[Outcome]:
        return [Outcome(Row(number, number, [])) for number in range(1, ROWS + 1)]

    def settled(_outcome: Outcome) -> None:
        nonlocal now
        now += ROW_SECONDS

    def save() -> None:
        nonlocal now, saved
        now += save_seconds
        saved += 1

    await publish(
        rows(),
        MemoryTopic(),
        Standing(generation_ms=0),
        settled=settled,
        save=save,
        seconds=lambda: now,
        rows_in_flight=1,
    )
    return saved


async def test_it_is_kept_every_second() -> None:
    assert 350 < await savings(0.0) <= 401


async def test_what_takes_long_to_keep_takes_a_tenth_of_the_time_at_most() -> None:
    """A directory of very many names was written every second, and that took two."""
    assert await savings(2.0) <= 400 / 20 + 1
