"""A small simulated log, its configuration, and what verify makes of it, without any server."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import msgspec
import yaml

from stream_app.company import Company, load_company
from stream_app.config.model import Config
from stream_app.simulate import Options, matching_configuration, simulate
from stream_app.verification.recompute import Recomputation
from stream_app.wire.value import Said, encode_value

PARTITIONS = 2
NOW = datetime(2026, 3, 20, 12, 3, tzinfo=UTC)
NOW_US = int(NOW.timestamp()) * 1_000_000
OPTIONS = Options(
    start=datetime(2026, 1, 20, tzinfo=UTC),
    events=600,
    days=59.0,
    reps=4,
    teams=2,
    duplicates=0.05,
    disorder=0.1,
    corrections=0.02,
    bad=0.03,
)
EXPERIMENT = {
    "name": "trial",
    "dimension": "technique",
    "control": "cold-call",
    "variants": ["free-trial", "script-a"],
    "horizon": "20d",
}


@dataclass(frozen=True, slots=True)
class Logged:
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


def configuration() -> str:
    return yaml.safe_dump(matching_configuration(OPTIONS) | {"experiments": [EXPERIMENT]})


def company_at(directory: Path) -> Company:
    path = directory / "company.yaml"
    path.write_text(configuration())
    return load_company(path)


@lru_cache(maxsize=1)
def log() -> tuple[Logged, ...]:
    """The records, each thread in one partition."""
    ends = [0] * PARTITIONS
    records = []
    for record in simulate(OPTIONS):
        partition = sum(record.key or b"") % PARTITIONS
        offset, ends[partition] = ends[partition], ends[partition] + 1
        records.append(
            Logged(partition, offset, record.timestamp_ms, record.key, record.value),
        )
    return tuple(records)


def begun(company: Company, config: Config | None = None) -> Recomputation:
    recomputation = Recomputation(
        config or company.config, company.catalogue, company.goals, company.working_days
    )
    for partition in range(PARTITIONS):
        recomputation.begin(partition, 0)
    return recomputation


def recomputed(company: Company, records: tuple[Logged, ...] | None = None) -> Recomputation:
    recomputation = begun(company)
    for record in log() if records is None else records:
        recomputation.add(record.partition, record)
    return recomputation


def encoded(said: Said, revision: int = 1) -> bytes:
    """The record as a worker would have published it."""
    return encode_value(
        said,
        event_time="2026-03-20T11:00:00Z",
        published_at="2026-03-20T12:00:00.000Z",
        revision=revision,
    )


def changed(raw: bytes, **fields: object) -> bytes:
    return msgspec.json.encode(msgspec.json.decode(raw) | fields)
