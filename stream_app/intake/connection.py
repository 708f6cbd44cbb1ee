"""The way to the topic: servers, encryption, login, and the topic itself if it is not there yet."""

from typing import Any

from stream_app.intake.publish import NotSent
from stream_app.settings import Settings
from stream_app.transport.errors import BrokerUnavailable
from stream_app.transport.security import Security
from stream_app.transport.topics import TopicRefused, contract_topics, ensure_topics


def security(settings: Settings) -> Security:
    """How the settings say that brokers are spoken to."""
    kafka = settings.kafka_security
    return Security(
        protocol=kafka.protocol,
        mechanism=kafka.mechanism,
        username=kafka.username,
        password=None if kafka.password is None else kafka.password.reveal(),
        ca_file=kafka.ca_file,
    )


def connection(settings: Settings) -> dict[str, Any]:
    """The arguments of every aiokafka client."""
    return {"bootstrap_servers": list(settings.kafka), **security(settings).aiokafka()}


async def ensure_events_topic(settings: Settings) -> None:
    """Create `crm.events` as the contract wants it, if no worker has done so yet.

    Raises:
        NotSent: no broker answers, or it refuses.
    """
    name = settings.topics.events
    # The state version names another topic only; this one is the same for all of them.
    specs = contract_topics(settings.topics, "none", settings.partitions)
    wanted = [spec for spec in specs if spec.name == name]
    try:
        await ensure_topics(settings.kafka, wanted, security=security(settings))
    except (BrokerUnavailable, TopicRefused) as error:
        raise NotSent(str(error)) from None
