"""The members of each dimension, beside each other (pure)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from stream_app.company import Company
from stream_app.display_names import display_names
from stream_app.domain.kpi import STAGE_DIMENSIONS, Kpi
from stream_app.domain.scopes import UNASSIGNED
from stream_app.reports.archive import Archive
from stream_app.reports.choice import Choice
from stream_app.reports.figures import SMALL_SAMPLE, Figure, Figures

COLUMNS_MAX: Final = 12
_TITLES: Final = {
    "team": "Teams",
    "rep": "Reps",
    "source": "Acquisition by source",
    "technique": "Acquisition by technique",
    "source+technique": "Acquisition by source and technique",
    "campaign": "Acquisition by campaign",
    "stage": "Pipeline by stage",
    "loss_reason": "Why deals are lost",
    "theme": "What customers say, by theme",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One member in a section; `share` of the largest main value, 0 to 1."""

    name: str
    figures: tuple[Figure, ...]
    share: float
    marked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Section:
    """The members of one dimension; `main` is the KPI they are ranked by, if they are."""

    dimension: str
    title: str
    columns: tuple[Kpi, ...]
    lines: tuple[Line, ...]
    main: str | None
    more: int = 0
    notes: tuple[str, ...] = ()

    @property
    def head(self) -> str:
        """What the members are."""
        if self.dimension in STAGE_DIMENSIONS:
            return "stage"
        return self.dimension.replace("_", " ").replace("+", " + ")


@dataclass(frozen=True, slots=True)
class Sections:
    """Arranges the sections of one report."""

    company: Company
    archive: Archive
    choice: Choice
    figures: Figures

    def all(self) -> Iterator[Section]:
        """Those that say something, in the order of the configuration."""
        choice = self.choice
        if choice.member is not None:
            stages = f"{choice.dimension}+stage"
            if stages in STAGE_DIMENSIONS:
                section = self._section(stages, within=choice.member)
                if section is not None:
                    yield section
            return
        for dimension in self._dimensions():
            if choice.dimension in ("company", dimension):
                section = self._section(dimension)
                if section is not None:
                    yield section

    def _dimensions(self) -> list[str]:
        """Configured ones in their order, then the others; the stages of people are coaching's."""
        there = self.archive.dimensions(self.choice.start) - {"company"}
        if self.choice.dimension == "company":
            there -= STAGE_DIMENSIONS - {"stage"}
        configured = ["+".join(split) for split in self.company.config.dimensions]
        return [d for d in configured if d in there] + sorted(there - set(configured))

    def _section(self, dimension: str, within: str | None = None) -> Section | None:
        members = self.archive.members(dimension, self.choice.start)
        if within is not None:
            members = {member for member in members if member.startswith(f"{within}+")}
        columns = self._columns(dimension, members)
        if not columns or members == {UNASSIGNED}:
            return None
        is_stages = dimension in STAGE_DIMENSIONS
        main = None if is_stages else _main(columns)
        name = display_names(self.company.config)
        found = [
            (member, tuple(self.figures.figure(kpi, dimension, member) for kpi in columns))
            for member in members
        ]
        if main is not None:
            place = columns.index(main)
            found.sort(key=lambda each: (-(each[1][place].value or 0), each[0]))
            best = max((row[place].value or 0 for _, row in found), default=0)
        else:
            order = self._stage_order()
            found.sort(key=lambda each: (order.get(each[0].rpartition("+")[2], 99), each[0]))
            place, best = 0, 0
        marks = _worst(columns, found) if is_stages else {}
        lines = [
            Line(
                member.rpartition("+")[2] if within is not None else name(dimension, member),
                row,
                max(0.0, (row[place].value or 0) / best) if best > 0 else 0.0,
                frozenset(kpi for kpi, worst in marks.items() if worst == member),
            )
            for member, row in found
        ]
        return Section(
            dimension,
            _TITLES.get(dimension, f"By {dimension.replace('_', ' ').replace('+', ' and ')}"),
            columns,
            tuple(lines[: self.choice.top]),
            None if main is None else main.name,
            max(0, len(lines) - self.choice.top),
            tuple(_bottlenecks(columns, lines)) if is_stages else (),
        )

    def _columns(self, dimension: str, members: Iterable[str]) -> tuple[Kpi, ...]:
        """KPIs that say something of a member, in the order of the wall.

        Those with targets and those made for few dimensions, this one among them; then headlines.
        """
        asked = set(members)
        targeted = {
            target.kpi
            for target in self.company.config.targets
            if "+".join(target.dimension) == dimension
        }
        made_for, headlines = [], []
        for kpi in self._existing(dimension):
            definition = kpi.definition
            special = dimension in definition.extra or dimension in (definition.dimensions or ())
            everywhere = "company" in (definition.dimensions or ())
            if kpi.formula.compares or not self._has_values(kpi, dimension, asked):
                continue  # the change of the ranking says what growth would say
            if kpi.name in targeted or definition.without or (special and not everywhere):
                made_for.append(kpi)
            elif definition.headline:
                headlines.append(kpi)
        kept = {*made_for, *headlines[: max(0, COLUMNS_MAX - len(made_for))]}
        return tuple(kpi for kpi in self._existing(dimension) if kpi in kept)[:COLUMNS_MAX]

    def _has_values(self, kpi: Kpi, dimension: str, members: set[str]) -> bool:
        records = self.archive.of(kpi.name, dimension, self.choice.start)
        return any(record.value for record in records if record.member in members)

    def _existing(self, dimension: str) -> tuple[Kpi, ...]:
        _, complete = self.archive.end_of(self.choice.start)
        return self.company.catalogue.existing(dimension, self.choice.window, closed=complete)

    def _stage_order(self) -> dict[str, int]:
        pipelines = self.company.config.pipelines
        names = [
            (f"{pipeline.name}:{stage.name}" if len(pipelines) > 1 else stage.name)
            for pipeline in pipelines.values()
            for stage in pipeline.stages
        ]
        return {name: place for place, name in enumerate(names)}


def _main(columns: Sequence[Kpi]) -> Kpi | None:
    """What members are ranked by: the first money of which more is better, else the first count."""
    money = (
        kpi
        for kpi in columns
        if kpi.definition.unit == "currency" and kpi.definition.better == "higher"
    )
    counts = (kpi for kpi in columns if kpi.definition.unit == "count")
    return next(money, None) or next(counts, None)


Row = tuple[str, tuple[Figure, ...]]


def _worst(columns: Sequence[Kpi], rows: Sequence[Row]) -> dict[str, str]:
    """KPI → the member whose value is the worst of several that stand on enough."""
    worst: dict[str, str] = {}
    for place, kpi in enumerate(columns):
        sign = 1 if kpi.definition.better == "higher" else -1
        found = [
            (sign * figure.value, member)
            for member, row in rows
            if (figure := row[place]).value is not None and not figure.is_small and figure.exists
        ]
        if len(found) > 1:
            worst[kpi.name] = min(found)[1]
    return worst


def _bottlenecks(columns: Sequence[Kpi], lines: Sequence[Line]) -> Iterator[str]:
    told = []
    for place, kpi in enumerate(columns):
        for line in lines:
            if kpi.name in line.marked:
                figure = line.figures[place]
                n = "" if figure.sample is None else f", n = {figure.sample:,}"
                told.append(f"{kpi.definition.title.lower()} {line.name} ({figure.shown}{n})")
    if told:
        yield (
            f"Bottlenecks, the worst stage of each column that stands on {SMALL_SAMPLE} or more: "
            f"{'; '.join(told)}."
        )
