"""The catalogue of what the worker measures about itself.

Every `stream_app_*` metric is an attribute here: one that is not declared does not type-check, and
its help text is its documentation. Label values are bounded: topics and partitions are ours, the
rest are enums, and whatever a producer could invent is `other`.
"""

import platform
from collections.abc import Iterable
from typing import Final, Literal, get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

from stream_app.domain.events import EVENT_TYPE_BY_NAME

Outcome = Literal["applied", "duplicate", "dead_letter", "ignored"]
OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)

_RECORDS_BUCKETS = (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000)
_BATCH_SECONDS_BUCKETS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10)
_COMMIT_SECONDS_BUCKETS = (0.0005, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3)
_FRESHNESS_SECONDS_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30, 60, 300, 3_600)


def event_type_label(name: str) -> str:
    """Return a CloudEvents type as a label: itself if it is one of ours, else `other`."""
    return name if name in EVENT_TYPE_BY_NAME else "other"


class OwnMetrics:
    """All metrics about the worker, in a registry of their own (never the global one)."""

    def __init__(self, registry: CollectorRegistry, *, started_at_s: float) -> None:
        """Register everything.

        Args:
            registry: empty of these names.
            started_at_s: when the process started, seconds since 1970.
        """
        # A `_created` series beside every counter and histogram would double their number.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry: Final = registry

        def counter(name: str, documentation: str, *labels: str) -> Counter:
            return Counter(f"stream_app_{name}", documentation, labels, registry=registry)

        def gauge(name: str, documentation: str, *labels: str) -> Gauge:
            return Gauge(f"stream_app_{name}", documentation, labels, registry=registry)

        def histogram(
            name: str, documentation: str, *labels: str, buckets: tuple[float, ...]
        ) -> Histogram:
            return Histogram(
                f"stream_app_{name}", documentation, labels, registry=registry, buckets=buckets
            )

        self.events: Final = counter(
            "events_total",
            "Records read by this process, by event type and outcome; repeats after a restart too.",
            *("topic", "type", "outcome"),
        )
        self.dead_letters: Final = counter(
            "dead_letters_total", "Records rejected by this process, by reason.", "reason"
        )
        self.partition_records: Final = gauge(
            "partition_records",
            "Records accounted for in the committed state since the log's start, by outcome;"
            " their sum is the source offset. Exported by the partition's owner.",
            *("topic", "partition", "outcome"),
        )
        self.stopped_before_offset: Final = gauge(
            "stopped_before_offset",
            "Offset of the bad record that a source partition stopped before (poison: stop).",
            *("topic", "partition", "reason"),
        )
        self.source_offset: Final = gauge(
            "source_offset", "Offset of the committed state.", "topic", "partition"
        )
        self.lag_records: Final = gauge(
            "lag_records",
            "Records between the committed state and the end of the log.",
            *("topic", "partition"),
        )
        self.outbox_entries: Final = gauge(
            "outbox_entries", "Committed but not yet acknowledged outputs.", "topic", "partition"
        )
        self.unpublished_seconds: Final = gauge(
            "unpublished_seconds",
            "How long a partition has had something to publish and published nothing.",
            *("topic", "partition"),
        )
        self.batch_records: Final = histogram(
            "batch_records", "Records per committed batch.", buckets=_RECORDS_BUCKETS
        )
        self.batch_duration: Final = histogram(
            "batch_duration_seconds",
            "Time from a batch's delivery to its commit, by stage.",
            "stage",
            buckets=_BATCH_SECONDS_BUCKETS,
        )
        self.commit_duration: Final = histogram(
            "commit_duration_seconds",
            "Time of the atomic Redis commit, by stage.",
            "stage",
            buckets=_COMMIT_SECONDS_BUCKETS,
        )
        self.freshness: Final = histogram(
            "freshness_seconds",
            "Time from a record's timestamp to the publication of the value it changed.",
            buckets=_FRESHNESS_SECONDS_BUCKETS,
        )
        self.fenced_commits: Final = counter(
            "fenced_commits_total", "Commits refused: another worker owns the partition.", "topic"
        )
        self.rebalances: Final = counter(
            "rebalances_total", "Assignments of partitions that this worker got from its group."
        )
        self.store_errors: Final = counter(
            "store_errors_total", "Redis calls that failed, by kind.", "kind"
        )
        self.state_entries: Final = gauge("state_entries", "Entries of a state table.", "table")
        self.published: Final = counter(
            "published_total", "Records acknowledged by the broker, by topic.", "topic"
        )
        self.audit_divergence: Final = gauge(
            "audit_divergence",
            "Cells in which the last audit found the two stages to differ; 0 before the first.",
        )
        self.audit_compared: Final = counter(
            "audit_compared_total", "Cells of both stages that audits have compared so far."
        )
        self.series_dropped: Final = gauge(
            "series_dropped", "KPI series not exposed because there are too many."
        )
        self.rebuilding: Final = gauge(
            "rebuilding", "1 while the state is rebuilt from the log and nothing is published."
        )
        self.degraded: Final = gauge(
            "degraded", "1 while the worker counts but something needs attention, see /readyz."
        )
        self.in_service: Final = gauge(
            "in_service", "1 while the outputs can be relied upon: /readyz answers 200."
        )
        self.build_info: Final = gauge(
            "build_info",
            "Always 1; what is running.",
            *("version", "state_version", "configuration", "python"),
        )
        gauge("start_time_seconds", "When the process started, seconds since 1970.").set(
            started_at_s
        )
        ProcessCollector(registry=registry)

    def begin_counting(self, *, topics: Iterable[str], kinds: Iterable[str]) -> None:
        """Show 0 for what has not happened yet, so that its first time is an increase.

        Args:
            topics: that have owners, who may be fenced.
            kinds: of failures of Redis.
        """
        for topic in topics:
            self.fenced_commits.labels(topic)
        for kind in kinds:
            self.store_errors.labels(kind)

    def describe_build(self, *, version: str, state_version: str, configuration: str) -> None:
        """Say what is running; an earlier statement is withdrawn."""
        self.build_info.clear()
        labels = version, state_version, configuration, platform.python_version()
        self.build_info.labels(*labels).set(1)

    def set_partition_records(self, topic: str, partition: int, outcome: Outcome, n: int) -> None:
        """Set the absolute number of records of a source partition that had this outcome."""
        self.partition_records.labels(topic, str(partition), outcome).set(n)

    def set_unpublished_seconds(self, topic: str, partition: int, seconds: float) -> None:
        """Set how long a partition has had something to publish and published nothing."""
        self.unpublished_seconds.labels(topic, str(partition)).set(seconds)

    def forget_partition(self, topic: str, partition: int) -> None:
        """Remove every series of a partition that this worker no longer owns."""
        for outcome in OUTCOMES:
            self.partition_records.remove(topic, str(partition), outcome)
        gauges = self.source_offset, self.lag_records, self.outbox_entries, self.unpublished_seconds
        for metric in gauges:
            metric.remove(topic, str(partition))
