"""What stage two goes by, and what a publication of it was."""

from collections.abc import Mapping
from dataclasses import dataclass

from stream_app.config.model import Experiment
from stream_app.domain.calendar import BusinessCalendar
from stream_app.domain.catalogue import Catalogue
from stream_app.domain.evaluation import KpiValue
from stream_app.domain.rates import Rates
from stream_app.domain.windows import WindowRules
from stream_app.stages.alert_plan import AlertPlan
from stream_app.stages.alert_words import Sources, TargetShown
from stream_app.wire.partial import WALL


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What stage two needs of the configuration.

    Attributes:
        sources: how many partitions `crm.events` has; all must be ready before anything is said.
        fixed_now_us: what `as_of` fixes "now" to, else None.
        event_clock: "now" is the newest event, not what the clock says.
        experiments: by the key of their scope.
        money_exponent: decimals of the business currency.
    """

    catalogue: Catalogue
    windows: WindowRules
    rates: Rates
    calendar: BusinessCalendar
    values_topic: str
    sources: int
    fixed_now_us: int | None
    experiments: Mapping[str, Experiment]
    experiments_topic: str
    alerts: AlertPlan
    money_exponent: int
    event_clock: bool = False

    @property
    def clock(self) -> str:
        """What "now" follows."""
        if self.fixed_now_us is not None:
            return "as_of"
        return "event" if self.event_clock else WALL


@dataclass(frozen=True, slots=True)
class Flushed:
    """One publication.

    Attributes:
        current: scope → its values in the running windows, complete, for the gauges.
        records: how many records were published, tombstones included.
        targets: scope → how it stands against its targets, for the gauges as well.
        sources: those that may not be silent, for the gauges too.
        news_ms: oldest record timestamp among the news that became visible, 0 for none.
    """

    current: dict[str, tuple[KpiValue, ...]]
    targets: dict[str, tuple[TargetShown, ...]]
    records: int
    news_ms: tuple[int, ...]
    sources: Sources
