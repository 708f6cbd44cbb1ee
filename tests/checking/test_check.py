"""The command on a real broker and a real Redis."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from redis import Redis

from stream_app.cli import main
from stream_app.company import load_company
from stream_app.local.broker import LocalBroker
from stream_app.settings import Topics
from stream_app.state.keys import PartitionKeys
from stream_app.transport.publisher import Outgoing, Publisher
from stream_app.transport.topics import TopicSpec, contract_topics, ensure_topics

VERSION = load_company(None).state_version
CLOSED = {
    "kpi": "revenue",
    "window": "month",
    "end": "2026-04-01T00:00:00Z",
    "complete": True,
    "dimension": "company",
    "member": "all",
    "value": 99.5,
    "unit": "currency",
    "numerator": None,
    "denominator": None,
    "previous": None,
    "event_time": "2026-04-01T00:00:00Z",
    "published_at": "2026-04-01T00:00:00Z",
    "revision": 1,
}


@pytest.fixture
def environment(broker: LocalBroker, redis_url: str, topic_prefix: str) -> dict[str, str]:
    return {
        "STREAM_APP_KAFKA": broker.bootstrap,
        "STREAM_APP_REDIS": redis_url,
        "STREAM_APP_TOPIC_PREFIX": topic_prefix,
        "STREAM_APP_METRICS": "127.0.0.1:1",
        "STREAM_APP_PARTITIONS": "2",
    }


def check(environment: Mapping[str, str], *arguments: str) -> Result:
    return CliRunner().invoke(main, ["check", *arguments], env=dict(environment))


def create_topics(environment: Mapping[str, str], *extra: TopicSpec, records: int = 0) -> Topics:
    topics = Topics(environment["STREAM_APP_TOPIC_PREFIX"])

    async def create() -> None:
        servers = [environment["STREAM_APP_KAFKA"]]
        given = {spec.name for spec in extra}
        specs = [s for s in contract_topics(topics, VERSION, 2) if s.name not in given]
        await ensure_topics(servers, [*specs, *extra])
        async with Publisher(servers) as publisher:
            await publisher.send_all(
                Outgoing(topics.events, b"k", b"{}", n % 2) for n in range(records)
            )

    asyncio.run(create())
    return topics


def count(environment: Mapping[str, str], topics: Topics, version: str = VERSION) -> None:
    namespace = f"stream-app:{topics.prefix}{version}"
    with Redis.from_url(environment["STREAM_APP_REDIS"]) as redis:
        for partition in range(2):
            meta = PartitionKeys(namespace, topics.events, partition).meta
            redis.hset(meta, mapping={"offset": 5})


def test_before_the_first_start_there_is_nothing_to_mend(environment: dict[str, str]) -> None:
    result = check(environment)
    assert result.exit_code == 0, result.output
    assert "✔ configuration: the defaults" in result.stdout
    assert "! no topic exists yet" in result.stdout
    assert "nothing to mend" in result.stdout


def test_a_running_system_is_told_with_its_sizes(environment: dict[str, str]) -> None:
    topics = create_topics(environment, records=10)
    count(environment, topics)
    count(environment, topics, "0123456789")
    result = check(environment)
    assert result.exit_code == 0, result.output
    assert f"✔ topic {topics.events}: 2 partitions, 10 records" in result.stdout
    assert f"✔ state version {VERSION}: counted to the end" in result.stdout
    assert "✔ Redis holds 2 keys of it, about" in result.stdout
    assert "! Redis also holds state version 0123456789: 2 keys" in result.stdout
    assert "! no worker answers at 127.0.0.1:1" in result.stdout


def test_a_rebuild_is_announced(environment: dict[str, str]) -> None:
    create_topics(environment, records=10)
    assert "rebuild it from 10 records" in check(environment).stdout


def test_a_topic_that_loses_events_is_to_be_mended(environment: dict[str, str]) -> None:
    events = Topics(environment["STREAM_APP_TOPIC_PREFIX"]).events
    create_topics(environment, TopicSpec(events, 2))
    result = check(environment, "--json")
    assert result.exit_code == 1
    wrong = [each for each in json.loads(result.stdout)["findings"] if each["level"] == "mend"]
    assert any("retention.ms is 604800000, expected -1" in each["text"] for each in wrong)
    assert any("max.message.bytes is" in each["text"] for each in wrong)
    assert all("kafka-configs" in each["remedy"] for each in wrong)


def test_an_unsuitable_redis_is_to_be_mended(environment: dict[str, str]) -> None:
    with Redis.from_url(environment["STREAM_APP_REDIS"]) as redis:
        redis.config_set("maxmemory-policy", "allkeys-lru")
        try:
            result = check(environment)
        finally:
            redis.config_set("maxmemory-policy", "noeviction")
    assert result.exit_code == 1
    assert "maxmemory-policy is allkeys-lru" in result.stdout
    assert "→ set maxmemory-policy noeviction" in result.stdout


def test_everything_that_is_missing_is_told_at_once(tmp_path: Path) -> None:
    environment = {
        "STREAM_APP_KAFKA": "127.0.0.1:1",
        "STREAM_APP_REDIS": "redis://:s3cr3t@127.0.0.1:2/0",
        "STREAM_APP_METRICS": "127.0.0.1:3",
    }
    result = check(environment)
    assert result.exit_code == 1
    assert "✘ Kafka at 127.0.0.1:1 is unavailable" in result.stdout
    assert "→ start it, or correct STREAM_APP_KAFKA" in result.stdout
    assert "✘ Redis at 127.0.0.1:2 is unavailable" in result.stdout
    assert "2 to mend" in result.stdout
    assert "s3cr3t" not in result.output
    (tmp_path / "company.yaml").write_text(
        "bussiness: {}\nkpis:\n  odd: {formula: deals_wn / leads, unit: ratio}\n"
    )
    result = check(environment, "--config", str(tmp_path / "company.yaml"))
    assert result.exit_code == 2
    assert "company.yaml:1" in result.stdout
    assert (
        "company.yaml:3: kpis.odd.formula: no measure or KPI is called 'deals_wn'" in result.stdout
    )
    assert "✘ Kafka at 127.0.0.1:1" in result.stdout


def test_a_wrong_environment_is_told_and_the_configuration_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "company.yaml").write_text("{}")
    arguments = ("--config", str(tmp_path / "company.yaml"))
    result = check({"STREAM_APP_KAFKA": "http://x"}, *arguments)
    assert result.exit_code == 2
    assert "✘ STREAM_APP_KAFKA" in result.stdout
    assert "✔ configuration" in result.stdout


def test_a_target_that_was_never_reached_is_worth_a_note(
    environment: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "company.yaml"
    path.write_text("targets: [{name: t, kpi: revenue, window: month, at_least: 100}]\n")
    topics = create_topics(environment)

    async def publish() -> None:
        async with Publisher([environment["STREAM_APP_KAFKA"]]) as publisher:
            await publisher.send_all(
                Outgoing(
                    topics.values,
                    f"revenue|month|2026-0{month}-01T00:00:00Z|company|all".encode(),
                    json.dumps(CLOSED | {"start": f"2026-0{month}-01T00:00:00Z"}).encode(),
                )
                for month in (1, 2, 3)
            )

    asyncio.run(publish())
    result = check(environment, "--config", str(path))

    assert result.exit_code == 0, result.output
    assert "! targets.t: not SMART (R): it was not reached in any of the last 3 closed" in (
        result.output
    )
