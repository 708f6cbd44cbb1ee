"""One state version speaks at a time: the last that was begun and is complete, while it lives."""

from collections.abc import Callable
from itertools import count

import pytest
from redis.asyncio import Redis

from stream_app.state.client import Client, connect
from stream_app.state.speaking import Speaking, speaking_key


class Clocks:
    """Monotonic clocks of workers that stand still until they are moved."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clocks:
    return Clocks()


@pytest.fixture
def worker(redis: Client, clock: Clocks) -> Callable[[str], Speaking]:
    def make(version: str) -> Speaking:
        return Speaking(
            redis, "pre.", version, lease_s=10.0, monotonic_s=clock, wall_clock_us=lambda: 0
        )

    return make


async def died_out(redis: Redis, version: str) -> None:
    """No worker of a version was heard of for a lease."""
    assert await redis.delete(f"{speaking_key('pre.')}:alive:{version}")


async def test_who_is_alone_speaks_at_once_when_it_is_complete(
    worker: Callable[[str], Speaking],
) -> None:
    alone = worker("a")
    await alone.ask(complete=False)
    assert alone.reign is None
    await alone.ask(complete=True)

    assert alone.reign == 1


async def test_workers_of_one_version_share_a_reign(worker: Callable[[str], Speaking]) -> None:
    first, second = worker("a"), worker("a")
    await first.ask(complete=True)
    await second.ask(complete=False)

    assert first.reign == second.reign == 1


async def test_an_answer_holds_for_a_lease_and_no_longer(
    worker: Callable[[str], Speaking], clock: Clocks
) -> None:
    sleeper = worker("a")
    await sleeper.ask(complete=True)
    clock.now_s += 9.9
    assert sleeper.reign == 1
    clock.now_s += 0.2

    assert sleeper.reign is None


async def test_a_newer_version_speaks_once_it_is_complete_and_the_older_knows_it(
    worker: Callable[[str], Speaking], redis: Client, clock: Clocks
) -> None:
    older, newer = worker("a"), worker("b")
    await older.ask(complete=True)
    await newer.ask(complete=False)
    await older.ask(complete=True)
    assert (older.reign, newer.reign, older.superseded_by) == (1, None, None)

    await newer.ask(complete=True)
    await older.ask(complete=True)

    assert (older.reign, older.superseded_by) == (None, "b")
    assert newer.reign is None, "the older one's last answer may still hold"
    clock.now_s += 10.0
    await redis.delete(f"{speaking_key('pre.')}:quiet")
    await newer.ask(complete=True)
    assert newer.reign == 2


async def test_when_the_newer_version_has_died_out_the_older_one_speaks_again(
    worker: Callable[[str], Speaking], redis: Client
) -> None:
    older, newer = worker("a"), worker("b")
    await older.ask(complete=True)
    await newer.ask(complete=True)
    await died_out(redis, "b")
    await redis.delete(f"{speaking_key('pre.')}:quiet")
    await older.ask(complete=True)

    assert (older.reign, older.superseded_by) == (3, None)


async def test_going_back_to_a_version_whose_workers_were_stopped_makes_it_the_newest(
    worker: Callable[[str], Speaking], redis: Client
) -> None:
    await worker("a").ask(complete=True)
    await died_out(redis, "a")
    newer = worker("b")
    await newer.ask(complete=True)
    back = worker("a")
    await back.ask(complete=True)
    await newer.ask(complete=True)

    assert newer.superseded_by == "a"
    assert back.superseded_by is None


async def test_a_worker_that_starts_again_is_not_newer_than_its_version(
    worker: Callable[[str], Speaking],
) -> None:
    await worker("a").ask(complete=True)
    await worker("b").ask(complete=True)
    again = worker("a")
    await again.ask(complete=True)

    assert (again.reign, again.superseded_by) == (None, "b")


async def test_companies_with_other_prefixes_do_not_meet(redis: Client, clock: Clocks) -> None:
    ours = Speaking(redis, "pre.", "a", lease_s=10.0, monotonic_s=clock, wall_clock_us=lambda: 0)
    theirs = Speaking(
        redis, "other.", "b", lease_s=10.0, monotonic_s=clock, wall_clock_us=lambda: 0
    )
    await ours.ask(complete=True)
    await theirs.ask(complete=True)

    assert (ours.reign, theirs.reign) == (1, 1)


async def test_the_rights_that_are_asked_of_an_acl_user_suffice(redis: Client) -> None:
    rights = "~stream-app:* +@hash +@keyspace +@scripting +@connection +info"
    await redis.execute_command("ACL", "SETUSER", "worker", "on", "nopass", *rights.split())
    port = redis.connection_pool.connection_kwargs["port"]
    with_rights = connect(f"redis://worker:any@127.0.0.1:{port}/0")
    try:
        speaking = Speaking(
            with_rights, "pre.", "a", lease_s=10.0, monotonic_s=lambda: 0.0, wall_clock_us=lambda: 0
        )
        await speaking.ask(complete=True)
        rival = Speaking(
            with_rights, "pre.", "b", lease_s=10.0, monotonic_s=lambda: 0.0, wall_clock_us=lambda: 0
        )
        await rival.ask(complete=True)
    finally:
        await with_rights.aclose()
        await redis.execute_command("ACL", "DELUSER", "worker")

    assert speaking.reign == 1


async def test_who_takes_the_word_waits_for_the_lease_of_the_one_that_has_it(
    redis: Client, clock: Clocks
) -> None:
    older = Speaking(
        redis, "pre.", "older", lease_s=45.0, monotonic_s=clock, wall_clock_us=lambda: 0
    )
    newer = Speaking(
        redis, "pre.", "newer", lease_s=1.0, monotonic_s=clock, wall_clock_us=lambda: 0
    )
    await older.ask(complete=True)
    await newer.ask(complete=True)

    assert 44_000 < await redis.pttl(f"{speaking_key('pre.')}:quiet") <= 45_000
    assert newer.reign is None


async def test_a_redis_that_falls_back_does_not_give_a_reigns_number_to_another_one(
    clock: Clocks, redis: Client
) -> None:
    times = count(5_000)

    def worker(version: str) -> Speaking:
        return Speaking(
            redis,
            "pre.",
            version,
            lease_s=10.0,
            monotonic_s=clock,
            wall_clock_us=lambda: next(times),
        )

    older = worker("a")
    await older.ask(complete=True)
    before = await redis.hgetall(speaking_key("pre."))
    await died_out(redis, "a")
    newer = worker("b")
    await newer.ask(complete=True)
    await redis.delete(speaking_key("pre."))
    await redis.hset(speaking_key("pre."), mapping=before)
    await died_out(redis, "b")
    third = worker("c")
    await third.ask(complete=True)

    assert len({older.reign, newer.reign, third.reign}) == 3
    assert older.reign < newer.reign < third.reign  # type: ignore[operator]


async def test_a_reign_can_be_ended_so_that_its_speaker_looks_again(
    worker: Callable[[str], Speaking],
) -> None:
    speaker, late = worker("a"), worker("b")
    await speaker.ask(complete=True)
    before = speaker.reign
    await late.end_reign()
    await speaker.ask(complete=True)

    assert before is not None
    assert speaker.reign is not None
    assert speaker.reign > before
