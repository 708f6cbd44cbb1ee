"""Whether the worker is fit for service, as a few explicit conditions.

| status | means | /readyz |
|---|---|---|
| `waiting_for_kafka`, `waiting_for_redis` | was or could not be reached; nothing is counted | 503 |
| `starting` | not yet connected, assigned or loaded | 503 |
| `superseded` | workers of a newer state version say the values; this one only counts | 503 |
| `rebuilding` | catches up with the log; publishes nothing until done | 503 |
| `degraded` | counts and publishes, but a person should look | 200 |
| `ready` | all is well | 200 |

`degraded` is 200: taking such a worker out of service would turn bad input into an outage.
If several hold, the first in this table is the status; the reasons name all.
"""

import re
from collections.abc import Mapping
from enum import StrEnum

_REASON_CHARACTERS_MAX = 300
_CREDENTIALS = re.compile(r"//\S*@")


class Status(StrEnum):
    """What `/readyz` says, in order of precedence."""

    WAITING_FOR_KAFKA = "waiting_for_kafka"
    WAITING_FOR_REDIS = "waiting_for_redis"
    STARTING = "starting"
    SUPERSEDED = "superseded"
    REBUILDING = "rebuilding"
    DEGRADED = "degraded"
    READY = "ready"

    @property
    def in_service(self) -> bool:
        """Whether the worker's outputs are to be relied upon."""
        return self in {Status.DEGRADED, Status.READY}


class Health:
    """The conditions, each set by the component that knows it. Begins as `starting`."""

    def __init__(self) -> None:
        self._kafka: bool | None = None
        self._redis: bool | None = None
        self._assigned = False
        self._recovered: bool | None = None
        self._superseded_by: str | None = None
        self._reasons: dict[str, str] = {}
        self._causes: dict[str, str] = {}

    def set_kafka(self, *, reachable: bool, reason: str = "") -> None:
        """Say whether the broker answers; the reason is shown while it does not."""
        self._kafka = reachable
        self._reasons["kafka"] = _shown(reason or "Kafka cannot be reached")

    def set_redis(self, *, reachable: bool, reason: str = "") -> None:
        """Say whether Redis answers and accepts writes."""
        self._redis = reachable
        self._reasons["redis"] = _shown(reason or "Redis cannot be reached")

    def set_assigned(self, *, assigned: bool) -> None:
        """Say whether the group has told this worker its partitions (possibly none)."""
        self._assigned = assigned

    def set_recovered(self, *, recovered: bool, reason: str = "") -> None:
        """Say whether every assigned partition's state is complete; False while it is rebuilt."""
        self._recovered = recovered
        self._reasons["rebuilding"] = _shown(reason or "the state is rebuilt from the log")

    def set_superseded(self, by: str | None) -> None:
        """Say which newer state version speaks, None: none does."""
        self._superseded_by = by

    def degrade(self, cause: str, reason: str) -> None:
        """Note something that a person should look at; one reason per cause."""
        self._causes[cause] = _shown(reason)

    def restore(self, cause: str) -> None:
        """Withdraw a cause; unknown ones are as good as withdrawn."""
        self._causes.pop(cause, None)

    def set_degraded(self, cause: str, reason: str | None) -> None:
        """Degrade for a reason, or restore for None: made for `PoisonFuse.reason`."""
        if reason is None:
            self.restore(cause)
        else:
            self.degrade(cause, reason)

    @property
    def conditions(self) -> Mapping[Status, str]:
        """All that keeps the worker from being ready, with reasons, in order of precedence."""
        held: dict[Status, str] = {}
        if self._kafka is False:
            held[Status.WAITING_FOR_KAFKA] = self._reasons["kafka"]
        if self._redis is False:
            held[Status.WAITING_FOR_REDIS] = self._reasons["redis"]
        unknown = [
            word
            for word, known in (
                ("Kafka is not connected yet", self._kafka is not None),
                ("Redis is not connected yet", self._redis is not None),
                ("no partitions are assigned yet", self._assigned),
                ("the state is not loaded yet", self._recovered is not None),
            )
            if not known
        ]
        if unknown:
            held[Status.STARTING] = "; ".join(unknown)
        if self._superseded_by is not None:
            held[Status.SUPERSEDED] = (
                f"state version {self._superseded_by}, which was begun later, says the values; "
                "this worker is silent: stop it, or stop the workers of that version"
            )
        if self._recovered is False:
            held[Status.REBUILDING] = self._reasons["rebuilding"]
        if self._causes:
            held[Status.DEGRADED] = "; ".join(self._causes.values())
        return held

    @property
    def status(self) -> Status:
        """The one word for it."""
        return next(iter(self.conditions), Status.READY)

    @property
    def reasons(self) -> list[str]:
        """Why the worker is not ready; empty if it is."""
        return [*self.conditions.values()]


def _shown(reason: str) -> str:
    """Return the reason fit for strangers: errors of clients like to quote URLs with passwords."""
    return _CREDENTIALS.sub("//***@", reason)[:_REASON_CHARACTERS_MAX]
