"""What is told of an outage: once when it begins, once when it is over, and only what is known."""

import logging

import pytest
from prometheus_client import CollectorRegistry

from stream_app.agents.outages import Outages
from stream_app.agents.patience import Patience
from stream_app.metrics.health import Health, Status
from stream_app.metrics.own import OwnMetrics
from stream_app.state.errors import Kind, StoreUnavailable

AWAY = StoreUnavailable(Kind.CONNECTION, "redis:6379")


class Told:
    """Outages whose clock stands still until it is set."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO, logger="stream_app.agents.outages")
        self._caplog = caplog
        self.health = Health()
        self.health.set_kafka(reachable=True)
        self.health.set_assigned(assigned=True)
        self.health.set_recovered(recovered=True)
        self.now_s = 0.0
        own = OwnMetrics(CollectorRegistry(), started_at_s=0)
        self.outages = Outages(self.health, own, monotonic_s=lambda: self.now_s)

    @property
    def lines(self) -> list[str]:
        return self._caplog.messages


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Told:
    return Told(caplog)


def test_an_outage_is_over_when_all_who_complained_were_served(told: Told) -> None:
    told.outages.complain("a", AWAY)
    told.outages.complain("b", AWAY)
    told.now_s = 2.5
    told.outages.withdraw("a", served=True)
    assert told.health.status is Status.WAITING_FOR_REDIS
    told.outages.withdraw("b", served=True)

    assert told.health.status is Status.READY
    assert told.lines == [f"{AWAY}; trying again until it serves", "Redis serves again after 2.5 s"]


def test_who_gives_up_does_not_say_that_redis_serves(told: Told) -> None:
    told.outages.complain("a", AWAY)
    told.outages.withdraw("a", served=False)

    assert told.lines == [f"{AWAY}; trying again until it serves"]


def test_who_gives_up_while_others_wait_leaves_its_complaint(told: Told) -> None:
    told.outages.complain("a", AWAY)
    told.outages.complain("b", AWAY)
    told.outages.withdraw("a", served=False)
    told.now_s = 1.0
    told.outages.withdraw("b", served=True)

    assert told.health.status is Status.READY
    assert told.lines[-1] == "Redis serves again after 1.0 s"


def test_a_second_outage_is_told_like_the_first(told: Told) -> None:
    for served in (False, True):
        told.outages.complain("a", AWAY)
        told.outages.withdraw("a", served=served)

    began = f"{AWAY}; trying again until it serves"
    assert told.lines == [began, began, "Redis serves again after 0.0 s"]


async def test_an_operation_that_is_cancelled_or_fails_was_not_served(told: Told) -> None:
    patience = Patience(told.outages)
    attempts = iter([AWAY, ValueError("a bug")])

    async def operation() -> None:
        raise next(attempts)

    with pytest.raises(ValueError, match="a bug"):
        await patience(operation)

    assert told.lines == [f"{AWAY}; trying again until it serves"]
    assert told.health.status is Status.READY
