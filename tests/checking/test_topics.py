from dataclasses import replace

import pytest

from stream_app.checking.findings import Finding, Level
from stream_app.checking.topics import TopicFacts, topic_findings
from stream_app.settings import Topics
from stream_app.transport.topics import contract_topics

SPECS = contract_topics(Topics(), "v", 4)
RIGHT = {
    spec.name: TopicFacts(
        partitions=4, topic_id="id", replicas=1, records=7, configs=dict(spec.configs)
    )
    for spec in SPECS
}


def findings(facts: dict[str, TopicFacts], brokers: int = 1) -> list[Finding]:
    return list(topic_findings(SPECS, facts, brokers=brokers, servers="h:1"))


def with_setting(topic: str, setting: str, value: str) -> dict[str, TopicFacts]:
    facts = RIGHT[topic]
    return RIGHT | {topic: replace(facts, configs={**facts.configs, setting: value})}


def test_topics_as_we_create_them_are_fine() -> None:
    found = findings(RIGHT)
    assert {finding.level for finding in found} == {Level.FINE}
    assert found[0].text == "topic crm.events: 4 partitions, 7 records"


@pytest.mark.parametrize(
    ("topic", "setting", "value", "harm"),
    [
        ("crm.events", "cleanup.policy", "compact", "only the last record of each key is kept"),
        ("crm.events", "cleanup.policy", "compact,delete", "only the last record of each key"),
        ("crm.events", "max.message.bytes", "1048588", "larger records are refused"),
        ("crm.events", "retention.ms", "604800000", "deleted earlier"),
        ("crm.events", "retention.bytes", "1000000", "deleted when the log grows"),
        ("crm.events", "message.timestamp.before.max.ms", "86400000", "history"),
        ("kpi.values", "cleanup.policy", "delete", "values that did not change for a while"),
        ("kpi.partials.v", "cleanup.policy", "compact,delete", "values that did not change"),
        ("kpi.alerts", "cleanup.policy", "compact", "what is old is never deleted"),
    ],
)
def test_a_setting_that_loses_something_is_to_be_mended(
    topic: str, setting: str, value: str, harm: str
) -> None:
    wrong = [f for f in findings(with_setting(topic, setting, value)) if f.level is Level.MEND]
    assert len(wrong) == 1
    assert f"topic {topic}: {setting} is {value}, expected" in wrong[0].text
    assert harm in wrong[0].text
    assert f"--entity-name {topic} --add-config {setting}=" in wrong[0].remedy


@pytest.mark.parametrize(
    ("topic", "setting", "value"),
    [
        ("crm.events", "max.message.bytes", "104857600"),
        ("crm.dead-letters", "retention.ms", "-1"),
        ("crm.dead-letters", "retention.ms", "9999999999"),
        ("kpi.alerts", "cleanup.policy", "delete, compact"),
        ("kpi.values", "segment.ms", "1"),
    ],
)
def test_more_than_is_asked_for_is_fine(topic: str, setting: str, value: str) -> None:
    assert {f.level for f in findings(with_setting(topic, setting, value))} == {Level.FINE}


def test_a_broker_that_hides_its_settings_is_not_judged() -> None:
    hidden = {name: replace(facts, configs={}) for name, facts in RIGHT.items()}
    assert {f.level for f in findings(hidden)} == {Level.FINE}


def test_missing_topics_are_created_by_a_worker() -> None:
    (nothing,) = findings({})
    assert nothing.level is Level.NOTE
    assert "STREAM_APP_PARTITIONS" in nothing.remedy
    some = findings({name: facts for name, facts in RIGHT.items() if name != "kpi.ticks"})
    assert [f.text for f in some if f.level is Level.NOTE] == ["not there yet: kpi.ticks"]


def test_one_replica_on_several_brokers_is_worth_a_note() -> None:
    assert sum(f.level is Level.NOTE for f in findings(RIGHT, brokers=3)) == len(SPECS)
