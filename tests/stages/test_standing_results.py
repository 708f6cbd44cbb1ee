"""What others left in `kpi.experiments`: said again, or taken back, whoever they were."""

from datetime import timedelta

import msgspec
import pytest

from stream_app.company import Company
from stream_app.stages.ports import OutRecord
from stream_app.state.client import Client
from stream_app.wire.experiment import decode_result
from tests.stages.company import SOURCES, company
from tests.stages.outside import EXPERIMENTS, PARTIALS, PARTIALS_PARTITIONS, VALUES
from tests.stages.rig import Rig
from tests.stages.test_experiments import TRIALS, ran, tried
from tests.stages.test_losses import gone
from tests.stages.told import NOON, lead, logged, us

NOW = NOON + timedelta(days=20)
FREE_TRIAL, SCRIPT_A = b"trial|free-trial", b"trial|script-a"


@pytest.fixture(scope="session")
def trying(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """Now is what the ticks say, and nothing happens but what is told here."""
    return company(tmp_path_factory.mktemp("trying"), experiments=TRIALS)


async def looked_around(rig: Rig) -> None:
    """Each partition has looked at what stands, and said what it had to."""
    for partition in range(PARTIALS_PARTITIONS):
        await rig.look(partition)
    await rig.settle()


async def test_results_of_another_version_do_not_outlive_its_word(
    redis: Client, trying: Company
) -> None:
    story = logged([*tried("cold-call", 2, 1), *tried("free-trial", 1, 0)])
    rig = await ran(redis, trying, story, NOW)
    assert rig.result_differences(us(NOW)) == []
    theirs = msgspec.json.decode(rig.topics.standing(EXPERIMENTS)[FREE_TRIAL])
    theirs |= {"n_control": 77, "revision": theirs["revision"] + 100_000}
    rig.reign = None  # type: ignore[assignment]
    counted_otherwise = OutRecord(EXPERIMENTS, FREE_TRIAL, msgspec.json.encode(theirs))
    retired = OutRecord(EXPERIMENTS, SCRIPT_A, None)
    await rig.topics.publish([counted_otherwise, retired])

    rig.reign = 2
    await rig.settle()
    await looked_around(rig)

    assert rig.result_differences(us(NOW)) == []
    standing = decode_result(rig.topics.standing(EXPERIMENTS)[FREE_TRIAL])
    assert standing.revision > theirs["revision"]


async def test_a_result_of_an_experiment_without_leads_is_taken_back(
    redis: Client, trying: Company
) -> None:
    rig = Rig(redis, trying, logged([lead("a", NOON)]))
    await rig.topics.publish([OutRecord(EXPERIMENTS, FREE_TRIAL, b'{"n_control":77}')])
    await rig.own_all()
    await rig.tick(us(NOW))
    await rig.settle()
    await looked_around(rig)

    assert rig.topics.standing(EXPERIMENTS) == {}


async def test_a_result_whose_leads_are_gone_is_taken_back_after_a_loss_of_redis(
    redis: Client, trying: Company
) -> None:
    story = logged([lead("a", NOON, technique="cold-call")])
    rig = await ran(redis, trying, story, NOW)
    assert rig.topics.standing(EXPERIMENTS) != {}
    rig.extend(logged([gone("a")], story))
    for source in range(SOURCES):
        await rig.take(source)
        await rig.publish(source)
    await redis.flushall()
    for (topic, _), log in rig.topics.logs.items():
        if topic == PARTIALS:
            last = {record.key: record.offset for record in log}
            log[:] = [r if last[r.key] == r.offset else r._replace(key=None) for r in log]
    await rig.own_all()
    await rig.tick(us(NOW))
    await rig.settle()
    await looked_around(rig)

    assert rig.compared(us(NOW)).by_key == {}
    assert rig.result_differences(us(NOW)) == []


async def test_what_is_said_as_we_said_it_is_not_said_again(redis: Client, trying: Company) -> None:
    rig = await ran(redis, trying, logged([*tried("cold-call", 2, 1)]), NOW)
    await looked_around(rig)
    said = len(list(rig.topics.all(EXPERIMENTS)))

    await looked_around(rig)

    assert said == len(list(rig.topics.all(EXPERIMENTS)))


async def test_a_new_reign_begins_above_the_revisions_of_all_partitions_and_of_both_topics(
    redis: Client, trying: Company
) -> None:
    rig = await ran(redis, trying, logged([*tried("cold-call", 2, 1)]), NOW)
    far_ahead = us(NOW) // 1_000 + 5_000_000
    theirs = msgspec.json.encode({"revision": far_ahead})
    await rig.topics.publish([OutRecord(EXPERIMENTS, b"of others|b", theirs)])
    ends = rig.topics.ends()

    rig.reign = 2
    await rig.tick(us(NOW + timedelta(days=1)))
    await rig.settle()

    for (topic, partition), log in rig.topics.logs.items():
        news = log[ends[topic, partition] :]
        if topic == VALUES:
            assert news
            assert all(
                msgspec.json.decode(r.value)["revision"] > far_ahead for r in news if r.value
            )
