"""Creates the topics with the settings the contract demands, and looks at those that exist.

Topics are created by us, before any worker starts: a broker's automatic creation would choose
partitions and retention by itself, and workers that declare topics race with each other.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, for_code

from stream_app.transport.errors import BrokerUnavailable
from stream_app.transport.metadata import TopicFacts, describe_topics
from stream_app.transport.security import Security

DAY_MS: Final = 86_400_000
LARGEST_RECORD_BYTES: Final = 8 << 20
REPLICATION_MAX: Final = 3
_FOR_EVER: Final = str(2**63 - 1)
_POLL_S: Final = 0.05
_ALREADY_EXISTS: Final = 36
_INVALID_CONFIG: Final = 40

# Histories are written with the events' own, old timestamps, simulations with future ones.
# Kafka before 3.6 does not know these two and accepts any timestamp.
_ANY_TIMESTAMP: Final = {
    "message.timestamp.before.max.ms": _FOR_EVER,
    "message.timestamp.after.max.ms": _FOR_EVER,
}
# The active segment is never compacted, so it must neither stay active for a week nor grow large:
# every board and report reads it whole. Tombstones stay for a week: whoever was away for less hears
# of every deletion.
_COMPACT: Final = {
    "cleanup.policy": "compact",
    "segment.ms": str(DAY_MS // 24),
    "segment.bytes": str(16 << 20),
    "min.cleanable.dirty.ratio": "0.2",
    "max.compaction.lag.ms": str(7 * DAY_MS),
    "delete.retention.ms": str(7 * DAY_MS),
}


class TopicNames(Protocol):
    """`stream_app.settings.Topics`."""

    @property
    def events(self) -> str: ...  # noqa: D102
    @property
    def raw(self) -> str: ...  # noqa: D102
    @property
    def dead_letters(self) -> str: ...  # noqa: D102
    @property
    def ticks(self) -> str: ...  # noqa: D102
    @property
    def values(self) -> str: ...  # noqa: D102
    @property
    def alerts(self) -> str: ...  # noqa: D102
    @property
    def experiments(self) -> str: ...  # noqa: D102
    def partials(self, state_version: str) -> str: ...  # noqa: D102


class TopicRefused(Exception):
    """The broker is there and does not create the topic; the message says why."""


class TopicMismatch(Exception):
    """An existing topic loses what is written to it; the message says how to mend it."""


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic as it should be."""

    name: str
    partitions: int
    configs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Drift:
    """An existing topic differs from what it should be; nobody changes it but its owner."""

    topic: str
    setting: str
    expected: str
    actual: str

    def __str__(self) -> str:
        return (
            f"topic {self.topic}: {self.setting} is {self.actual}, expected {self.expected}; if "
            "that is not meant, change it with kafka-configs (partitions: kafka-topics)"
        )


@dataclass(frozen=True, slots=True)
class TopicsReport:
    """What `ensure_topics` found and did.

    Attributes:
        partitions: topic → how many it has; those that existed keep theirs.
        topic_ids: topic → its id, None where the broker does not tell.
    """

    created: tuple[str, ...]
    partitions: Mapping[str, int]
    topic_ids: Mapping[str, str | None]
    drifts: tuple[Drift, ...]


def contract_topics(names: TopicNames, state_version: str, partitions: int) -> list[TopicSpec]:
    """Every topic of the contract's section 1."""
    delete = {"cleanup.policy": "delete"}
    large = {"max.message.bytes": str(LARGEST_RECORD_BYTES)}
    forever = {"retention.ms": "-1", "retention.bytes": "-1"}
    configs = {
        names.events: delete | large | forever | _ANY_TIMESTAMP,
        names.raw: delete | large | {"retention.ms": str(7 * DAY_MS)},
        names.dead_letters: delete | {"retention.ms": str(14 * DAY_MS)},
        names.partials(state_version): _COMPACT,
        names.ticks: delete | {"retention.ms": str(DAY_MS), "segment.ms": str(DAY_MS // 24)},
        names.values: _COMPACT,
        names.experiments: _COMPACT,
        names.alerts: _COMPACT
        | {"cleanup.policy": "compact,delete", "retention.ms": str(400 * DAY_MS)},
    }
    return [TopicSpec(name, partitions, config) for name, config in configs.items()]


async def ensure_topics(
    servers: Sequence[str],
    specs: Sequence[TopicSpec],
    *,
    security: Security | None = None,
    timeout_s: float = 30.0,
) -> TopicsReport:
    """Creates what is missing (on up to three brokers each), and waits until it can be used.

    Any number of workers may do this at once. What exists is compared, not changed.

    Raises:
        BrokerUnavailable: no answer in time.
        TopicRefused: a broker does not create one.
        TopicMismatch: a topic that keeps events is compacted.
    """
    try:
        async with asyncio.timeout(timeout_s), admin_client(servers, security, timeout_s) as admin:
            names = [spec.name for spec in specs]
            before = await describe_topics(admin._client, names)  # noqa: SLF001
            missing = [spec for spec in specs if spec.name not in before]
            created = [spec.name for spec in missing if await _create(admin, spec)]
            facts = await _until_led(admin, names)
            drifts = [drift for spec in specs for drift in await _drifts(admin, spec, facts)]
    except (KafkaError, TimeoutError) as error:
        reason = str(error) or f"not done within {timeout_s:g} s"
        raise BrokerUnavailable(servers, "creating topics", reason) from error
    for drift in drifts:
        if drift.setting == "cleanup.policy" and drift.expected == "delete":
            raise TopicMismatch(
                f"{drift}. A compacted topic keeps one record for each key only: events get lost"
            )
    return TopicsReport(
        created=tuple(created),
        partitions={name: facts[name].partition_count for name in names},
        topic_ids={name: facts[name].topic_id for name in names},
        drifts=tuple(drifts),
    )


async def partition_counts(
    servers: Sequence[str],
    names: Sequence[str],
    *,
    security: Security | None = None,
    timeout_s: float = 30.0,
) -> Mapping[str, int]:
    """How many partitions those of the topics have that exist.

    Raises:
        BrokerUnavailable: no answer in time.
    """
    try:
        async with asyncio.timeout(timeout_s), admin_client(servers, security, timeout_s) as admin:
            facts = await describe_topics(admin._client, names)  # noqa: SLF001
    except (KafkaError, TimeoutError) as error:
        reason = str(error) or f"not done within {timeout_s:g} s"
        raise BrokerUnavailable(servers, "looking at topics", reason) from error
    return {name: topic.partition_count for name, topic in facts.items()}


@contextlib.asynccontextmanager
async def admin_client(
    servers: Sequence[str], security: Security | None, timeout_s: float
) -> AsyncIterator[AIOKafkaAdminClient]:
    """Connected for the length of a `with` block."""
    admin = AIOKafkaAdminClient(
        bootstrap_servers=list(servers),
        request_timeout_ms=int(timeout_s * 1000),
        **(security or Security()).aiokafka(),
    )
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()


async def _create(admin: AIOKafkaAdminClient, spec: TopicSpec) -> bool:
    brokers = len(admin._client.cluster.brokers())  # noqa: SLF001
    reason = ""
    for configs in (spec.configs, _without(spec.configs, _ANY_TIMESTAMP)):
        new = NewTopic(
            spec.name,
            num_partitions=spec.partitions,
            replication_factor=min(brokers, REPLICATION_MAX),
            topic_configs=dict(configs),
        )
        response = await admin.create_topics([new])
        _, code, *message = response.topic_errors[0]
        if code == 0:
            return True
        if code == _ALREADY_EXISTS:
            return False
        reason = next(iter(message), None) or for_code(code).__name__
        if code != _INVALID_CONFIG:
            break
    settings = ", ".join(f"{name}={value}" for name, value in sorted(spec.configs.items()))
    raise TopicRefused(
        f"cannot create topic {spec.name}: {reason}. Allow the login to create topics, or create "
        f"it by hand with {spec.partitions} partitions and {settings}"
    )


async def _until_led(admin: AIOKafkaAdminClient, names: Sequence[str]) -> Mapping[str, TopicFacts]:
    while True:
        facts = await describe_topics(admin._client, names)  # noqa: SLF001
        if len(facts) == len(set(names)) and all(topic.led for topic in facts.values()):
            return facts
        await asyncio.sleep(_POLL_S)


async def _drifts(
    admin: AIOKafkaAdminClient, spec: TopicSpec, facts: Mapping[str, TopicFacts]
) -> list[Drift]:
    actual: dict[str, str] = {"partitions": str(facts[spec.name].partition_count)}
    resource = ConfigResource(ConfigResourceType.TOPIC, spec.name)
    for response in await admin.describe_configs([resource]):
        for _, _, _, _, entries in response.resources:
            actual |= {name: value for name, value, *_ in entries}
    expected: dict[str, Any] = {"partitions": str(spec.partitions), **spec.configs}
    return [
        Drift(spec.name, setting, value, actual[setting])
        for setting, value in expected.items()
        # A broker that hides its settings, or does not know one, cannot be judged.
        if setting in actual and _normal(actual[setting]) != _normal(value)
    ]


def _without(configs: Mapping[str, str], dropped: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in configs.items() if name not in dropped}


def _normal(value: str) -> str:
    return ",".join(sorted(value.split(",")))
