"""Does a partition's log fit what is stored of it?"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import UnknownTopicOrPartitionError

from stream_app.state.partition import PartitionState
from stream_app.transport.errors import LogMismatch, Mismatch
from stream_app.transport.metadata import describe_topics

TopicPartition = tuple[str, int]


@dataclass(frozen=True, slots=True)
class LogFacts:
    """One partition's log as it is now.

    Attributes:
        begin: the first offset still there.
        end: the next offset to be written (with transactions: up to which they have ended).
        partition_count: of the topic.
        topic_id: None where the broker does not tell.
    """

    begin: int
    end: int
    partition_count: int
    topic_id: str | None

    @property
    def pins(self) -> Mapping[str, str | int]:
        """What is stored at the first claim, to be compared ever after."""
        # Until this offset a state that begins now only repeats what was, and is not shown.
        pins: dict[str, str | int] = {
            "partition_count": self.partition_count,
            "rebuild_until": self.end,
        }
        if self.topic_id is not None:
            pins["topic_id"] = self.topic_id
        return pins


async def read_log_facts(
    consumer: AIOKafkaConsumer, tps: Iterable[TopicPartition]
) -> dict[TopicPartition, LogFacts]:
    """Asks the brokers, in the consumer's own thread.

    Raises:
        KafkaError: no answer.
    """
    tps = list(tps)
    topics = await describe_topics(consumer._client, {topic for topic, _ in tps})  # noqa: SLF001
    if missing := {topic for topic, _ in tps} - topics.keys():
        raise UnknownTopicOrPartitionError(*missing)
    begins = await consumer.beginning_offsets(tps)
    ends = await consumer.end_offsets(tps)
    return {
        tp: LogFacts(
            begin=begins[tp],
            end=ends[tp],
            partition_count=topics[tp[0]].partition_count,
            topic_id=topics[tp[0]].topic_id,
        )
        for tp in tps
    }


def require_fit(state: PartitionState, facts: LogFacts) -> None:
    """Compares what is stored with the log; sets `begin` and `log_end`.

    Raises:
        LogMismatch: the log is another, or lacks records that were not read yet.
    """

    def mismatch(what: Mismatch, message: str) -> LogMismatch:
        advice = _advice(what, facts)
        return LogMismatch(state.topic, state.partition, what, f"{message} {advice}")

    pinned = int(state.meta.get("partition_count", facts.partition_count))
    if pinned != facts.partition_count:
        raise mismatch(
            Mismatch.PARTITION_COUNT,
            f"the topic has {facts.partition_count} partitions, the state was built from {pinned}, "
            "so that keys now live elsewhere; their histories would be torn apart.",
        )
    topic_id = state.meta.get("topic_id", facts.topic_id)
    if facts.topic_id is not None and topic_id != facts.topic_id:
        raise mismatch(
            Mismatch.RECREATED,
            f"the topic was deleted and created again (its id is {facts.topic_id}, the state was "
            f"built from {topic_id}).",
        )
    state.begin = facts.begin
    state.log_end = facts.end
    if state.position > facts.end:
        raise mismatch(
            Mismatch.BEYOND_END,
            f"the log ends at offset {facts.end}, but it was read up to {state.position}: it was "
            "cut or replaced.",
        )
    if state.position < facts.begin:
        raise mismatch(
            Mismatch.BEFORE_BEGINNING,
            f"the log begins at offset {facts.begin}, but it was read up to {state.position} only: "
            f"{facts.begin - state.position} records were deleted unread. Give the topic a longer "
            "retention.ms.",
        )


def _advice(what: Mismatch, facts: LogFacts) -> str:
    if what is Mismatch.PARTITION_COUNT:
        return (
            "Stop producers and workers. If it is crm.events, copy it, key by key: "
            f"STREAM_APP_PARTITIONS={facts.partition_count} stream-app copy-log --to-prefix NEW.; "
            "if it is kpi.partials: stream-app rebuild --yes"
        )
    return (
        "If this log is the right one, stop the workers and run: stream-app rebuild --yes (without "
        "--yes it shows what it would delete). The state is then rebuilt from what the log holds"
    )
