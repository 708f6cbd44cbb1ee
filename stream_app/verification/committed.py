"""What the workers have committed in Redis; read only, nothing is claimed."""

from collections.abc import Mapping, Sequence
from typing import Final

from stream_app.company import Company
from stream_app.settings import Settings
from stream_app.state.client import Client, connect, pipelined
from stream_app.state.keys import PartitionKeys, namespace
from stream_app.verification.conservation import Committed
from stream_app.verification.outcomes import OUTCOMES

_ANSWER_SECONDS: Final = 5.0


class CommittedState:
    """The state of one company's partitions, as far as it is told about in `meta`.

    Attributes:
        namespace: what the names of all its Redis keys begin with.
    """

    def __init__(self, redis: Client, settings: Settings, company: Company) -> None:
        self._redis = redis
        self._topics = settings.topics
        self._partials = settings.topics.partials(company.state_version)
        self.namespace: Final = namespace(settings.topic_prefix, company.state_version)

    async def of_events(self, partitions: int) -> list[Committed]:
        """Offsets and counts of the partitions of `crm.events`.

        Raises:
            StoreUnavailable: Redis does not answer.
        """
        metas = await self.metas(self._topics.events, range(partitions))
        return [
            Committed(
                int(meta["offset"]) if meta.get("offset") else None,
                {outcome: int(meta.get(outcome, 0)) for outcome in OUTCOMES},
            )
            for meta in metas
        ]

    async def clock_us(self, partitions: int) -> int | None:
        """The latest clock that stage two has committed, if any.

        Raises:
            StoreUnavailable: Redis does not answer.
        """
        metas = await self.metas(self._partials, range(partitions))
        return max((int(meta.get("now_us", 0)) for meta in metas), default=0) or None

    async def unsaid(self, events: int, partials: int) -> int:
        """What is counted, in either stage, and was not yet acknowledged by Kafka: outbox names.

        Args:
            events: how many partitions `crm.events` has.
            partials: how many `kpi.partials` has.

        Raises:
            StoreUnavailable: Redis does not answer.
        """
        topics = ((self._topics.events, events), (self._partials, partials))
        keys = [
            PartitionKeys(self.namespace, topic, partition).outbox
            for topic, partitions in topics
            for partition in range(partitions)
        ]
        return sum(await pipelined(self._redis, [("HLEN", key) for key in keys]))

    async def metas(self, topic: str, partitions: Sequence[int]) -> list[Mapping[str, str]]:
        """The meta hash of each partition; empty where nothing was ever committed.

        Raises:
            StoreUnavailable: Redis does not answer.
        """
        keys = [PartitionKeys(self.namespace, topic, partition) for partition in partitions]
        replies = await pipelined(self._redis, [("HGETALL", key.meta) for key in keys])
        return [
            {name.decode(): value.decode() for name, value in _pairs(reply)} for reply in replies
        ]


def _pairs(reply: Mapping[bytes, bytes] | Sequence[bytes]) -> list[tuple[bytes, bytes]]:
    """A hash, whichever way the client parses it."""
    if isinstance(reply, Mapping):
        return list(reply.items())
    return list(zip(reply[::2], reply[1::2], strict=True))


def connected(settings: Settings) -> Client:
    """A client for looking; close it with `aclose()`."""
    password = settings.redis_password
    return connect(
        settings.redis_url,
        password=None if password is None else password.reveal(),
        socket_timeout_s=_ANSWER_SECONDS,
    )
