import pytest

from stream_app.metrics.health import Health, Status


def ready() -> Health:
    health = Health()
    health.set_kafka(reachable=True)
    health.set_redis(reachable=True)
    health.set_assigned(assigned=True)
    health.set_recovered(recovered=True)
    return health


def test_a_new_worker_is_starting_and_says_what_it_waits_for() -> None:
    health = Health()

    assert health.status is Status.STARTING
    assert "; ".join(health.reasons) == (
        "Kafka is not connected yet; Redis is not connected yet;"
        " no partitions are assigned yet; the state is not loaded yet"
    )


def test_a_worker_with_all_it_needs_is_ready_for_no_reason() -> None:
    assert ready().status is Status.READY
    assert ready().reasons == []


def test_a_worker_without_assignment_is_starting_again() -> None:
    health = ready()

    health.set_assigned(assigned=False)

    assert (health.status, health.reasons) == (
        Status.STARTING,
        ["no partitions are assigned yet"],
    )


def test_the_gravest_condition_is_the_status_and_the_reasons_name_all() -> None:
    health = ready()

    seen = [health.status]
    health.degrade("audit", "3 cells differ")
    seen.append(health.status)
    health.set_recovered(recovered=False, reason="state version abc is rebuilt")
    seen.append(health.status)
    health.set_redis(reachable=False, reason="LOADING")
    seen.append(health.status)
    health.set_kafka(reachable=False)
    seen.append(health.status)

    assert seen == [
        Status.READY,
        Status.DEGRADED,
        Status.REBUILDING,
        Status.WAITING_FOR_REDIS,
        Status.WAITING_FOR_KAFKA,
    ]
    assert health.reasons == [
        "Kafka cannot be reached",
        "LOADING",
        "state version abc is rebuilt",
        "3 cells differ",
    ]


def test_every_condition_can_be_mended() -> None:
    health = ready()
    health.set_kafka(reachable=False)
    health.set_recovered(recovered=False)
    health.degrade("poison", "many bad records")

    health.set_kafka(reachable=True)
    health.set_recovered(recovered=True)
    health.restore("poison")
    health.restore("never heard of")

    assert health.status is Status.READY


def test_one_cause_has_one_reason_and_none_ends_it() -> None:
    health = ready()
    for reason in ("51 in a row", "52 in a row"):
        health.set_degraded("poison crm.events/0", reason)
    during = health.reasons

    health.set_degraded("poison crm.events/0", None)

    assert (during, health.reasons) == (["52 in a row"], [])


@pytest.mark.parametrize("status", list(Status))
def test_only_ready_and_degraded_are_in_service(status: Status) -> None:
    assert status.in_service is (status in {Status.READY, Status.DEGRADED})


def test_a_password_in_a_reason_is_not_shown() -> None:
    health = ready()

    health.set_redis(
        reachable=False, reason="Error 111 connecting to redis://app:s3cr/et@10.0.0.5:6379/0."
    )

    assert health.reasons == ["Error 111 connecting to redis://***@10.0.0.5:6379/0."]
