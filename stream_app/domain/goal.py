"""What is asked of whom: a target of the configuration, bound to its KPI."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from stream_app.config.model import Target
from stream_app.domain.catalogue import Catalogue
from stream_app.domain.kpi import Kpi
from stream_app.domain.windows import CALENDAR_KINDS, Window

Quotas = Mapping[tuple[str, int | None], Decimal]
"""(member, first day of the window; None: any) → the quota. Member `*`: all others."""

_NO_SUM: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\s*\(|/|\N{DIVISION SIGN}")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A target, bound to its KPI.

    Attributes:
        dimension: as `kpi.values` spells it, `source+technique`.
        is_total: its KPI adds up while the window runs.
        wants_more: reached from below; otherwise the value must stay at or below it.
        quotas: from the file that `values_from` names.
    """

    target: Target
    kpi: Kpi
    dimension: str
    is_total: bool
    wants_more: bool
    quotas: Quotas | None = None
    _quoted: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        quoted = frozenset(name for name, _ in self.quotas or ())
        object.__setattr__(self, "_quoted", quoted)

    @property
    def name(self) -> str:
        """The target's name."""
        return self.target.name

    @property
    def moves(self) -> bool:
        """Whether its window has no end to wait for: `hour` and `30d`."""
        return self.target.window not in CALENDAR_KINDS

    def concerns(self, member: str) -> bool:
        """Whether it asks something of this member of its dimension, in some window."""
        if self.target.member not in ("*", member):
            return False
        return self.quotas is None or member in self._quoted or "*" in self._quoted

    def names(self, member: str) -> bool:
        """Whether the member is named, so that nothing counted means 0 and not nobody."""
        if self.quotas is not None:
            return member in self._quoted
        return self.target.member == member

    def pursued_in(self, window: Window) -> bool:
        """Whether a window begins before the target's last day is over."""
        return self.target.by is None or first_day(window) <= self.target.by.toordinal()

    def pursued_on(self, day: int) -> bool:
        """Whether the target's last day is not over."""
        return self.target.by is None or day <= self.target.by.toordinal()


def bind(
    target: Target,
    catalogue: Catalogue,
    quotas: Quotas | None = None,
) -> Goal:
    """A target of a checked configuration, bound to its KPI.

    Raises:
        KeyError: the catalogue has no such KPI.
    """
    by_name = {kpi.name: kpi for kpi in catalogue.kpis}
    kpi = by_name[target.kpi]
    if target.at_least is not None or target.at_most is not None:
        wants_more = target.at_least is not None
    else:
        wants_more = kpi.definition.better == "higher"
    return Goal(
        target=target,
        kpi=kpi,
        dimension="+".join(target.dimension),
        is_total=is_total(kpi, by_name),
        wants_more=wants_more,
        quotas=quotas,
    )


def is_total(kpi: Kpi, by_name: Mapping[str, Kpi]) -> bool:
    """Whether a KPI is a sum of flows: no quotient, no stock, no comparison."""
    formula = kpi.formula
    if _NO_SUM.search(formula.text) or formula.reads_levels or formula.compares:
        return False
    inner = set(_NAME.findall(formula.text)) - formula.measures
    if kpi.name in inner:
        return False  # in terms of the built-in KPI whose place it takes
    return all(name in by_name and is_total(by_name[name], by_name) for name in inner)


def first_day(window: Window) -> int:
    """The business day on which a window begins."""
    return window.whole.first if window.whole is not None else window.range.day  # type: ignore[union-attr]
