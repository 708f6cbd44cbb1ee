"""Options for tests, and the worker's verdict on records: decoded and deduplicated."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec
from hypothesis import strategies as st

from stream_app.domain.events import Event
from stream_app.simulate import Options, SimRecord
from stream_app.wire.cloudevent import Ignored, Rules, decode

START = datetime(2026, 1, 5, tzinfo=UTC)
EVERYTHING: dict[str, Any] = {
    "currencies": ("EUR", "USD", "JPY", "KWD"),
    "pipelines": 3,
    "measures": ("defects", "features"),
    "duplicates": 0.05,
    "disorder": 0.10,
    "corrections": 0.03,
    "bad": 0.06,
}


def options(**others: Any) -> Options:
    """Options of a small bulk run."""
    return Options(**{"start": START, "events": 2_000, **others})


def rules(options: Options) -> Rules:
    """A worker's rules that know what the run uses, and nothing else."""
    return Rules(
        dimensions=frozenset(),
        currencies=frozenset(options.currencies),
        business_currency=options.currencies[0],
        measures=frozenset(options.measures),
        max_future_us=600_000_000,
        retention_us=3652 * 86_400_000_000,
    )


def verdicts(records: Iterable[SimRecord], rules: Rules) -> list[str]:
    """What a worker that reads these records makes of each, in `SimRecord.expected`'s words."""
    seen: dict[tuple[bytes | None, str, str], str] = {}
    said: list[str] = []
    applied = 0
    for record in records:
        event = decode(record.key, record.value, record.timestamp_ms, rules)
        if isinstance(event, Ignored):
            said.append("ignored")
        elif isinstance(event, Event):
            digest = seen.setdefault((record.key, event.source, event.id), event.digest)
            if len(seen) > applied:
                applied += 1
                said.append("applied")
            else:
                said.append("duplicate" if digest == event.digest else "id_conflict")
        else:
            said.append(str(event.reason))
    return said


def content(record: SimRecord) -> dict[str, Any]:
    """The JSON of a record that has some."""
    decoded: dict[str, Any] = msgspec.json.decode(record.value or b"null")
    return decoded


def accepted(records: Iterable[SimRecord]) -> list[dict[str, Any]]:
    """The accepted events, in the order of the log, each with its Kafka key as `key`."""
    return [
        {**content(record), "key": record.key} for record in records if record.expected == "applied"
    ]


def instant_ms(time: str) -> int:
    """An event's time in milliseconds."""
    return round(datetime.fromisoformat(time).timestamp() * 1000)


shares = st.sampled_from([0.0, 0.01, 0.1, 0.5])
small_options = st.builds(
    Options,
    start=st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - Hypothesis adds the zone
    seed=st.integers(0, 2**64),
    events=st.integers(1, 150),
    days=st.floats(0.001, 3_600),
    live_events=st.just(0) | st.integers(1, 150),
    rate=st.sampled_from([0.5, 20.0, 5_000.0]),
    speed=st.sampled_from([0.1, 1.0, 86_400.0]),
    reps=st.integers(3, 200),
    teams=st.integers(1, 3),
    currencies=st.sampled_from([("EUR",), ("JPY", "EUR"), ("USD", "KWD", "CLF", "GBP")]),
    pipelines=st.integers(1, 3),
    lines=st.booleans(),
    measures=st.sampled_from([(), ("defects",)]),
    cycle_days=st.none() | st.floats(0.01, 400),
    duplicates=shares,
    disorder=shares,
    corrections=shares,
    bad=shares,
    with_too_large=st.just(value=False),
)
