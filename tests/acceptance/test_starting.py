"""How a worker starts where something is missing or wrong."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from stream_app.local.broker import LocalBroker
from tests.acceptance.commands import run
from tests.acceptance.relay import Relay
from tests.acceptance.worker_process import WorkerProcess, wait_until
from tests.state.redis_process import RedisProcess


def test_a_wrong_configuration_ends_with_2_before_anything_is_joined(
    environment: Mapping[str, str], tmp_path: Path
) -> None:
    config = tmp_path / "wrong.yaml"
    config.write_text("business: {curency: EUR}\n", encoding="utf-8")

    ended = run(environment, "worker", "--config", str(config))

    assert ended.returncode == 2
    assert "wrong.yaml:1: business.curency: unknown key; did you mean 'currency'?" in ended.stderr


def test_a_missing_redis_is_named_and_waited_for_until_it_is_there(
    environment: Mapping[str, str], tmp_path: Path
) -> None:
    redis = RedisProcess(tmp_path)
    redis.kill()
    nobody = dict(environment) | {"STREAM_APP_REDIS": redis.url}
    worker = WorkerProcess(nobody, tmp_path / "worker.log")

    wait_until(lambda: worker.readiness() == (503, "waiting_for_redis"), 30, worker.log_path)
    assert f"127.0.0.1:{redis.port}" in worker.reasons()
    assert worker.log.count("trying again until it serves") == 1, "told once, not each time"
    redis.start()
    worker.await_ready()

    assert "Redis serves again after" in worker.log
    assert worker.stop() == 0
    redis.kill()


def test_a_missing_broker_is_named_and_waited_for_until_it_is_there(
    environment: Mapping[str, str], broker: LocalBroker, tmp_path: Path
) -> None:
    relay = Relay(broker.port)
    nobody = dict(environment) | {"STREAM_APP_KAFKA": f"127.0.0.1:{relay.port}"}
    worker = WorkerProcess(nobody, tmp_path / "worker.log")

    wait_until(lambda: worker.readiness() == (503, "waiting_for_kafka"), 30, worker.log_path)
    assert f"127.0.0.1:{relay.port}" in worker.reasons()
    assert worker.log.count("trying again until it serves") == 1, "told once, not each time"
    with relay:
        worker.await_ready()

        assert "Kafka serves again after" in worker.log
        assert worker.stop() == 0


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"replicaof": "127.0.0.1 1"}, "its role is slave, not master"),
        (
            {"maxmemory": "100mb", "maxmemory-policy": "allkeys-lru"},
            "maxmemory-policy is allkeys-lru: it would throw state away when full",
        ),
    ],
    ids=["a replica", "one that evicts"],
)
@pytest.mark.real
def test_a_redis_that_would_lose_the_state_is_refused(
    options: Mapping[str, str], complaint: str, tmp_path: Path
) -> None:
    redis = RedisProcess(tmp_path, **options)
    environment = {"STREAM_APP_REDIS": redis.url, "STREAM_APP_KAFKA": "127.0.0.1:1"}

    worker = WorkerProcess(environment, tmp_path / "worker.log")

    assert worker.wait() == 1
    address = f"Redis at 127.0.0.1:{redis.port} is not suitable: {complaint}"
    assert f"the worker has stopped: {address}" in worker.log.splitlines()[-1]
    assert "Traceback" not in worker.log
    redis.kill()
