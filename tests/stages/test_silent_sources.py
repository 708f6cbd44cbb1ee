"""A source of events that falls silent: told once, whoever dies, however the log is cut."""

import random
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from prometheus_client import CollectorRegistry

from stream_app.agents.evaluate import ValuePublisher
from stream_app.company import Company, load_company
from stream_app.domain.placement import partition_of_scope
from stream_app.domain.scopes import COMPANY
from stream_app.metrics.board import SnapshotBoard
from stream_app.metrics.kpi_gauges import KpiGauges
from stream_app.metrics.own import OwnMetrics
from stream_app.metrics.scrape import target_gauges
from stream_app.simulate import matching_configuration
from stream_app.stages.alert_memory import NUMBER
from stream_app.stages.ports import OutRecord
from stream_app.state.client import Client
from stream_app.state.errors import StoreUnavailable
from stream_app.wire.partial import HEARD, parse_key
from tests.stages.alerts import changes
from tests.stages.company import OPTIONS
from tests.stages.outside import ALERTS, PARTIALS, PARTIALS_PARTITIONS
from tests.stages.rig import Rig
from tests.stages.told import NOON, Told, logged, told, us

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
KEY = "silent_sources.hubspot|level|company|all"
FIRED, RESOLVED = (KEY, "firing", "silent_source"), (KEY, "resolved", "recovered")
OWNER = partition_of_scope(COMPANY, PARTIALS_PARTITIONS)


def company_with(directory: Path, allowed: str | None = "2h", **business: Any) -> Company:
    content = matching_configuration(OPTIONS)
    content["business"] |= business  # type: ignore[operator]
    content["windows"] = ["day", "month"]
    if allowed is not None:
        content["silent_sources"] = {"hubspot": allowed}
    path = directory / "company.yaml"
    path.write_text(yaml.safe_dump(content))
    return load_company(path)


def said(at: datetime, number: int = 0, source: str = "//hubspot/4711", **more: Any) -> Told:
    """A lead of the source, written when it happened."""
    name = f"l-{number}"
    timestamp, key, value = told("lead.created", name, at, **{"lead_id": name, **more})
    body = msgspec.json.decode(value or b"")
    return timestamp, key, msgspec.json.encode(body | {"source": source})


async def hear(rig: Rig, *records: Told) -> None:
    rig.extend(logged(records, [record for log in rig.log for record in log]))
    await rig.settle()


async def clock(rig: Rig, since: datetime, until: datetime) -> None:
    """The clock goes on, minute by minute."""
    now = since
    while now <= until:
        await rig.tick(us(now))
        now += MINUTE
    await rig.settle()


async def listening(redis: Client, company: Company) -> Rig:
    """HubSpot was heard at noon."""
    rig = Rig(redis, company, [])
    await rig.own_all()
    await rig.tick(us(NOON))
    await hear(rig, said(NOON))
    return rig


async def test_a_source_is_silent_after_its_time_and_until_it_speaks(
    redis: Client, tmp_path: Path
) -> None:
    rig = await listening(redis, company_with(tmp_path))
    await clock(rig, NOON, NOON + 2 * HOUR + 4 * MINUTE)
    assert changes(rig) == []

    await clock(rig, NOON + 2 * HOUR, NOON + 3 * HOUR)
    assert changes(rig) == [FIRED]

    await hear(rig, said(NOON + 3 * HOUR, 1))
    await clock(rig, NOON + 3 * HOUR, NOON + 4 * HOUR)
    assert changes(rig) == [FIRED, RESOLVED]


async def test_the_record_has_no_kpi_and_says_what_was_heard(redis: Client, tmp_path: Path) -> None:
    rig = await listening(redis, company_with(tmp_path))
    await clock(rig, NOON, NOON + 3 * HOUR)

    (record,) = rig.topics.all(ALERTS)
    body = msgspec.json.decode(record.value or b"")

    assert len(body.pop("id")) == 24
    assert body == {
        "v": 1,
        "target": "silent_sources.hubspot",
        "kind": "level",
        "kpi": None,
        "window": None,
        "start": None,
        "dimension": "company",
        "member": "all",
        "state": "firing",
        "previous": "ok",
        "reason": "silent_source",
        "value": 7440,  # the first tick that saw all of it came a minute after noon
        "threshold": 7200,
        "expected_by_now": None,
        "since": "2026-03-02T14:05:00Z",
        "severity": "warning",
        "sample": None,
        "explain": None,
        "source": "hubspot",
        "heard": "2026-03-02T12:00:00Z",
    }


async def test_evenings_and_weekends_are_no_silence(redis: Client, tmp_path: Path) -> None:
    rig = Rig(redis, company_with(tmp_path), [])
    await rig.own_all()
    friday = datetime(2026, 3, 6, 16, 30, tzinfo=UTC)  # half an hour of business is left
    await rig.tick(us(friday))
    await hear(rig, said(friday))
    monday = datetime(2026, 3, 9, 8, 30, tzinfo=UTC)  # an hour and a half of business
    await clock(rig, friday, monday)
    assert changes(rig) == []

    await clock(rig, monday, monday + 5 * MINUTE)
    assert changes(rig) == [FIRED]


@pytest.mark.parametrize("source", ["//salesforce/1", "//hubspot-eu/1"])
async def test_others_do_not_speak_for_a_source(redis: Client, tmp_path: Path, source: str) -> None:
    rig = await listening(redis, company_with(tmp_path))
    await hear(rig, *(said(NOON + HOUR, n, source) for n in range(1, 4)))
    await clock(rig, NOON, NOON + 3 * HOUR)

    assert changes(rig) == [FIRED]


async def test_a_repeat_is_heard_and_what_is_refused_is_not(redis: Client, tmp_path: Path) -> None:
    rig = await listening(redis, company_with(tmp_path))
    repeat = said(NOON, 1, event_id="again")
    await hear(rig, repeat, said(NOON + HOUR, 2, lead_id=None))
    await clock(rig, NOON, NOON + 3 * HOUR)
    assert changes(rig) == [FIRED]

    _, key, value = repeat
    await hear(rig, (us(NOON + 3 * HOUR) // 1_000, key, value))
    await clock(rig, NOON + 3 * HOUR, NOON + 3 * HOUR + MINUTE)
    assert changes(rig) == [FIRED, RESOLVED]


async def test_one_who_was_never_heard_is_silent_from_when_it_is_listened_to(
    redis: Client, tmp_path: Path
) -> None:
    rig = Rig(redis, company_with(tmp_path), [])
    await rig.own_all()
    await rig.settle()
    await clock(rig, NOON, NOON + 2 * HOUR)
    assert changes(rig) == []

    await clock(rig, NOON + 2 * HOUR, NOON + 2 * HOUR + 5 * MINUTE)
    assert changes(rig) == [FIRED]
    (sources,) = {stage._alerts.words.of_sources() for stage in rig.evaluators.values()} - {()}
    assert sources == (("silent_sources.hubspot", "firing"),)


async def test_a_new_owner_shows_the_gauge_at_once_and_verify_does_not_wonder_at_it(
    redis: Client, tmp_path: Path
) -> None:
    rig = await listening(redis, company_with(tmp_path))
    await clock(rig, NOON, NOON + 3 * HOUR)
    await rig.own_all()
    board = SnapshotBoard()
    board.show()
    publish = ValuePublisher(
        board=board,
        own=OwnMetrics(CollectorRegistry(), started_at_s=0),
        wall_clock_us=rig.wall_clock_us,
        monotonic_s=lambda: 0.0,
        processor_s=lambda: 0.0,
    )
    while await publish(rig.evaluators[OWNER]):
        pass

    page = KpiGauges(currency="EUR").render(board.snapshot()).text
    (line,) = [line for line in page.splitlines() if b"silent_sources" in line]

    assert line == (
        b'kpi_target_state{dimension="company",member="all",window="",kpi="",'
        b'target="silent_sources.hubspot"} 2.0'
    )
    assert target_gauges(page.decode()) == {}


async def test_time_in_which_no_worker_ran_is_not_the_sources_silence(
    redis: Client, tmp_path: Path
) -> None:
    rig = await listening(redis, company_with(tmp_path))
    back = NOON + 3 * HOUR

    await rig.own_all()
    await clock(rig, back, back + 2 * HOUR - 5 * MINUTE)
    assert changes(rig) == []

    await clock(rig, back + 2 * HOUR, back + 2 * HOUR)  # seven in the evening, Berlin time
    assert changes(rig) == []


async def test_a_silence_outlives_restarts_a_pause_and_an_emptied_redis(
    redis: Client, tmp_path: Path
) -> None:
    rig = await listening(redis, company_with(tmp_path))
    await clock(rig, NOON, NOON + 3 * HOUR)
    await rig.own_all()
    await rig.settle()
    later = NOON + 3 * HOUR + 20 * MINUTE
    await clock(rig, later, later + MINUTE)
    assert changes(rig) == [FIRED]

    await redis.flushdb()
    await rig.own_all()
    await rig.settle()
    await clock(rig, later + 2 * MINUTE, later + 10 * MINUTE)
    assert changes(rig) == [FIRED]

    await hear(rig, said(later + 10 * MINUTE, 1))
    await clock(rig, later + 11 * MINUTE, later + 12 * MINUTE)
    assert changes(rig) == [FIRED, RESOLVED]


async def test_what_is_not_asked_for_any_more_ends_and_leaves_nothing(
    redis: Client, tmp_path: Path
) -> None:
    rig = await listening(redis, company_with(tmp_path))
    await clock(rig, NOON, NOON + 3 * HOUR)

    rig.company = company_with(tmp_path, None)
    rig.config = rig.company.config
    await rig.own_all()
    await clock(rig, NOON + 3 * HOUR + MINUTE, NOON + 3 * HOUR + 2 * MINUTE)

    assert changes(rig) == [FIRED, RESOLVED, (KEY, None)]
    await hear(rig, said(NOON + 4 * HOUR, 1))
    assert all(set(stage._alerts.meta) == {NUMBER} for stage in rig.evaluators.values())


async def test_only_who_owns_the_company_is_told_and_only_what_is_newer(
    redis: Client, tmp_path: Path
) -> None:
    rig = await listening(redis, company_with(tmp_path))
    await hear(rig, said(NOON - HOUR, 0), said(NOON - HOUR, 0))

    heard = [
        (partition, parse_key(record.key or b"").source)
        for partition in range(PARTIALS_PARTITIONS)
        for record in rig.topics.of(PARTIALS, partition)
        if parse_key(record.key or b"").scope == HEARD
    ]

    assert len(heard) == 1
    assert heard[0][0] == OWNER
    assert heard[0][1].startswith("hubspot/")


@pytest.mark.parametrize("business", [{"clock": "event"}, {"as_of": "2026-03-02"}])
async def test_where_now_is_data_the_events_own_time_counts(
    redis: Client, tmp_path: Path, business: dict[str, str]
) -> None:
    rig = Rig(redis, company_with(tmp_path, **business), [])
    await rig.own_all()
    written = us(NOON + 300 * HOUR) // 1_000  # a replay: the records are younger than the events
    replayed = [
        (written, key, value)
        for _, key, value in (
            said(NOON),
            said(NOON + 3 * HOUR, 1, "//salesforce/1"),
        )
    ]
    await hear(rig, *replayed)
    assert changes(rig) == [FIRED]

    if "clock" in business:
        await hear(rig, said(NOON + 4 * HOUR, 2))
        assert changes(rig) == [FIRED, RESOLVED]


@pytest.mark.parametrize("seed", range(2))
async def test_neither_crashes_nor_batches_change_what_is_told(
    redis: Client, tmp_path: Path, seed: int
) -> None:
    whole = ("id", "state", "since", "value")
    spoken = [said(NOON + hours * HOUR, hours) for hours in (0, 3)]
    calm = Rig(redis, company_with(tmp_path), [])
    await calm.own_all()
    await script(calm, spoken, None)
    await redis.flushdb()
    shaky = Rig(redis, company_with(tmp_path), [])
    await shaky.own_all()
    await script(shaky, spoken, random.Random(seed))  # noqa: S311

    assert changes(calm) == [FIRED, RESOLVED]
    assert changes(shaky, *whole) == changes(calm, *whole)


async def script(rig: Rig, spoken: list[Told], chance: random.Random | None) -> None:
    """Three hours between two events; with chance, everything dies now and then."""
    await rig.tick(us(NOON))
    await hear(rig, spoken[0])
    now = NOON
    for number in range(181):
        now = NOON + number * MINUTE
        await rig.tick(us(now))
        if chance is None:
            continue
        await rig.evaluate(OWNER, chance.randint(1, 5))
        if chance.random() < 0.1:
            rig.store_faults.append(chance.choice(["acknowledge", "commit"]))
        with suppress(StoreUnavailable):
            await rig.flush(OWNER)
            await rig.evaluate(OWNER, 1)
        rig.store_faults.clear()
        if chance.random() < 0.05:
            await rig.own_all()
    await rig.settle()
    await hear(rig, spoken[1])
    await rig.tick(us(now + MINUTE))
    await rig.settle()


async def test_what_another_version_told_of_a_source_is_mended_in_a_new_reign(
    redis: Client, tmp_path: Path
) -> None:
    rig = await listening(redis, company_with(tmp_path))
    await clock(rig, NOON, NOON + 3 * HOUR)
    (fired,) = rig.topics.all(ALERTS)
    theirs = msgspec.json.decode(fired.value or b"")
    theirs |= {"id": "theirs", "state": "resolved", "previous": "firing"}
    await rig.topics.publish([OutRecord(ALERTS, fired.key, msgspec.json.encode(theirs))])

    rig.reign = 2
    await rig.settle()

    news = changes(rig, "state", "previous", "value")[2:]
    assert news == [(KEY, "firing", "resolved", 3 * 3600)]
