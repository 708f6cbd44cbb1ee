"""Writes what the log says over what stands in `kpi.values` or `kpi.experiments` and differs."""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from stream_app.domain.calendar import rfc3339_utc
from stream_app.transport.publisher import Outgoing, Publisher
from stream_app.verification.compare import STATES_BETWEEN, Comparison
from stream_app.verification.results import ResultRounds
from stream_app.wire.experiment import encode_result
from stream_app.wire.value import Said, encode_value

_CHUNK: Final = 5_000


class _Revised(msgspec.Struct, frozen=True):
    revision: int


_decode_revised: Final = msgspec.json.Decoder(_Revised).decode


def mending_records(
    topic: str, comparison: Comparison, found: Mapping[bytes, bytes], *, now_us: int, newest_us: int
) -> Iterator[Outgoing]:
    """The records that make `kpi.values` say what the log says (pure).

    Args:
        topic: `kpi.values`.
        comparison: what differs.
        found: what stands.
        now_us: the time of writing, also the least revision (in milliseconds).
        newest_us: time of the newest event.
    """
    published_at, event_time = rfc3339_utc(now_us, "milliseconds"), rfc3339_utc(newest_us)
    for key in comparison.by_key:
        want = comparison.wanted.get(key)
        if want is None:
            yield Outgoing(topic, key, None)
            continue
        revision = max(now_us // 1000, _revision(found.get(key)) + 1)
        body = encode_value(
            _settled(want), event_time=event_time, published_at=published_at, revision=revision
        )
        yield Outgoing(topic, key, body)


def mending_results(
    topic: str, rounds: ResultRounds, found: Mapping[bytes, bytes], *, now_us: int, newest_us: int
) -> Iterator[Outgoing]:
    """The same for `kpi.experiments`."""
    published_at, event_time = rfc3339_utc(now_us, "milliseconds"), rfc3339_utc(newest_us)
    for key in sorted(rounds.differing):
        want = rounds.wanted.get(key)
        if want is None:
            yield Outgoing(topic, key, None)
            continue
        revision = max(now_us // 1000, _revision(found.get(key)) + 1)
        body = encode_result(
            want, event_time=event_time, published_at=published_at, revision=revision
        )
        yield Outgoing(topic, key, body)


def _settled(want: Said) -> Said:
    """With the likeliest state of each target; the worker says the true one with its next tick."""
    targets = (
        target._replace(state=target.state.partition(STATES_BETWEEN)[0]) for target in want.targets
    )
    return want._replace(targets=tuple(targets))


def _revision(raw: bytes | None) -> int:
    if raw is None:
        return 0
    try:
        return _decode_revised(raw).revision
    except msgspec.DecodeError:
        return 0


async def write(publisher: Publisher, records: Iterator[Outgoing]) -> int:
    """Send them; how many that were.

    Raises:
        BrokerUnavailable: not all were acknowledged; doing it again does no harm.
    """
    written = 0
    chunk: list[Outgoing] = []
    for record in records:
        chunk.append(record)
        if len(chunk) >= _CHUNK:
            written += await publisher.send_all(chunk)
            chunk = []
    return written + await publisher.send_all(chunk)
