import pytest

from stream_app.checking.findings import Finding, Level
from stream_app.checking.state import PartitionFacts, Sizes, size_findings, state_findings


def facts(begin: int = 0, end: int = 100, **meta: str) -> PartitionFacts:
    return PartitionFacts(begin=begin, end=end, meta=meta)


def findings(*partitions: PartitionFacts, topic_id: str | None = "id") -> list[Finding]:
    return list(state_findings("crm.events", "abc", partitions, topic_id=topic_id))


def only(found: list[Finding]) -> tuple[Level, str]:
    (finding,) = found
    return finding.level, finding.text


def test_a_state_at_the_end_of_the_log_is_fine() -> None:
    stored = facts(offset="100", partition_count="1", topic_id="id")
    assert only(findings(stored)) == (
        Level.FINE,
        "state version abc: counted to the end of crm.events",
    )


def test_a_state_behind_the_log_is_a_note() -> None:
    level, text = only(findings(facts(offset="60"), facts()))
    assert (level, text.split(": ")[1]) == (
        Level.NOTE,
        "140 records of crm.events are not counted yet",
    )


@pytest.mark.parametrize(
    ("records", "about"), [(1_000, "seconds"), (3_000_000, "about 10 min"), (10**9, "hours")]
)
def test_a_state_that_is_not_there_will_be_rebuilt(records: int, about: str) -> None:
    level, text = only(findings(facts(end=records)))
    assert level is Level.NOTE
    assert f"rebuild it from {records:,} records ({about})" in text


def test_nothing_to_count_is_fine() -> None:
    assert only(findings(facts(end=0)))[0] is Level.FINE


@pytest.mark.parametrize(
    ("stored", "told", "mended_by"),
    [
        (facts(offset="101"), "ends at offset 100, counted up to 101", "rebuild"),
        (facts(begin=50, offset="20"), "30 records were deleted before they were", "rebuild"),
        (facts(offset="100", topic_id="other"), "was deleted and created again", "rebuild"),
        (facts(offset="100", partition_count="3"), "the state was built from 3", "copy-log"),
        (facts(offset="10", torn="20"), "the state is torn", "rebuild"),
    ],
)
def test_a_state_that_does_not_fit_the_log_is_to_be_mended(
    stored: PartitionFacts, told: str, mended_by: str
) -> None:
    found = findings(stored)
    assert only(found)[0] is Level.MEND
    assert told in found[0].text
    assert f"stream-app {mended_by}" in found[0].remedy


def test_a_broker_that_tells_no_topic_id_is_not_judged_by_it() -> None:
    assert only(findings(facts(offset="100", topic_id="x"), topic_id=None))[0] is Level.FINE


def test_other_state_versions_are_named_with_how_to_delete_them() -> None:
    sizes = {"abc": Sizes(keys=5, bytes=2_000_000), "old": Sizes(keys=7, bytes=None)}
    own, other = size_findings("abc", sizes)
    assert own.text == "Redis holds 5 keys of it, about 2.0 MB"
    assert other.level is Level.NOTE
    assert "state version old: 7 keys" in other.text
    assert "stream-app rebuild --state-version old --yes" in other.remedy
