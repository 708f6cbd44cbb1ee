"""Are the topics what the contract wants (pure)?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from stream_app.checking.findings import Finding, fine, mend, note
from stream_app.transport.topics import TopicSpec

_HARM: Final = {
    "max.message.bytes": "larger records are refused instead of becoming dead letters",
    "retention.ms": "records are deleted earlier than they may be needed",
    "retention.bytes": "records are deleted when the log grows",
    "message.timestamp.before.max.ms": "history with its own, old timestamps is refused",
    "message.timestamp.after.max.ms": "records of producers whose clock is ahead are refused",
}
"""Setting → what a lower value does. All others are left to the owner of the topic."""

_UNLIMITED: Final = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicFacts:
    """A topic as it is.

    Attributes:
        topic_id: None where the broker does not tell.
        replicas: of each partition, at least.
        records: between its beginning and its end; of a compacted topic some of them are gone.
        configs: settings that the broker shows.
    """

    partitions: int
    topic_id: str | None
    replicas: int
    records: int
    configs: Mapping[str, str] = field(default_factory=dict)


def topic_findings(
    specs: Sequence[TopicSpec], facts: Mapping[str, TopicFacts], *, brokers: int, servers: str
) -> Iterator[Finding]:
    """What is to be said about the topics.

    Args:
        specs: as they should be.
        facts: those that exist.
        brokers: of the cluster.
        servers: to be named in commands.
    """
    missing = [spec.name for spec in specs if spec.name not in facts]
    if len(missing) == len(specs):
        yield note(
            "no topic exists yet",
            f"start a worker: it creates them with {specs[0].partitions} partitions each "
            "(STREAM_APP_PARTITIONS); topics written by others only stay as they are",
        )
        return
    for spec in specs:
        actual = facts.get(spec.name)
        if actual is not None:
            yield from _findings(spec, actual, brokers, servers)
    if missing:
        yield note(f"not there yet: {', '.join(missing)}", "a worker creates them when it starts")


def _findings(spec: TopicSpec, actual: TopicFacts, brokers: int, servers: str) -> Iterator[Finding]:
    wrong = []
    for setting, expected in spec.configs.items():
        found = actual.configs.get(setting)
        if found is None:
            continue  # a broker that hides its settings, or does not know one, cannot be judged
        harm = _harm(setting, expected, found)
        if harm:
            wrong.append(
                mend(
                    f"topic {spec.name}: {setting} is {found}, expected {expected}: {harm}",
                    f"kafka-configs --bootstrap-server {servers} --alter --entity-type topics "
                    f"--entity-name {spec.name} --add-config {setting}=[{expected}]",
                )
            )
    yield from wrong
    if not wrong:
        partitions = "1 partition" if actual.partitions == 1 else f"{actual.partitions} partitions"
        yield fine(f"topic {spec.name}: {partitions}, {actual.records:,} records")
    if actual.replicas == 1 and brokers > 1:
        yield note(
            f"topic {spec.name} has one replica on {brokers} brokers: losing one loses its records",
            "raise its replication factor with kafka-reassign-partitions",
        )


def _harm(setting: str, expected: str, found: str) -> str:
    """What a setting does that is not as it should be; empty: none."""
    if setting == "cleanup.policy":
        return _policy_harm(set(expected.split(",")), set(found.replace(" ", "").split(",")))
    if setting not in _HARM:
        return ""
    return _HARM[setting] if _limit(found) < _limit(expected) else ""


def _policy_harm(expected: set[str], found: set[str]) -> str:
    if expected == found:
        return ""
    if "compact" in found and "compact" not in expected:
        return "only the last record of each key is kept, the others are lost"
    if "delete" in found and "delete" not in expected:
        return "values that did not change for a while are deleted"
    return "what is old is never deleted"


def _limit(text: str) -> float:
    number = int(text)
    return float("inf") if number == _UNLIMITED else number
