"""One KPI of one scope as a report shows it: value, change, targets, sample, trend (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from stream_app.board.formats import ABSENT, change, shown
from stream_app.domain.kpi import Kpi
from stream_app.domain.measures import MONEY
from stream_app.reports.archive import Archive
from stream_app.wire.published import Published, PublishedTarget

Tone = Literal["good", "bad", "flat"]

SMALL_SAMPLE: Final = 20
"""Below so many a ratio moves by itself; it is shown, with its sample."""

_ON_THE_WAY: Final = frozenset({"ok", "resolved"})
_REACHED: Final = 1


@dataclass(frozen=True, slots=True)
class Point:
    """One closed window of a trend; None: undefined there, or nothing counted."""

    start: str
    label: str
    value: float | None


@dataclass(frozen=True, slots=True)
class Reached:
    """A target as shown: what is wanted, the share reached, the word for its state.

    `tone`: good is reached, flat on the way or not judged, bad behind.
    """

    name: str
    wanted: str
    value: float | None
    attainment: str
    share: float | None
    state: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class Figure:
    """A KPI of one scope.

    Attributes:
        value: None while undefined.
        tone: of the change.
        sample: how many things the value stands on, None where it is not that kind of KPI.
        exists: there is a record; without one a total is 0 and all else unknown.
        trend: closed windows before and the one reported, oldest first.
    """

    kpi: Kpi
    value: float | None
    shown: str
    previous: str
    change: str
    tone: Tone
    sample: int | None
    exists: bool
    targets: tuple[Reached, ...] = ()
    trend: tuple[Point, ...] = ()

    @property
    def is_small(self) -> bool:
        """Whether it stands on too few to say much."""
        return self.sample is not None and self.sample < SMALL_SAMPLE

    @property
    def is_better(self) -> bool:
        """Whether the change is a good one."""
        return self.tone == "good"


class Figures:
    """Makes figures from an archive, for one period."""

    def __init__(
        self,
        archive: Archive,
        *,
        start: str,
        history: Sequence[tuple[str, str]],
        currency: str,
        exponent: int,
    ) -> None:
        """Say of what.

        Args:
            archive: the values.
            start: of the window reported.
            history: (start, label) of the windows of trends, oldest first, the reported one last.
            currency: of the business; `exponent` is its number of decimals.
            exponent: see above.
        """
        self._archive = archive
        self._start = start
        self._history = history
        self._currency = currency
        self._exponent = exponent

    def figure(self, kpi: Kpi, dimension: str, member: str, *, trend: bool = False) -> Figure:
        """The figure of a KPI and scope."""
        record = self._archive.get(kpi.name, dimension, member, self._start)
        unit = kpi.definition.unit
        points = tuple(self._trend(kpi, dimension, member)) if trend else ()
        if record is None:
            value = 0.0 if is_total(kpi) and dimension != "company" else None
            text = shown(value, unit, self._currency)
            return Figure(kpi, value, text, ABSENT, "", "flat", None, exists=False, trend=points)
        value, previous = _number(record.value), _number(record.previous)
        text = change(value, previous, unit)
        return Figure(
            kpi,
            value,
            shown(value, unit, self._currency),
            shown(previous, unit, self._currency),
            text,
            self.tone(kpi, text),
            self._sample(kpi, record),
            exists=True,
            targets=tuple(self._reached(kpi, goal) for goal in record.targets),
            trend=points,
        )

    @staticmethod
    def tone(kpi: Kpi, changed: str) -> Tone:
        """Whether a change is good."""
        if not changed.startswith(("▲", "▼")):
            return "flat"
        return "good" if changed.startswith("▲") == (kpi.definition.better == "higher") else "bad"

    def value_text(self, kpi: Kpi, value: float | None) -> str:
        """A value of a KPI in its unit."""
        return shown(value, kpi.definition.unit, self._currency)

    def _trend(self, kpi: Kpi, dimension: str, member: str) -> list[Point]:
        records = [
            self._archive.get(kpi.name, dimension, member, start) for start, _ in self._history
        ]
        first = next((n for n, record in enumerate(records) if record is not None), len(records))
        nothing = 0.0 if is_total(kpi) else None
        return [
            Point(start, label, nothing if record is None else _number(record.value))
            for (start, label), record in zip(self._history[first:], records[first:], strict=True)
        ]

    def _sample(self, kpi: Kpi, record: Published) -> int | None:
        """The denominator, where it counts things."""
        quotient = kpi.formula.root.quotient
        if quotient is None or record.denominator is None:
            return None
        counts = quotient[1].scale == 0 and (
            self._exponent > 0 or not (kpi.measures & MONEY) or kpi.definition.unit != "ratio"
        )
        return int(record.denominator) if counts else None

    def _reached(self, kpi: Kpi, goal: PublishedTarget) -> Reached:
        attainment = _number(goal.attainment)
        state = goal.state or ""
        reached = attainment is not None and attainment >= _REACHED
        tone: Tone = "bad"
        if reached or state == "achieved":
            tone = "good"
        elif state in _ON_THE_WAY or (not state and attainment is None):
            tone = "flat"
        return Reached(
            goal.name,
            self.value_text(kpi, _number(goal.value)),
            _number(goal.value),
            "" if attainment is None else f"{100 * attainment:.0f} %",
            attainment,
            state,
            tone,
        )


def is_total(kpi: Kpi) -> bool:
    """Whether absent means 0: counts and sums, no ratios."""
    formula = kpi.formula
    return (
        formula.root.quotient is None
        and formula.condition is None
        and kpi.definition.unit in {"count", "currency"}
        and kpi.definition.windows is None
    )


def _number(number: Decimal | None) -> float | None:
    return None if number is None else float(number)
