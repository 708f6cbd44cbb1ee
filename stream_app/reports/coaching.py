"""Coaching: each rep beside the own target, the team's median and the own past (pure).

Nothing is ranked and nobody is judged: a page is for the rep and the lead. Values that stand on few
cases say so.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Final

from stream_app.board.formats import change
from stream_app.company import Company
from stream_app.display_names import display_names
from stream_app.domain.kpi import Kpi
from stream_app.domain.scopes import UNASSIGNED
from stream_app.domain.windows import WindowRules
from stream_app.reports.archive import Archive
from stream_app.reports.choice import Choice, figures_of
from stream_app.reports.figures import SMALL_SAMPLE, Figure, Figures, Point, Tone

STAGES: Final = "stage_conversion"
FEW: Final = 5
"""Below so many cases nothing is compared at all."""

PRIVACY: Final = (
    "This part shows the work of single persons. Share a page with the person it is about and "
    "their lead only; whether it may be made and kept at all is for your data protection rules and "
    "works council agreements to say. Numbers show where to ask, not why: territory, product and "
    f"luck are in them. Below {SMALL_SAMPLE} cases a share can swing by itself, below {FEW} it is "
    "not compared."
)
_STREAK_MIN: Final = 2


@dataclass(frozen=True, slots=True)
class Measure:
    """One KPI of a rep.

    Attributes:
        median: of the team's reps that have a value; empty where there are none but this one.
        against: this value beside the median, like a change.
        direction: of the last windows, in words.
        caution: about the sample; empty: it is large enough.
    """

    figure: Figure
    median: str
    against: str
    tone: Tone
    direction: str
    caution: str


@dataclass(frozen=True, slots=True)
class Page:
    """One rep.

    Attributes:
        peers: reps of the team, this one included.
        weakest: a sentence about the stages; empty where nothing can be said.
    """

    name: str
    team: str
    peers: int
    measures: tuple[Measure, ...]
    weakest: str

    @property
    def has_targets(self) -> bool:
        """Whether the rep has any."""
        return any(measure.figure.targets for measure in self.measures)


@dataclass(slots=True)
class Coach:
    """Writes the pages of one period."""

    company: Company
    rules: WindowRules
    archive: Archive
    choice: Choice

    def pages(self) -> Iterator[Page]:
        """One for each rep that has any value; only the chosen one where one was."""
        figures = figures_of(self.company, self.rules, self.archive, self.choice)
        start = self.choice.start
        reps = sorted(self.archive.members("rep", start) - {UNASSIGNED})
        name = display_names(self.company.config)
        teams = {rep: self._team(rep) for rep in reps}
        kpis = self._kpis()
        of_all = {
            rep: [figures.figure(kpi, "rep", rep, trend=True) for kpi in kpis] for rep in reps
        }
        for rep in sorted(reps, key=lambda each: (teams[each] or "", name("rep", each))):
            if not self._is_asked(rep, teams[rep]):
                continue
            team = teams[rep]
            peers = [of_all[each] for each in reps if teams[each] == team]
            yield Page(
                name("rep", rep),
                "" if team is None else name("team", team),
                len(peers),
                tuple(_measures(of_all[rep], peers, figures)),
                self._weakest(rep, team, figures),
            )

    def _is_asked(self, rep: str, team: str | None) -> bool:
        dimension, member = self.choice.dimension, self.choice.member
        if member is None or dimension == "company":
            return True
        return (dimension, member) in {("rep", rep), ("team", team)}

    def _team(self, rep: str) -> str | None:
        known = self.company.config.directory.get(rep)
        return None if known is None else known.team

    def _kpis(self) -> list[Kpi]:
        _, complete = self.archive.end_of(self.choice.start)
        targeted = {t.kpi for t in self.company.config.targets if t.dimension == ("rep",)}
        existing = self.company.catalogue.existing("rep", self.choice.window, closed=complete)
        return [
            kpi
            for kpi in existing
            if (kpi.definition.headline or kpi.name in targeted)
            and any(r.value for r in self.archive.of(kpi.name, "rep", self.choice.start))
        ]

    def _weakest(self, rep: str, team: str | None, figures: Figures) -> str:
        """The stage whose conversion is furthest below the team's."""
        kpi = next((k for k in self.company.catalogue.kpis if k.name == STAGES), None)
        if kpi is None or team is None:
            return ""
        gaps = []
        for record in self.archive.of(STAGES, "rep+stage", self.choice.start):
            if not record.member.startswith(f"{rep}+"):
                continue
            stage = record.member.removeprefix(f"{rep}+")
            own = figures.figure(kpi, "rep+stage", record.member)
            theirs = figures.figure(kpi, "team+stage", f"{team}+{stage}")
            if own.value is None or theirs.value is None or (own.sample or 0) < FEW:
                continue
            gaps.append((own.value - theirs.value, stage, own, theirs))
        if not gaps or min(gaps, key=lambda gap: gap[0])[0] >= 0:
            return ""
        _, stage, own, theirs = min(gaps, key=lambda gap: (gap[0], gap[1]))
        few = " Few cases: look at them one by one." if own.is_small else ""
        return (
            f"Furthest below the team: {stage}, where {own.shown} of {own.sample:,} deals went on; "
            f"of the team's {theirs.sample or 0:,} it was {theirs.shown}.{few}"
        )


def _measures(
    own: Sequence[Figure], peers: Sequence[Sequence[Figure]], figures: Figures
) -> Iterator[Measure]:
    for place, figure in enumerate(own):
        if not figure.exists:
            continue
        kpi = figure.kpi
        values = [
            row[place].value for row in peers if row[place].value is not None and row[place].exists
        ]
        middle = median(v for v in values if v is not None) if len(values) > 1 else None
        few = figure.sample is not None and figure.sample < FEW
        against = "" if few else change(figure.value, middle, kpi.definition.unit)
        caution = ""
        if figure.sample is not None and figure.is_small:
            caution = "too few to compare" if few else "few cases, read with care"
        yield Measure(
            figure,
            "" if middle is None else figures.value_text(kpi, middle),
            against,
            figures.tone(kpi, against),
            _direction(figure.trend),
            caution,
        )


def _direction(trend: Sequence[Point]) -> str:
    """How the last windows went: `up 3 in a row`, `down 2 in a row`, `up and down`."""
    values = [point.value for point in trend if point.value is not None]
    steps = [(b > a) - (b < a) for a, b in pairwise(values)]
    if not steps:
        return ""
    streak = 1
    while streak < len(steps) and steps[-streak - 1] == steps[-1]:
        streak += 1
    word = {1: "up", -1: "down", 0: "level"}[steps[-1]]
    return f"{word} {streak} in a row" if streak >= _STREAK_MIN else "up and down"
