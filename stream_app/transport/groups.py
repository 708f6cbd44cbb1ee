"""Who is in a consumer group, and how a topic is deleted: what only a rebuild asks for."""

import asyncio
from collections.abc import Sequence
from typing import Final

from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError, for_code

from stream_app.transport.errors import BrokerUnavailable
from stream_app.transport.metadata import describe_topics
from stream_app.transport.security import Security
from stream_app.transport.topics import admin_client

_ANSWER_S: Final = 30.0
_POLL_S: Final = 0.05
_STATE, _MEMBERS = 2, 5  # places in DescribeGroupsResponse


def group_of(topic_prefix: str, state_version: str) -> str:
    """The consumer group of one state version's workers."""
    return f"stream-app.{topic_prefix}{state_version}"


async def members_of(
    servers: Sequence[str], group: str, *, security: Security | None = None
) -> int:
    """How many consumers the group has; one that was killed counts until its session times out.

    Raises:
        BrokerUnavailable: no answer in time.
    """
    try:
        async with asyncio.timeout(_ANSWER_S), admin_client(servers, security, _ANSWER_S) as admin:
            described = await admin.describe_consumer_groups([group])
    except (KafkaError, TimeoutError) as error:
        raise BrokerUnavailable(servers, "looking at a group", _named(error)) from error
    return sum(
        len(found[_MEMBERS])
        for response in described
        for found in response.groups
        if found[_STATE] != "Dead"
    )


async def delete_topic(
    servers: Sequence[str], topic: str, *, security: Security | None = None
) -> None:
    """Delete a topic and wait until it is gone; one that is not there is gone already.

    Raises:
        BrokerUnavailable: not done in time, or refused; the message says which.
    """
    try:
        async with asyncio.timeout(_ANSWER_S), admin_client(servers, security, _ANSWER_S) as admin:
            response = await admin.delete_topics([topic])
            for name, code, *_ in response.topic_error_codes:
                if code not in (0, UnknownTopicOrPartitionError.errno):
                    raise BrokerUnavailable(servers, f"deleting {name}", for_code(code).__name__)
            while True:
                if topic not in await describe_topics(admin._client, (topic,)):  # noqa: SLF001
                    return
                await asyncio.sleep(_POLL_S)
    except (KafkaError, TimeoutError) as error:
        raise BrokerUnavailable(servers, f"deleting {topic}", _named(error)) from error


def _named(error: Exception) -> str:
    return str(error) or type(error).__name__
