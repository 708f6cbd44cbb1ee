"""A company, its environment and its topics, on the session's real broker and Redis."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from stream_app.local.broker import LocalBroker
from stream_app.settings import load
from stream_app.simulate import Options, matching_configuration
from stream_app.transport.topics import contract_topics, ensure_topics

PARTITIONS = 4
OPTIONS = Options(
    start=datetime(2026, 6, 1, tzinfo=UTC),
    events=4_000,
    days=60,
    seed=11,
    duplicates=0.05,
    disorder=0.10,
    corrections=0.01,
    bad=0.01,
)
EXPERIMENT = {
    "name": "trial",
    "dimension": "technique",
    "control": "cold-call",
    "variants": ["free-trial"],
    "horizon": "21d",
    "random": True,
}


@pytest.fixture
def environment(
    broker: LocalBroker, redis_url: str, topic_prefix: str, tmp_path: Path
) -> Mapping[str, str]:
    """What a command needs to find the company, the broker and the Redis."""
    content = matching_configuration(OPTIONS)
    content["business"] = {"timezone": "Europe/Berlin", "currency": "EUR", "clock": "event"}
    # Few values: these tests are about workers, and `verify` recomputes everything each time.
    content["dimensions"], content["windows"] = ["team", "rep"], ["hour", "day", "month", "30d"]
    content["history"] = {"day": 7, "month": 2}
    content["experiments"] = [EXPERIMENT]
    config = tmp_path / "company.yaml"
    config.write_text(yaml.safe_dump(content), encoding="utf-8")
    variables = {
        "STREAM_APP_KAFKA": broker.bootstrap,
        "STREAM_APP_REDIS": redis_url,
        "STREAM_APP_CONFIG": str(config),
        "STREAM_APP_TOPIC_PREFIX": topic_prefix,
        "STREAM_APP_SESSION_TIMEOUT_SECONDS": "6",
        "STREAM_APP_BATCH_RECORDS": "200",
    }
    settings = load(variables)
    specs = contract_topics(settings.topics, "none", PARTITIONS)[:1]
    asyncio.run(ensure_topics(settings.kafka, specs))
    return variables
