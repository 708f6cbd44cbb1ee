import stat
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from stream_app.local.broker import LocalBroker
from stream_app.local.environment import bundled_wanted
from stream_app.local.errors import LocalError
from stream_app.local.ports import free_ports
from tests.local.processes import LOOPBACK_ONLY, is_paused, listening_addresses, wait_until_gone

MIB = 1024 * 1024


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[LocalBroker]:
    broker = LocalBroker(tmp_path / "kafka", bundled=bundled_wanted())
    yield broker
    broker.kill()


async def create_topic(broker: LocalBroker, name: str, **settings: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(name, 1, 1, topic_configs=settings)])
    await admin.close()


async def send(broker: LocalBroker, topic: str, value: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap, max_request_size=9 * MIB)
    async with producer:
        await producer.send_and_wait(topic, value)


async def receive(broker: LocalBroker, topic: str) -> bytes | None:
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=broker.bootstrap,
        group_id=f"{topic}-{uuid.uuid4().hex}",
        auto_offset_reset="earliest",
        session_timeout_ms=3_000,
        heartbeat_interval_ms=500,
    )
    async with consumer:
        return (await consumer.getone()).value


async def test_a_group_with_a_short_session_reads_what_was_written(
    broker: LocalBroker, topic_prefix: str
) -> None:
    topic = f"{topic_prefix}events"
    await create_topic(broker, topic)
    await send(broker, topic, b"hello")
    assert await receive(broker, topic) == b"hello"


async def test_a_topic_may_carry_eight_mebibytes(broker: LocalBroker, topic_prefix: str) -> None:
    topic = f"{topic_prefix}large"
    await create_topic(broker, topic, **{"max.message.bytes": str(8 * MIB)})
    value = b"x" * (8 * MIB - 1024)
    await send(broker, topic, value)
    assert await receive(broker, topic) == value


async def test_topics_do_not_come_into_being_by_being_asked_for(
    broker: LocalBroker, topic_prefix: str
) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    await admin.describe_topics([f"{topic_prefix}nobody-made-this"])
    assert f"{topic_prefix}nobody-made-this" not in await admin.list_topics()
    await admin.close()


def test_it_listens_on_the_loopback_interface_only(broker: LocalBroker) -> None:
    assert listening_addresses(broker.pid) == LOOPBACK_ONLY
    assert broker.bootstrap == f"127.0.0.1:{broker.port}"


def test_its_directory_is_for_this_user_only(broker: LocalBroker) -> None:
    assert stat.S_IMODE(broker.directory.stat().st_mode) == 0o700


@pytest.mark.real
async def test_what_it_stored_survives_a_kill_and_a_restart(own_broker: LocalBroker) -> None:
    own_broker.start()
    port = own_broker.port
    await create_topic(own_broker, "events")
    await send(own_broker, "events", b"hello")
    killed = own_broker.pid
    own_broker.kill()
    wait_until_gone(killed)
    assert not own_broker.running

    own_broker.restart()
    assert own_broker.port == port
    assert await receive(own_broker, "events") == b"hello"
    own_broker.pause()
    assert is_paused(own_broker.pid)
    assert own_broker.running
    own_broker.resume()
    assert await receive(own_broker, "events") == b"hello"


@pytest.mark.real
def test_a_broker_that_cannot_start_says_why(own_broker: LocalBroker) -> None:
    identity = own_broker.directory / "log" / "meta.properties"
    identity.parent.mkdir(parents=True)
    identity.write_text("version=1\ncluster.id=cluster\nnode.id=2\n")
    with pytest.raises(LocalError, match=r"(?s)Kafka did not come up: it ended with .* node id 2"):
        own_broker.start()


def test_a_port_that_somebody_else_took_is_replaced(
    own_broker: LocalBroker, broker: LocalBroker
) -> None:
    own_broker._ports = [broker.port, *free_ports(1)]
    own_broker.start()
    assert own_broker.port != broker.port


def test_what_is_not_started_says_so(own_broker: LocalBroker) -> None:
    own_broker.stop()  # nothing to do
    with pytest.raises(LocalError, match="Kafka is not running; expected start"):
        own_broker.pause()
    with pytest.raises(LocalError, match="Kafka has no port yet; expected start"):
        _ = own_broker.bootstrap
