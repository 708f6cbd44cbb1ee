"""A simulated CRM's log, spread over partitions, and the companies that count it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from stream_app.company import Company, load_company
from stream_app.simulate import Options, matching_configuration, simulate
from stream_app.transport.publisher import partition_of

SOURCES = 3
START = datetime(2026, 1, 20, tzinfo=UTC)
OPTIONS = Options(
    start=START,
    events=420,
    days=41.0,
    reps=3,
    teams=2,
    currencies=("EUR", "USD"),
    duplicates=0.06,
    disorder=0.15,
    corrections=0.05,
    bad=0.05,
)
HISTORY = {"day": 4, "week": 3, "month": 2, "quarter": 1, "year": 1}


@dataclass(frozen=True, slots=True)
class Logged:
    """A record of `crm.events`."""

    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


def company(
    directory: Path,
    options: Options = OPTIONS,
    *,
    experiments: Sequence[dict[str, Any]] = (),
    **business: Any,
) -> Company:
    """A company that fits the simulated team, with a short history."""
    content = matching_configuration(options)
    content["business"] |= business
    content["dimensions"] = ["team", "rep", ["source", "technique"]]
    content["windows"] = ["hour", "day", "week", "month", "quarter", "year", "7d", "30d"]
    content["history"] = HISTORY
    content["experiments"] = list(experiments)
    path = directory / "company.yaml"
    path.write_text(yaml.safe_dump(content))
    return load_company(path)


@lru_cache(maxsize=4)
def log(options: Options = OPTIONS) -> tuple[Logged, ...]:
    """The simulated records where a producer would have put them."""
    return placed([(r.timestamp_ms, r.key, r.value) for r in simulate(options)])


def placed(records: Sequence[tuple[int, bytes | None, bytes | None]]) -> tuple[Logged, ...]:
    """Records in the partitions of their keys; those without a key in the first."""
    ends = [0] * SOURCES
    found = []
    for timestamp, key, value in records:
        partition = 0 if key is None else partition_of(key, SOURCES)
        found.append(Logged(partition, ends[partition], timestamp, key, value))
        ends[partition] += 1
    return tuple(found)
