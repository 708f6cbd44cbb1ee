import pytest
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest

from stream_app.domain.events import EVENT_TYPE_BY_NAME
from stream_app.metrics.own import OwnMetrics, event_type_label
from tests.metrics.exposing import parsed, series


def own() -> OwnMetrics:
    return OwnMetrics(CollectorRegistry(), started_at_s=1_795_311_608.0)


def page(metrics: OwnMetrics) -> str:
    return generate_latest(metrics.registry).decode()


@pytest.mark.parametrize(
    "name",
    [
        "stream_app_events_total",
        "stream_app_dead_letters_total",
        "stream_app_partition_records",
        "stream_app_source_offset",
        "stream_app_lag_records",
        "stream_app_outbox_entries",
        "stream_app_unpublished_seconds",
        "stream_app_batch_records",
        "stream_app_batch_duration_seconds",
        "stream_app_commit_duration_seconds",
        "stream_app_freshness_seconds",
        "stream_app_fenced_commits_total",
        "stream_app_store_errors_total",
        "stream_app_state_entries",
        "stream_app_published_total",
        "stream_app_audit_divergence",
        "stream_app_audit_compared_total",
        "stream_app_series_dropped",
        "stream_app_rebuilding",
        "stream_app_degraded",
        "stream_app_build_info",
        "stream_app_start_time_seconds",
        "process_resident_memory_bytes",
    ],
)
def test_every_metric_that_operators_rely_on_is_declared(name: str) -> None:
    assert f"\n# TYPE {name} " in f"\n{page(own())}"


def test_the_global_registry_stays_untouched() -> None:
    before = generate_latest(REGISTRY).count(b"stream_app_")

    own()

    assert generate_latest(REGISTRY).count(b"stream_app_") == before == 0


def test_two_workers_metrics_do_not_meet() -> None:
    one, other = own(), own()

    one.degraded.set(1)

    assert parsed(page(one))[series("stream_app_degraded")] == 1
    assert parsed(page(other))[series("stream_app_degraded")] == 0


def test_a_revoked_partition_leaves_no_series() -> None:
    metrics = own()
    for partition in (0, 1):
        metrics.set_partition_records("crm.events", partition, "applied", 7)
        metrics.set_partition_records("crm.events", partition, "dead_letter", 1)
        metrics.set_unpublished_seconds("crm.events", partition, 3)
        for gauge in (metrics.source_offset, metrics.lag_records, metrics.outbox_entries):
            gauge.labels("crm.events", str(partition)).set(8)

    metrics.forget_partition("crm.events", 1)
    metrics.forget_partition("crm.events", 2)

    text = page(metrics)
    assert 'partition="1"' not in text
    applied = series(
        "stream_app_partition_records", topic="crm.events", partition="0", outcome="applied"
    )
    assert parsed(text)[applied] == 7


def test_types_that_a_producer_invents_share_one_label() -> None:
    assert {event_type_label(name) for name in EVENT_TYPE_BY_NAME} == set(EVENT_TYPE_BY_NAME)
    assert event_type_label("crm.deal.won.v9") == event_type_label("") == "other"


def test_a_counter_comes_without_the_time_of_its_creation() -> None:
    metrics = own()
    metrics.events.labels("crm.events", event_type_label("crm.deal.won.v1"), "applied").inc(3)
    metrics.freshness.observe(0.2)

    assert "_created" not in page(metrics)


def test_only_the_latest_build_is_described() -> None:
    metrics = own()
    metrics.describe_build(version="0.1.0", state_version="aaaa", configuration="cc")
    metrics.describe_build(version="0.1.0", state_version="bbbb", configuration="cc")

    builds = [line for line in page(metrics).split("\n") if line.startswith("stream_app_build")]

    assert len(builds) == 1
    assert 'state_version="bbbb",version="0.1.0"} 1.0' in builds[0]
