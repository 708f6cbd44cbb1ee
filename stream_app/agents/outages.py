"""What cannot be reached right now: told once, to readiness and in the log."""

import logging
import time
from collections.abc import Callable
from typing import Final

from stream_app.metrics.health import Health
from stream_app.metrics.own import OwnMetrics
from stream_app.state.errors import StoreUnavailable
from stream_app.transport.errors import BrokerUnavailable

logger = logging.getLogger(__name__)

Unavailable = StoreUnavailable | BrokerUnavailable
REDIS: Final = "Redis"
KAFKA: Final = "Kafka"


class Outages:
    """Who is away, by everyone who notices.

    A dozen tasks meet the same outage; one line says that it began and one that it is over. It is
    over when nobody complains any more: a Redis that answers and refuses to write is still away.
    """

    def __init__(
        self, health: Health, own: OwnMetrics, *, monotonic_s: Callable[[], float] = time.monotonic
    ) -> None:
        """Nobody has been heard of yet.

        Args:
            health: readiness.
            own: metrics about ourselves.
            monotonic_s: for how long somebody was away.
        """
        self._health = health
        self._own = own
        self._monotonic_s = monotonic_s
        self._complaints: dict[str, dict[object, str]] = {REDIS: {}, KAFKA: {}}
        self._began_s: dict[str, float] = {}

    def complain(self, who: object, error: Unavailable) -> None:
        """Somebody could not be reached by `who`."""
        whom = REDIS if isinstance(error, StoreUnavailable) else KAFKA
        if isinstance(error, StoreUnavailable):
            self._own.store_errors.labels(error.kind.value).inc()
        if not self._complaints[whom]:
            logger.warning("%s; trying again until it serves", error)
            self._began_s[whom] = self._monotonic_s()
        self._complaints[whom][who] = str(error)
        self._show(whom)

    def serve(self, whom: str) -> None:
        """Redis or Kafka answered, which says nothing about what others complain of."""
        self._show(whom)

    def withdraw(self, who: object, *, served: bool) -> None:
        """`who` complains no longer.

        Args:
            who: whoever complained, if it did.
            served: it got what it wanted; else it wants it no more, and nothing is known.
        """
        for whom, complaints in self._complaints.items():
            if complaints.pop(who, None) is None:
                continue
            if not complaints:
                away_s = self._monotonic_s() - self._began_s.pop(whom)
                if served:
                    logger.info("%s serves again after %.1f s", whom, away_s)
            self._show(whom)

    def _show(self, whom: str) -> None:
        reason = next(iter(self._complaints[whom].values()), "")
        told = self._health.set_redis if whom == REDIS else self._health.set_kafka
        told(reachable=not reason, reason=reason)
