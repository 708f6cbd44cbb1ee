"""What the alerts of stage two need of the configuration."""

from dataclasses import dataclass, field

from stream_app.domain.calendar import BusinessCalendar
from stream_app.domain.goal import Goal
from stream_app.domain.windows import WindowRules
from stream_app.domain.workdays import WorkingDays
from stream_app.stages.alert_outbox import AlertLog
from stream_app.stages.listening import Silence


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPlan:
    """What the alerts need of the configuration.

    Attributes:
        partitions: how many `kpi.partials` has.
        log: what `kpi.alerts` says, for a start without a state.
        clock_stands: "now" is fixed, so that what must last has lasted.
    """

    goals: tuple[Goal, ...]
    working: WorkingDays
    calendar: BusinessCalendar
    windows: WindowRules
    topic: str
    partitions: int
    log: AlertLog
    clock_stands: bool = False
    silence: Silence = field(default_factory=Silence)
