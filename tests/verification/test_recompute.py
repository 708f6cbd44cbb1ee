from dataclasses import replace
from random import Random

import msgspec
import pytest

from stream_app.company import Company
from stream_app.config.model import Config
from tests.verification.small_log import NOW_US, Logged, begun, log, recomputed


def event(key: str, kind: str, at: str = "2026-03-01T10:00:00Z", **data: object) -> Logged:
    body = {
        "specversion": "1.0",
        "id": f"{key}/{kind}/{at}",
        "source": "test",
        "type": f"crm.{kind}.v1",
        "time": at,
        "data": data,
    }
    return Logged(0, 0, NOW_US // 1000, key.encode(), msgspec.json.encode(body))


def numbered(*records: Logged) -> tuple[Logged, ...]:
    return tuple(replace(record, offset=offset) for offset, record in enumerate(records))


def test_values_do_not_depend_on_when_the_log_was_folded(company: Company) -> None:
    at_once = dict(recomputed(company).values(NOW_US))
    bit_by_bit = begun(company)
    for number, record in enumerate(log()):
        bit_by_bit.add(record.partition, record)
        if number % 97 == 0:
            bit_by_bit.fold(NOW_US - 3_600_000_000)
    assert dict(bit_by_bit.values(NOW_US)) == at_once
    assert len(at_once) > 1_000


def test_values_do_not_depend_on_which_partition_is_read_first(company: Company) -> None:
    by_partition = tuple(sorted(log(), key=lambda record: record.partition))
    assert dict(recomputed(company, by_partition).values(NOW_US)) == dict(
        recomputed(company).values(NOW_US)
    )


def test_every_record_has_one_outcome(company: Company) -> None:
    recomputation = recomputed(company)
    for partition, outcomes in recomputation.outcomes.items():
        own = [record for record in log() if record.partition == partition]
        assert sum(outcomes.counts(len(own)).values()) == len(own) == outcomes.end
    assert recomputation.records == len(log())
    dead = sum(o.counts(o.end)["dead_letter"] for o in recomputation.outcomes.values())
    assert dead == len(recomputation.dead_letters) > 5


def test_a_repeat_is_a_duplicate_also_after_its_thread_was_folded(company: Company) -> None:
    lead = event("l", "lead.created", lead_id="l")
    recomputation = begun(company)
    first, again, other = numbered(lead, lead, event("l", "lead.created", lead_id="l", team="x"))
    recomputation.add(0, first)
    before = dict(recomputation.values(NOW_US))
    recomputation.add(0, again)
    recomputation.add(0, other)
    assert list(recomputation.outcomes[0]) == ["applied", "duplicate", "dead_letter"]
    assert recomputation.dead_letters[0, 2].reason == "id_conflict"
    assert dict(recomputation.values(NOW_US)) == before


def test_a_deal_under_two_keys_is_reported(company: Company) -> None:
    records = numbered(
        event("d", "deal.created", deal_id="d"),
        event("lead", "deal.won", deal_id="d"),
        event("other", "deal.created", deal_id="e"),
    )
    assert recomputed(company, records).under_two_keys() == {("deal", "d"): {b"d", b"lead"}}


def test_a_key_in_two_partitions_is_reported(company: Company) -> None:
    one, two = event("l", "lead.created", lead_id="l"), event("l", "lead.updated", lead_id="l")
    records = (one, replace(two, partition=1))
    assert recomputed(company, records).in_two_partitions == {b"l"}


def with_business(config: Config, **fields: object) -> Config:
    return replace(config, business=replace(config.business, **fields))  # type: ignore[arg-type]


@pytest.mark.parametrize("clock", ["event", "wall"])
def test_now_is_the_newest_event_or_the_last_tick(company: Company, clock: str) -> None:
    recomputation = begun(company, with_business(company.config, clock=clock))
    assert recomputation.now_us(None) is None
    recomputation.add(0, event("l", "lead.created", lead_id="l"))
    newest_us = 1_772_359_200_000_000
    assert recomputation.now_us(NOW_US) == (newest_us if clock == "event" else NOW_US)


def test_a_shuffled_log_gives_the_same_values(company: Company) -> None:
    """Only where nothing depends on which of two records came first: no conflicts."""
    records = list(log())
    refused = recomputed(company).dead_letters
    strange = {record.key for record in records if (record.partition, record.offset) in refused}
    kept = [record for record in records if record.key not in strange]
    shuffled = list(kept)
    Random(1).shuffle(shuffled)  # noqa: S311 - the same every time
    ends = dict.fromkeys((0, 1), 0)
    renumbered = []
    for record in shuffled:
        renumbered.append(replace(record, offset=ends[record.partition]))
        ends[record.partition] += 1
    assert dict(recomputed(company, tuple(renumbered)).values(NOW_US)) == dict(
        recomputed(company, tuple(kept)).values(NOW_US)
    )
