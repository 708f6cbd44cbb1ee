"""What Redis is and holds; nothing is written, nothing is claimed."""

import re
from collections import defaultdict
from typing import Any, Final

from redis.exceptions import RedisError

from stream_app.checking.findings import Finding, fine, mend, note
from stream_app.checking.state import Sizes
from stream_app.state.client import Client, execute
from stream_app.state.errors import StoreUnavailable
from stream_app.state.keys import escaped_glob, namespace
from stream_app.state.server import ServerReport, UnsuitableServer, check

_NEARLY_FULL: Final = 0.8
_SCAN_COUNT: Final = 5_000
_SAMPLE: Final = 200
_VERSION: Final = r"([0-9a-f]{10}):"


async def server_findings(redis: Client) -> list[Finding]:
    """Is it a Redis that the state may be entrusted to?"""
    try:
        report = await check(redis)
    except StoreUnavailable as error:
        what, _, remedy = str(error).rpartition("; ")
        return [mend(what, remedy)]
    except UnsuitableServer as error:
        found = []
        for problem in error.problems:
            what, _, remedy = problem.rpartition("; ")
            found.append(mend(f"Redis at {error.address}: {what or problem}", remedy))
        return found
    return judged(report)


def judged(report: ServerReport) -> list[Finding]:
    """What is to be said about a server that is suitable (pure)."""
    used_mb = report.used_memory_bytes / 1e6
    findings = [
        fine(
            f"Redis at {report.address}: version {report.version}, master, noeviction, "
            f"{used_mb:,.1f} MB used"
        )
    ]
    if not report.can_save:
        findings.append(
            mend(
                f"Redis at {report.address} cannot write its append-only file, so it refuses all "
                "writes, and nothing is counted",
                "free space on its disk or mend the disk; it goes on by itself",
            )
        )
    if report.maxmemory_bytes and report.used_memory_bytes > _NEARLY_FULL * report.maxmemory_bytes:
        findings.append(
            note(
                f"Redis at {report.address} is nearly full: {used_mb:,.0f} of "
                f"{report.maxmemory_bytes / 1e6:,.0f} MB; when it is full, counting stops",
                "raise maxmemory",
            )
        )
    if not report.append_only:
        findings.append(
            note(
                f"Redis at {report.address} keeps no append-only file: after a crash the worker "
                "counts again from the last snapshot, or everything (correct, but slow)",
                "set appendonly yes",
            )
        )
    return findings


async def sizes_by_version(redis: Client, topic_prefix: str) -> dict[str, Sizes]:
    """State version → how much Redis holds of it, for one topic prefix.

    Walks over the whole database: seconds per million keys.

    Raises:
        StoreUnavailable: Redis does not answer.
    """
    beginning = namespace(topic_prefix, "").encode()
    pattern = re.compile(re.escape(beginning) + _VERSION.encode())
    counts: defaultdict[str, int] = defaultdict(int)
    samples: defaultdict[str, list[bytes]] = defaultdict(list)
    cursor: Any = 0
    while True:
        glob = escaped_glob(beginning) + b"*"
        cursor, keys = await execute(redis, "SCAN", cursor, "MATCH", glob, "COUNT", _SCAN_COUNT)
        for key in keys:
            if match := pattern.match(key):
                version = match[1].decode()
                counts[version] += 1
                if len(samples[version]) < _SAMPLE:
                    samples[version].append(key)
        if not int(cursor):
            break
    return {
        version: Sizes(keys=count, bytes=await _estimated(redis, samples[version], count))
        for version, count in counts.items()
    }


async def _estimated(redis: Client, sample: list[bytes], count: int) -> int | None:
    try:
        used = [await execute(redis, "MEMORY USAGE", key) or 0 for key in sample]
    except (RedisError, StoreUnavailable):  # an ACL user may not ask
        return None
    return sum(used) * count // max(1, len(sample))
