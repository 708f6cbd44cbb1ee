"""Does the state in Redis fit the configuration and the log (pure)?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from stream_app.checking.findings import Finding, fine, mend, note

_EVENTS_PER_SECOND: Final = 5_000  # a cautious guess, only to say "seconds" or "hours"
_MINUTE, _HOUR = 60, 3_600


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionFacts:
    """One partition of `crm.events` and what is stored of it.

    Attributes:
        begin: first offset of the log.
        end: where it ends.
        meta: the stored meta fields; empty: nothing is stored.
    """

    begin: int
    end: int
    meta: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much Redis holds for one state version.

    Attributes:
        bytes: estimated from a sample; None: Redis does not tell.
    """

    keys: int
    bytes: int | None


def state_findings(
    topic: str,
    version: str,
    partitions: Sequence[PartitionFacts],
    *,
    topic_id: str | None,
) -> Iterator[Finding]:
    """What is to be said about the state of one version.

    Args:
        topic: `crm.events`.
        version: of the state that this configuration asks for.
        partitions: by number.
        topic_id: of the topic as it is now.
    """
    wrong = [
        finding
        for number, facts in enumerate(partitions)
        for finding in _unfit(f"{topic}/{number}", facts, len(partitions), topic_id)
    ]
    yield from wrong
    if wrong:
        return
    if not any(facts.meta.get("offset") for facts in partitions):
        records = sum(facts.end - facts.begin for facts in partitions)
        if records:
            yield note(
                f"state version {version} is not in Redis: a worker will first rebuild it from "
                f"{records:,} records ({_about(records)}) and publish nothing until then",
                "expected for a first start and after a change of what is counted; otherwise "
                "compare the configuration with the one the other workers use",
            )
        else:
            yield fine(f"state version {version}: nothing counted yet, nothing to count")
        return
    behind = sum(facts.end - int(facts.meta.get("offset") or 0) for facts in partitions)
    if behind:
        yield note(
            f"state version {version}: {behind:,} records of {topic} are not counted yet",
            "if that does not become less, see whether a worker runs (its /readyz says why not)",
        )
    else:
        yield fine(f"state version {version}: counted to the end of {topic}")


def _unfit(
    name: str, facts: PartitionFacts, partitions: int, topic_id: str | None
) -> Iterator[Finding]:
    meta = facts.meta
    rebuild = (
        "if this log is the right one, stop the workers and let them rebuild the state from what "
        "it holds: stream-app rebuild (shows what it would delete), stream-app rebuild --yes"
    )
    if meta.get("torn"):
        yield mend(f"{name}: a commit began and did not end, so the state is torn", rebuild)
    counted = int(meta.get("partition_count", partitions))
    if counted != partitions:
        yield mend(
            f"{name}: the topic has {partitions} partitions, the state was built from {counted}: "
            "keys now live elsewhere",
            "copy the log, key by key: STREAM_APP_PARTITIONS="
            f"{partitions} stream-app copy-log --to-prefix NEW.",
        )
    if topic_id is not None and meta.get("topic_id", topic_id) != topic_id:
        yield mend(f"{name}: the topic was deleted and created again", rebuild)
    offset = int(meta.get("offset") or 0)
    if offset > facts.end:
        yield mend(f"{name}: ends at offset {facts.end:,}, counted up to {offset:,}", rebuild)
    elif meta.get("offset") and offset < facts.begin:
        gone = facts.begin - offset
        yield mend(
            f"{name}: {gone:,} records were deleted before they were counted",
            f"set retention.ms=-1 for the topic; then {rebuild}",
        )


def size_findings(version: str, sizes: Mapping[str, Sizes]) -> Iterator[Finding]:
    """How much Redis holds.

    Args:
        version: the state version of this configuration.
        sizes: state version → its size.
    """
    own = sizes.get(version)
    if own is not None:
        yield fine(f"Redis holds {own.keys:,} keys of it{_megabytes(own)}")
    for other in sorted(sizes.keys() - {version}):
        size = sizes[other]
        yield note(
            f"Redis also holds state version {other}: {size.keys:,} keys{_megabytes(size)}",
            "if no worker with that configuration runs any more: "
            f"stream-app rebuild --state-version {other} --yes",
        )


def _megabytes(sizes: Sizes) -> str:
    return "" if sizes.bytes is None else f", about {sizes.bytes / 1e6:,.1f} MB"


def _about(records: int) -> str:
    seconds = records / _EVENTS_PER_SECOND
    if seconds < _MINUTE:
        return "seconds"
    return f"about {seconds / _MINUTE:.0f} min" if seconds < _HOUR else "hours"
