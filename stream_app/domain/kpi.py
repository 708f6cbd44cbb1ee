"""What a KPI is: an entry of data with a formula, a unit, a direction and where it exists."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal

from stream_app.domain.formula import Formula

Unit = Literal["count", "currency", "ratio", "seconds", "points", "currency per day"]

PEOPLE: Final = frozenset({"company", "team"})
"""Dimensions of the `hour` and of closed days."""

STAGE_DIMENSIONS: Final = frozenset({"stage", "team+stage", "rep+stage"})
"""The only dimensions of the KPIs of stages."""

HISTOGRAM_DIMENSIONS: Final = frozenset({"company", "team", "rep"})
"""The only dimensions that have percentiles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A KPI as somebody wrote it down.

    Attributes:
        name: lower-case words joined by `_`, unique in the catalogue.
        formula: over measures and other KPIs (`stream_app.domain.formula`).
        unit: of the value as published: major units of the business currency, shares 0-1,
            seconds, NPS points.
        better: which direction is good.
        title: what a wall shows.
        definition: one sentence that two people understand alike.
        requires: a condition without which the KPI is undefined, like `spend != 0`.
        without: configured dimensions it does not exist for, alone or combined.
        windows: the kinds it exists for, or None for all that its formula allows.
        in_hour: whether it exists for `hour`, if its formula allows that.
        extra: dimensions it has without their being configured.
        dimensions: the only ones it exists for; None: the company, the configured and the extra.
        headline: the board shows it without being asked for.
    """

    name: str
    formula: str
    unit: Unit
    better: Literal["higher", "lower"]
    title: str
    definition: str
    requires: str | None = None
    without: frozenset[str] = frozenset()
    windows: tuple[str, ...] | None = None
    in_hour: bool = True
    extra: tuple[str, ...] = ()
    dimensions: frozenset[str] | None = None
    headline: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpi:
    """A KPI of the catalogue, ready to evaluate."""

    definition: Definition
    formula: Formula

    @property
    def name(self) -> str:
        """Its name in topics, metrics and targets."""
        return self.definition.name

    @property
    def measures(self) -> frozenset[str]:
        """Every measure that can change its value."""
        return self.formula.measures

    @property
    def has_hour(self) -> bool:
        """Whether it exists for `hour`: flows do."""
        formula = self.formula
        return self.definition.in_hour and not (
            formula.reads_levels or formula.reads_whole or formula.as_of_now
        )

    def exists(
        self, dimension: str, kind: str, *, closed: bool, configured: Collection[str]
    ) -> bool:
        """Whether the KPI is published for a dimension and a kind of window.

        Args:
            dimension: `company`, a configured split (`source+technique`), or an own dimension of
                some measures such as `loss_reason`.
            kind: `hour`, `day` … `year`, or `30d`.
            closed: the window is a closed one, of the history.
            configured: the configured splits.
        """
        windows = self.definition.windows
        if windows is not None and kind not in windows:
            return False
        if kind == "hour" and not self.has_hour:
            return False
        if self.formula.as_of_now and (kind != "day" or closed):
            return False
        is_fine = kind == "hour" or (kind == "day" and closed)
        if is_fine and dimension not in PEOPLE:
            return False
        return self._has_dimension(dimension, configured)

    def _has_dimension(self, dimension: str, configured: Collection[str]) -> bool:
        definition = self.definition
        if definition.dimensions is not None:
            return dimension in definition.dimensions
        if dimension in definition.extra or dimension == "company":
            return True
        left_out = definition.without.intersection(dimension.split("+"))
        return dimension in configured and not left_out
