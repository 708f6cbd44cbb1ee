"""What a report says, section by section: values arranged, nothing computed (pure)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from stream_app.company import Company
from stream_app.display_names import display_names
from stream_app.domain.kpi import Kpi
from stream_app.domain.period import period_title
from stream_app.domain.windows import CALENDAR_KINDS, WindowRules
from stream_app.experiment_words import Section as Comparison
from stream_app.kpis import GROUPS
from stream_app.reports.archive import Archive
from stream_app.reports.choice import Choice, figures_of, last_day, ordinal
from stream_app.reports.figures import Figure, Figures
from stream_app.reports.sections import Section, Sections

OWN_GROUP: Final = "Our own"

_TOLD_MAX: Final = 4


@dataclass(frozen=True, slots=True)
class Group:
    """The KPIs of one subject; `absent` are titles of those of which nothing was recorded."""

    title: str
    figures: tuple[Figure, ...]
    absent: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """A whole report.

    Attributes:
        period: the window's name; `days` its first and last day.
        running: the window is not over: values are to date, changes compare equal parts.
        summary: what stands out, one sentence each.
        experiments: the A/B comparisons as they stand now, whatever the period.
    """

    subject: str
    period: str
    days: str
    running: bool
    compared: str
    currency: str
    newest_event: str
    newest_publication: str
    summary: tuple[str, ...]
    groups: tuple[Group, ...]
    sections: tuple[Section, ...]
    choice: Choice
    experiments: tuple[Comparison, ...] = ()

    @property
    def absent(self) -> bool:
        """Whether nothing was recorded of some KPI."""
        return any(group.absent for group in self.groups)

    @property
    def figures(self) -> Iterator[Figure]:
        """All figures of the subject."""
        for group in self.groups:
            yield from group.figures


@dataclass(slots=True)
class Editor:
    """Arranges reports of one company and archive."""

    company: Company
    rules: WindowRules
    archive: Archive
    choice: Choice
    figures: Figures = field(init=False)

    def __post_init__(self) -> None:
        self.figures = figures_of(self.company, self.rules, self.archive, self.choice)

    def contents(self) -> Contents:
        """The whole report."""
        choice, archive = self.choice, self.archive
        end, complete = archive.end_of(choice.start)
        groups = tuple(self._groups())
        return Contents(
            subject=self.subject,
            period=self._period(),
            days=f"{choice.start[:10]} to {last_day(end)}",
            running=not complete,
            compared=_compared(choice.window, running=not complete),
            currency=self.company.config.business.currency,
            newest_event=archive.newest_event,
            newest_publication=archive.newest_publication,
            summary=tuple(self._summary(groups)),
            groups=groups,
            sections=tuple(Sections(self.company, archive, choice, self.figures).all()),
            choice=choice,
        )

    @property
    def subject(self) -> str:
        """Whose report it is."""
        choice = self.choice
        if choice.member is None or choice.dimension == "company":
            return "Company"
        name = display_names(self.company.config)(choice.dimension, choice.member)
        return f"{choice.dimension.replace('+', ' and ').capitalize()} {name}"

    def _period(self) -> str:
        kind = self.choice.window
        if kind not in CALENDAR_KINDS:
            return "Last hour" if kind == "hour" else f"Last {kind[:-1]} days"
        return period_title(kind, ordinal(self.choice.start), self.rules)

    # -- the subject -----------------------------------------------------------------------------

    def _groups(self) -> Iterator[Group]:
        choice = self.choice
        whole = choice.member is None
        dimension = "company" if whole else choice.dimension
        member = "all" if choice.member is None else choice.member
        _, complete = self.archive.end_of(choice.start)
        existing = self.company.catalogue.existing(dimension, choice.window, closed=complete)
        for title, kpis in _by_group(existing):
            found = [self.figures.figure(kpi, dimension, member, trend=True) for kpi in kpis]
            kept = tuple(figure for figure in found if _says_something(figure))
            absent = tuple(f.kpi.definition.title for f in found if not _says_something(f))
            yield Group(title, kept, absent)

    def _summary(self, groups: Iterable[Group]) -> Iterator[str]:
        """Targets first, then the largest changes that stand on enough."""
        figures = [figure for group in groups for figure in group.figures]
        goals = [(figure, goal) for figure in figures for goal in figure.targets]
        if goals:
            told = [f"{sum(g.tone == 'good' for _, g in goals)} of {len(goals)} targets reached"]
            for tone, word in (("flat", "on the way"), ("bad", "behind")):
                named = [
                    f"{f.kpi.definition.title} {f.shown} of {goal.wanted}"
                    for f, goal in goals
                    if goal.tone == tone
                ]
                if named:
                    told.append(f"{word}: {', '.join(named)}")
            yield f"{'; '.join(told)}."
        headlines = [f for f in figures if f.kpi.definition.headline and not f.is_small]
        for tone, word in (("good", "Better"), ("bad", "Worse")):
            moved = [
                f"{f.kpi.definition.title} {f.shown} ({f.change})"
                for f in headlines
                if f.tone == tone
            ]
            if moved:
                more = len(moved) - _TOLD_MAX
                rest = f" and {more} more" if more > 0 else ""
                yield f"{word} than before: {', '.join(moved[:_TOLD_MAX])}{rest}."


def _by_group(kpis: Iterable[Kpi]) -> Iterator[tuple[str, list[Kpi]]]:
    groups = {definition.name: title for title, group in GROUPS.items() for definition in group}
    found: dict[str, list[Kpi]] = {title: [] for title in (*GROUPS, OWN_GROUP)}
    for kpi in kpis:
        found[groups.get(kpi.name, OWN_GROUP)].append(kpi)
    return ((title, members) for title, members in found.items() if members)


def _says_something(figure: Figure) -> bool:
    """Whether anything was recorded, now or in the windows of the trend."""
    return (
        bool(figure.value)
        or bool(figure.targets)
        or any(p.value for p in figure.trend)
        or (figure.exists and figure.value is not None and figure.sample is not None)
    )


def _compared(kind: str, *, running: bool) -> str:
    if kind not in CALENDAR_KINDS:
        return "the days before" if kind != "hour" else "the hour before"
    return f"the {kind} before" + (", up to the same day" if running else "")
