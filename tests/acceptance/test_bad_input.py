"""Bad input, end to end: a dead letter each and the KPIs of the good, or a stop before it."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import yaml
from aiokafka import AIOKafkaProducer

from stream_app.company import load_company
from stream_app.settings import load
from stream_app.verification.compare import compare_values
from stream_app.verification.recompute import Recomputation
from stream_app.wire.reasons import Reason
from tests.acceptance.commands import assert_proven, run, standing
from tests.acceptance.worker_process import WorkerProcess, wait_until
from tests.wire.records import DATA, NOW_MS, record

THREAD_EVENTS_MAX = 5_000


class Written(NamedTuple):
    """A record for `crm.events`, and what must become of it: None for an event that counts."""

    key: bytes | None
    value: bytes | None
    reason: Reason | None = None
    offset: int = 0
    timestamp: int = NOW_MS


def good() -> list[Written]:
    """Some that count, and one thread that is full."""
    written = [
        Written(b"k-%d" % at, record(kind, id=f"good-{at}"))
        for at, kind in enumerate(name for name in DATA if name != "crm.measure.recorded.v1")
    ]
    long = (record("lead.updated", id=f"long-{n}") for n in range(THREAD_EVENTS_MAX))
    return written + [Written(b"long", value) for value in long]


def bad() -> list[Written]:
    """One for every reason."""
    other_time = "2026-11-21T08:00:00Z"
    return [
        Written(b"k", b"[" + b" " * (1 << 20) + b"]", Reason.TOO_LARGE),
        Written(b"k", b"{ this is no JSON", Reason.NOT_JSON),
        Written(b"k", record("deal.won", {"deal_id": None}), Reason.SCHEMA),
        Written(b"k", record(type="crm.deal.vanished.v1"), Reason.UNKNOWN_TYPE),
        Written(None, record(), Reason.MISSING_KEY),
        Written(b"k", record(data={"amount": "a lot"}), Reason.BAD_NUMBER),
        Written(b"k", record(data={"currency": "JPY"}), Reason.UNKNOWN_CURRENCY),
        Written(b"k", record("measure.recorded"), Reason.UNKNOWN_MEASURE),
        Written(b"k", record(time="2027-06-01T00:00:00Z"), Reason.FUTURE),
        Written(b"k", record(time="2001-01-01T00:00:00Z"), Reason.TOO_OLD),
        Written(b"k-0", record("lead.created", id="good-0", time=other_time), Reason.ID_CONFLICT),
        Written(b"long", record("lead.updated", id="one-too-many"), Reason.THREAD_TOO_LONG),
    ]


def written(environment: Mapping[str, str], records: list[Written]) -> list[tuple[int, int]]:
    """(partition, offset) of each record in `crm.events`."""
    settings = load(environment)

    async def send() -> list[tuple[int, int]]:
        async with AIOKafkaProducer(
            bootstrap_servers=list(settings.kafka), max_request_size=4 << 20, linger_ms=5
        ) as producer:
            acknowledged = [
                await producer.send(
                    settings.topics.events, each.value, key=each.key, timestamp_ms=each.timestamp
                )
                for each in records
            ]
            places = [await each for each in acknowledged]
        return [(place.partition, place.offset) for place in places]

    return asyncio.run(send())


def configured(environment: Mapping[str, str], **sections: Any) -> None:
    """Change sections of the configuration file."""
    path = Path(environment["STREAM_APP_CONFIG"])
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    path.write_text(yaml.safe_dump(content | sections), encoding="utf-8")


def test_every_reason_gives_one_dead_letter_and_the_kpis_of_the_good_records(
    environment: Mapping[str, str], tmp_path: Path
) -> None:
    settings = load(environment)
    company = load_company(settings.config_path)
    worker = WorkerProcess(environment, tmp_path / "worker.log")
    worker.await_ready()
    total = len(good()) + len(bad())
    assert {each.reason for each in bad()} == set(Reason)

    written(environment, good())
    places = written(environment, bad())
    wait_until(lambda: worker.records(settings.topics.events) == total, 120, worker.log_path)
    assert_proven(environment, worker.address)

    listed = run(environment, "dead-letters", "list", "--json", "--limit", "0")
    assert listed.returncode == 0
    letters = run(environment, "dead-letters", "list", "--json", "--limit", "100")
    found = {
        (letter["partition"], letter["offset"]): letter["reason"]
        for letter in msgspec.json.decode(letters.stdout)["letters"]
    }
    assert found == {
        place: each.reason for place, each in zip(places, bad(), strict=True) if each.reason
    }
    truth = Recomputation(company.config, company.catalogue, company.goals, company.working_days)
    truth.begin(0, 0)
    for offset, each in enumerate(good()):
        truth.add(0, each._replace(offset=offset))
    assert not truth.dead_letters
    compared = compare_values(truth.values(truth.newest_us), standing(settings))
    assert compared.records > 50
    assert compared.by_key == {}
    assert worker.stop() == 0


def test_with_poison_stop_a_bad_record_stops_its_partition_until_it_may_be_left_out(
    environment: Mapping[str, str], tmp_path: Path
) -> None:
    topic = load(environment).topics.events
    configured(environment, poison="stop")
    worker = WorkerProcess(environment, tmp_path / "stopping.log")
    worker.await_ready()
    first = [Written(b"k-%d" % n, record("lead.created", id=f"a-{n}")) for n in range(40)]
    then = [Written(b"k-%d" % n, record("lead.updated", id=f"b-{n}")) for n in range(40)]

    written(environment, first)
    ((partition, offset),) = written(environment, [Written(b"k-0", b"{ this is no JSON")])
    after = written(environment, then)
    others = sum(place != partition for place, _ in after)
    assert 0 < others < len(after)
    where = f"{topic}/{partition} is stopped before offset {offset}"
    wait_until(lambda: where in worker.reasons(), 60, worker.log_path)
    wait_until(lambda: worker.records(topic) == 40 + others, 60, worker.log_path)

    assert worker.readiness() == (200, "degraded")
    assert f"{where}, because of `poison: stop`: not_json" in worker.log
    assert [
        (labels["partition"], labels["reason"], value)
        for name, labels, value in worker.samples()
        if name == "stream_app_stopped_before_offset"
    ] == [(str(partition), "not_json", float(offset))]
    assert worker.stop() == 0

    configured(environment, poison="dead_letter")
    again = WorkerProcess(environment, tmp_path / "again.log")
    again.await_ready()
    wait_until(lambda: again.records(topic) == 81, 60, again.log_path)
    assert_proven(environment, again.address)
    assert again.stop() == 0
