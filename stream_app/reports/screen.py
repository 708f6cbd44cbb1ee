"""A report in the terminal, drawn with rich (pure).

Texts from outside are `Text`: a plain string is markup to rich, and a title may be `[/]`.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from rich import box
from rich.console import Group as Lines
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from stream_app.experiment_words import Section as Comparison
from stream_app.reports.coaching import PRIVACY, Page
from stream_app.reports.contents import Contents, Group
from stream_app.reports.figures import Figure, Point, Tone
from stream_app.reports.sections import Section

_STYLES: Final[dict[Tone, str]] = {"good": "green", "bad": "red", "flat": "bright_black"}
_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_SPARK_POINTS: Final = 12
_NAME_WIDTH: Final = 24
_COLUMN_WIDTH: Final = 13
_NUMBER_WIDTH: Final = 9


def drawn(contents: Contents, pages: Sequence[Page] = (), *, width: int) -> RenderableType:
    """The whole report, at most so many characters wide."""
    return Lines(*_parts(contents, pages, width))


def _parts(contents: Contents, pages: Sequence[Page], width: int) -> Iterator[RenderableType]:
    running = ", still running" if contents.running else ""
    yield Text(f"{contents.subject}: {contents.period}", style="bold")
    yield Text(
        f"{contents.days}{running}; changes are against {contents.compared}", style="bright_black"
    )
    for sentence in contents.summary:
        yield Text(f"  • {sentence}")
    for group in contents.groups:
        yield from _group(group)
    if contents.absent:
        absent = [title for group in contents.groups for title in group.absent]
        yield Text(f"\nNothing recorded for: {'; '.join(absent)}", style="bright_black")
    for section in contents.sections:
        yield from _section(section, width)
    if contents.experiments:
        yield Text("\nA/B comparisons, as of now", style="bold cyan")
    for comparison in contents.experiments:
        yield from _comparison(comparison)
    if pages:
        yield Text("\nCoaching", style="bold")
        yield Text(PRIVACY, style="yellow")
        for page in pages:
            yield from _page(page)
    yield Text(
        f"\nnewest event {contents.newest_event}, last change {contents.newest_publication}",
        style="bright_black",
    )


def _group(group: Group) -> Iterator[RenderableType]:
    if not group.figures:
        return
    yield Text(f"\n{group.title}", style="bold cyan")
    table = _table("KPI", "value", "before", "change", "target", "n", "trend")
    table.columns[0].min_width = _NAME_WIDTH
    for column in table.columns[1:4]:
        column.min_width = _NUMBER_WIDTH
    for figure in group.figures:
        table.add_row(
            Text(figure.kpi.definition.title),
            Text(figure.shown if figure.exists else "no data", style="bold"),
            Text(figure.previous),
            _changed(figure),
            _goals(figure),
            _sample(figure),
            spark(figure.trend),
        )
    yield table


def _section(section: Section, width: int) -> Iterator[RenderableType]:
    room = max(1, (width - _NAME_WIDTH) // _COLUMN_WIDTH)
    columns = section.columns[:room]
    yield Text(f"\n{section.title}", style="bold cyan")
    for note in section.notes:
        yield Text(f"  {note}")
    table = _table(section.head, *(kpi.definition.title for kpi in columns))
    for line in section.lines:
        cells = [_cell(figure, line.marked) for figure in line.figures[:room]]
        table.add_row(Text(line.name), *cells)
    yield table
    if section.more:
        yield Text(f"  … and {section.more} more (--top)", style="bright_black")


def _comparison(comparison: Comparison) -> Iterator[RenderableType]:
    yield Text(f"  {comparison.title}", style="bold")
    yield Text(f"  {comparison.verdict}")
    table = _table("arm", "leads", "won", "share")
    for row in comparison.rows:
        table.add_row(*map(Text, row))
    yield table
    for note in comparison.notes:
        yield Text(f"  {note}", style="bright_black")


def _cell(figure: Figure, marked: frozenset[str]) -> Text:
    style = "bold red" if figure.kpi.name in marked else ""
    text = Text(figure.shown, style=style)
    if figure.is_small and figure.value is not None:
        text.append(f" n={figure.sample}", style="yellow")
    for goal in figure.targets:
        text.append(f" {goal.attainment or goal.state}", style=_STYLES[goal.tone])
    return text


def _page(page: Page) -> Iterator[RenderableType]:
    yield Text(
        f"\n{page.name}" + (f"  ({page.team}, {page.peers} reps)" if page.team else ""),
        style="bold cyan",
    )
    table = _table(
        "KPI", "value", "own target", "team median", "beside it", "n", "trend", "last", "caution"
    )
    for measure in page.measures:
        table.add_row(
            Text(measure.figure.kpi.definition.title),
            Text(measure.figure.shown, style="bold"),
            _goals(measure.figure),
            Text(measure.median),
            Text(measure.against, style=_STYLES[measure.tone]),
            _sample(measure.figure),
            spark(measure.figure.trend),
            Text(measure.direction),
            Text(measure.caution, style="yellow"),
        )
    yield table
    if page.weakest:
        yield Text(f"  {page.weakest}")


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="bright_black", pad_edge=False)
    table.show_edge = False
    for place, column in enumerate(columns):
        is_text = place == 0 or column in {"trend", "last", "caution"}
        table.add_column(
            Text(column.replace("_", " ")),
            justify="left" if is_text else "right",
            vertical="bottom",
        )
    return table


def _changed(figure: Figure) -> Text:
    return Text(figure.change, style=_STYLES[figure.tone])


def _goals(figure: Figure) -> Text:
    text = Text()
    for goal in figure.targets:
        parts = [part for part in (goal.wanted, goal.attainment, goal.state) if part]
        text.append((", " if text else "") + " ".join(parts), style=_STYLES[goal.tone])
    return text


def _sample(figure: Figure) -> Text:
    if figure.sample is None:
        return Text("")
    return Text(f"{figure.sample:,}", style="yellow" if figure.is_small else "")


def spark(points: Sequence[Point]) -> str:
    """The last windows as blocks; a blank where there is no value."""
    shown = points[-_SPARK_POINTS:]
    values = [point.value for point in shown if point.value is not None]
    if len(values) < 2:  # noqa: PLR2004 - one point is no trend
        return ""
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    top = len(_BLOCKS) - 1
    return "".join(
        " " if point.value is None else _BLOCKS[round((point.value - low) / span * top)]
        for point in shown
    )
