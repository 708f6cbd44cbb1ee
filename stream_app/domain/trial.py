"""How a lead is counted in an experiment: its arm, its outcome, the scope and its measures.

One scope holds an experiment: `/experiment|<name>`. No dimension has a `/` in its key, so it meets
no other scope; it has no windows and no KPIs. Its cells are business days only.
"""

from dataclasses import dataclass
from typing import Final

from stream_app.config.model import Experiment
from stream_app.domain.calendar import DAY_US
from stream_app.domain.facts import Fact, Measures, Members
from stream_app.domain.measures import EXPERIMENT_CONVERTED, EXPERIMENT_LEADS, measure_key
from stream_app.domain.scopes import encode

_SCOPE: Final = "/experiment|"


def trial_scope(experiment: str) -> str:
    """The key of the scope of an experiment."""
    return _SCOPE + encode(experiment)


def is_trial_scope(scope: str) -> bool:
    """Whether a scope is that of an experiment."""
    return scope.startswith(_SCOPE)


def leads_key(member: str) -> str:
    """The measure key of the leads of an arm, by day of creation."""
    return measure_key(EXPERIMENT_LEADS, member)


def converted_key(member: str) -> str:
    """The measure key of those of them that were won within the horizon, by day of creation."""
    return measure_key(EXPERIMENT_CONVERTED, member)


@dataclass(frozen=True, slots=True)
class Trial:
    """An experiment as the fold sees it.

    Attributes:
        index: the place of its dimension among the tracked ones.
        arms: the members that are compared.
    """

    scope: str
    index: int
    arms: frozenset[str]
    horizon_us: int

    @classmethod
    def of(cls, experiment: Experiment, dimensions: tuple[str, ...]) -> "Trial":
        """The fold's view of an experiment; its dimension is among the tracked ones."""
        return cls(
            scope=trial_scope(experiment.name),
            index=dimensions.index(experiment.dimension),
            arms=frozenset((experiment.control, *experiment.variants)),
            horizon_us=experiment.horizon_days * DAY_US,
        )

    def fact(self, first: Members, created_at: int, won_at: int | None) -> Fact | None:
        """What a lead counts here, on the day of its creation; None: it is in no arm.

        Args:
            first: per dimension the first member that the lead ever had.
            created_at: the instant of its creation.
            won_at: the instant of the first standing win among its deals. It counts up to
                the horizon's last instant, whole days of 24 hours after the creation.
        """
        arm = first[self.index]
        if arm is None or arm not in self.arms:
            return None
        measures: Measures = ((leads_key(arm), 1),)
        if won_at is not None and won_at - created_at <= self.horizon_us:
            measures = (*measures, (converted_key(arm), 1))
        return Fact(created_at, (None,) * len(first), measures, scope=self.scope)
