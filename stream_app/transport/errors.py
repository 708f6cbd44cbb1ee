"""What can go wrong between us and the broker."""

from collections.abc import Iterable
from enum import StrEnum


class BrokerUnavailable(Exception):
    """No broker answered in time. Back off and call again; repeats do no harm.

    Attributes:
        servers: `host:port` of each bootstrap server.
    """

    def __init__(
        self,
        servers: Iterable[str],
        doing: str,
        reason: str,
        remedy: str = "start it, or correct STREAM_APP_KAFKA",
    ) -> None:
        self.servers = tuple(servers)
        super().__init__(
            f"Kafka at {', '.join(self.servers)} is unavailable while {doing}: {reason}; {remedy}"
        )


class PublishRejected(Exception):
    """A broker refused a record for good (too large, not allowed); trying again would not help."""


class Mismatch(StrEnum):
    """How a log can fail to fit what is stored of it."""

    BEYOND_END = "beyond_end"
    BEFORE_BEGINNING = "before_beginning"
    RECREATED = "recreated"
    PARTITION_COUNT = "partition_count"


class LogMismatch(Exception):
    """The log is not the one the state was built from; counting on would count wrong. Stop.

    Attributes:
        what: in which way.
    """

    def __init__(self, topic: str, partition: int, what: Mismatch, message: str) -> None:
        self.topic = topic
        self.partition = partition
        self.what = what
        super().__init__(f"{topic}/{partition}: {message}")
