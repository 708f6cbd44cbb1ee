"""Results of experiments that are gone are taken back, on a real broker."""

from stream_app.agents.retirement import Retirement
from stream_app.config.model import Experiment
from stream_app.local.broker import LocalBroker
from stream_app.settings import Topics
from stream_app.transport.publisher import Outgoing, Publisher
from stream_app.transport.reading import standing
from stream_app.transport.topics import contract_topics, ensure_topics

NAMED = Experiment(
    name="trial", dimension="technique", control="a", variants=("b", "c"), horizon_days=30
)


async def nobody_else_speaks() -> None:
    raise AssertionError("nothing was said too late")


async def test_what_the_configuration_does_not_name_is_taken_back_once(
    broker: LocalBroker, topic_prefix: str
) -> None:
    topics = Topics(topic_prefix)
    kafka = {"bootstrap_servers": [broker.bootstrap]}
    specs = [s for s in contract_topics(topics, "v", 2) if s.name == topics.experiments]
    await ensure_topics([broker.bootstrap], specs)
    keys = (b"trial|b", b"trial|c", b"trial|d", b"gone|b")

    async with Publisher([broker.bootstrap]) as publisher:

        async def publish(records: object) -> None:
            await publisher.send_all(records)

        await publish([Outgoing(topics.experiments, key, b"{}") for key in keys])
        retirement = Retirement(
            topics.experiments,
            [NAMED],
            is_due=lambda: True,
            read_keys=lambda: standing(topics.experiments, kafka),
            publish=publish,
            end_reign=nobody_else_speaks,
        )
        taken_back = [await retirement.look(), await retirement.look()]

    assert taken_back == [2, 0]
    assert set(await standing(topics.experiments, kafka)) == {b"trial|b", b"trial|c"}


async def test_what_was_taken_back_without_the_word_is_looked_at_by_whoever_has_it() -> None:
    has_word, told, sent = [True], [], []

    async def publish(records: object) -> None:
        sent.append(records)
        has_word.clear()  # lost while it was sent

    async def end_reign() -> None:
        told.append("once")

    async def keys() -> set[bytes]:
        return {b"gone|b"}

    retirement = Retirement(
        "kpi.experiments",
        [NAMED],
        is_due=lambda: bool(has_word),
        read_keys=keys,
        publish=publish,
        end_reign=end_reign,
    )
    assert await retirement.look() == 1

    assert (len(sent), told) == (1, ["once"])
