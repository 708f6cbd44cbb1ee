"""Experiments through both stages: `kpi.experiments` says what the log says."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from stream_app.company import Company
from stream_app.domain.experiment import Verdict
from stream_app.state.client import Client
from stream_app.transport.errors import BrokerUnavailable
from stream_app.wire.experiment import PublishedResult, decode_result
from tests.stages.company import Logged, company, log
from tests.stages.outside import EXPERIMENTS, PARTIALS_PARTITIONS, VALUES
from tests.stages.rig import Rig
from tests.stages.test_any_order import step, unread
from tests.stages.told import NOON, Told, lead, logged, told, us

HORIZON = timedelta(days=6)
TRIALS = [
    {
        "name": "trial",
        "dimension": "technique",
        "control": "cold-call",
        "variants": ["free-trial", "script-a"],
        "horizon": "6d",
        "random": True,
    },
    {
        "name": "regions",  # by what nothing is split
        "dimension": "campaign",
        "control": "roadshow",
        "variants": ["search-brand"],
        "horizon": "2d",
    },
]


@pytest.fixture(scope="session")
def trying(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """Now is what the ticks say, and nothing happens but what is told here."""
    return company(tmp_path_factory.mktemp("trying"), experiments=TRIALS)


def tried(technique: str, leads: int, won: int, at: datetime = NOON) -> Iterator[Told]:
    """Leads of a technique, in half a day; the first of them are won."""
    for number in range(leads):
        name = f"{technique}-{number}"
        began = at + timedelta(seconds=number)
        yield lead(name, began, technique=technique)
        if number < won:
            later = began + timedelta(hours=1)
            yield told("deal.created", name, later, deal_id=name, lead_id=name)
            yield told("deal.won", name, later + timedelta(hours=1), deal_id=name)


async def ran(redis: Client, company: Company, log: list[Logged], now: datetime) -> Rig:
    rig = Rig(redis, company, log, cached_threads=1_000)
    await rig.own_all()
    await rig.tick(us(now))
    await rig.settle()
    return rig


def standing(rig: Rig, key: bytes = b"trial|free-trial") -> PublishedResult:
    return decode_result(rig.topics.standing(EXPERIMENTS)[key])


def numbers(result: PublishedResult) -> tuple[int, int, int, int]:
    return (
        result.n_control,
        result.converted_control,
        result.n_variant,
        result.converted_variant,
    )


async def test_what_has_matured_is_compared_and_the_rest_waits(
    redis: Client, trying: Company
) -> None:
    story = logged(
        [
            *tried("cold-call", 120, 12),
            *tried("free-trial", 130, 60),
            *tried("script-a", 3, 1, NOON + timedelta(days=1)),
        ]
    )

    rig = await ran(redis, trying, story, NOON + HORIZON)
    early = standing(rig)
    await rig.tick(us(NOON + HORIZON + timedelta(hours=13)))
    await rig.settle()
    mature = standing(rig)

    assert (numbers(early), early.verdict, early.days) == ((0, 0, 0, 0), Verdict.TOO_EARLY, 0)
    assert (numbers(mature), mature.verdict) == ((120, 12, 130, 60), Verdict.B_BETTER)
    assert (mature.through.isoformat(), mature.days) == ("2026-03-02", 1)
    assert mature.revision > early.revision
    assert numbers(standing(rig, b"trial|script-a")) == (120, 12, 0, 0)
    assert standing(rig, b"trial|script-a").verdict is Verdict.TOO_EARLY
    assert rig.result_differences(us(NOON + HORIZON + timedelta(hours=13))) == []


async def test_a_win_taken_back_restates_the_days_and_the_verdict(
    redis: Client, trying: Company
) -> None:
    story = logged([*tried("cold-call", 120, 12), *tried("free-trial", 130, 60)])
    now = NOON + HORIZON + timedelta(days=3)
    rig = await ran(redis, trying, story, now)
    before = standing(rig)

    names = [f"free-trial-{number}" for number in range(47)]
    rig.extend(logged([told("deal.deleted", n, now, deal_id=n) for n in names], story))
    await rig.settle()
    after = standing(rig)

    assert before.verdict is Verdict.B_BETTER
    assert numbers(after) == (120, 12, 130, 13)
    assert after.verdict is Verdict.NO_DIFFERENCE_SHOWN
    assert after.sequential_p > before.sequential_p
    assert rig.result_differences(us(now)) == []


async def test_a_result_without_any_lead_left_is_taken_back(redis: Client, trying: Company) -> None:
    story = logged([*tried("cold-call", 2, 1), *tried("free-trial", 1, 0)])
    now = NOON + timedelta(days=20)
    rig = await ran(redis, trying, story, now)
    assert set(rig.topics.standing(EXPERIMENTS)) == {b"trial|free-trial", b"trial|script-a"}

    names = ["cold-call-0", "cold-call-1", "free-trial-0"]
    rig.extend(logged([told("lead.deleted", n, now, lead_id=n) for n in names], story))
    await rig.settle()

    assert rig.topics.standing(EXPERIMENTS) == {}
    assert rig.result_differences(us(now)) == []


async def test_a_new_owner_says_it_again_with_a_higher_revision(
    redis: Client, trying: Company
) -> None:
    story = logged([*tried("cold-call", 2, 1), *tried("free-trial", 1, 0)])
    rig = await ran(redis, trying, story, NOON + timedelta(days=20))
    before = standing(rig)

    for partition in range(PARTIALS_PARTITIONS):
        await rig.own_scopes(partition)
    await rig.settle()

    assert standing(rig).revision > before.revision
    assert numbers(standing(rig)) == numbers(before)


async def test_a_result_that_was_lost_on_its_way_is_said_again(
    redis: Client, trying: Company
) -> None:
    rig = Rig(redis, trying, logged([*tried("cold-call", 2, 1), *tried("free-trial", 1, 0)]))
    await rig.own_all()
    await rig.tick(us(NOON + timedelta(days=20)))
    for source in range(len(rig.log)):
        await rig.take(source)
        await rig.publish(source)
    for partition in range(PARTIALS_PARTITIONS):
        await rig.evaluate(partition)
        rig.topics.faults.append("lost")
        with pytest.raises(BrokerUnavailable):
            await rig.flush(partition)
    assert rig.topics.standing(EXPERIMENTS) == {}

    await rig.settle()

    assert numbers(standing(rig)) == (2, 1, 1, 0)


async def test_experiments_are_no_dimension_of_any_value(redis: Client, trying: Company) -> None:
    rig = await ran(redis, trying, logged(tried("cold-call", 2, 1)), NOON + timedelta(days=20))

    assert [key for key in rig.topics.standing(VALUES) if b"/" in key or b"experiment" in key] == []
    shown = [await stage.speaker.flush() for stage in rig.evaluators.values()]
    assert shown == [None] * PARTIALS_PARTITIONS


@pytest.mark.parametrize("seed", range(2))
async def test_whatever_order_the_steps_come_in_the_results_are_the_logs(
    redis: Client, trying: Company, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311
    rig = Rig(redis, trying, log())
    await rig.own_all()
    now_us = 1_000 * log()[0].timestamp
    while unread(rig):
        await step(rig, chance)
        now_us = max(now_us, 1_000 * rig.topics.now_ms) + chance.randrange(60_000_000)
        if chance.random() < 0.2:
            await rig.tick(now_us)
    for days in (0, 1, 9):
        now_us += days * 86_400_000_000
        await rig.tick(now_us)
        await rig.own_scopes(chance.randrange(PARTIALS_PARTITIONS))
        await rig.settle()
        assert rig.result_differences(now_us) == [], f"{days} days later"
    assert standing(rig).n_variant > 0
