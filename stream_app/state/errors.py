"""What can go wrong with the state, named by what the caller has to do about it."""

from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """Why Redis cannot serve us at the moment; the label of `stream_app_store_errors_total`."""

    CONNECTION = "connection"
    TIMEOUT = "timeout"
    LOADING = "loading"
    READONLY = "readonly"
    OOM = "oom"
    MISCONF = "misconf"
    BUSY = "busy"
    NO_REPLICAS = "noreplicas"
    PERMISSION = "permission"


ADVICE: Final = {
    Kind.CONNECTION: "start it, or correct STREAM_APP_REDIS",
    Kind.TIMEOUT: "it is overloaded or blocked; look at its slow log",
    Kind.LOADING: "it is still loading its data; it will answer by itself",
    Kind.READONLY: "it is a replica; point STREAM_APP_REDIS at the master",
    Kind.OOM: "it is full (maxmemory); give it more memory",
    Kind.MISCONF: "it cannot write to its disk; free space or mend the disk",
    Kind.BUSY: "it is running somebody's long script; wait, or SCRIPT KILL that script",
    Kind.NO_REPLICAS: "too few replicas are connected (min-replicas-to-write)",
    Kind.PERMISSION: "correct the user or password, or allow its ACL user this command",
}


class StoreUnavailable(Exception):
    """Redis cannot do this now; nothing was half done. Back off and call again.

    Attributes:
        kind: why.
        address: `host:port` (never user or password).
    """

    def __init__(self, kind: Kind, address: str, detail: str = "") -> None:
        self.kind = kind
        self.address = address
        self.detail = detail
        reason = f" ({detail})" if detail else ""
        super().__init__(f"Redis at {address} is unavailable: {kind}{reason}; {ADVICE[kind]}")


class Fenced(Exception):
    """This worker's view of a partition is no longer the stored one; nothing was written.

    Forget everything held in memory for the partition. It comes back with the next assignment;
    without one (another worker's late claim, a Redis rolled back) `BatchConsumer.reclaim`.

    Attributes:
        which: `owner` (another token claimed it, or Redis was emptied), `offset` (Redis was rolled
            back or another commit came first), `released` (this worker gave the partition back).
    """

    def __init__(self, topic: str, partition: int, which: str, detail: str) -> None:
        self.topic = topic
        self.partition = partition
        self.which = which
        self.detail = detail
        super().__init__(f"{topic}/{partition} is fenced by its {which}: {detail}")


class StateTorn(Exception):
    """A commit died half way, which must not happen: the state is no fold of its log any more."""

    def __init__(self, prefix: str, next_offset: str) -> None:
        super().__init__(
            f"the state under {prefix!r} is torn: a commit up to offset {next_offset} began and "
            "did not end. Stop the workers and run: stream-app rebuild --yes; the state is then "
            "rebuilt from the log"
        )


class CommitTooLarge(ValueError):
    """The caller put more into one commit than Redis takes; close batches earlier."""


class NotPrefetched(LookupError):
    """A bug of the caller: a key was read that no `prefetch` of this batch had named."""
