"""What the board says, as a table of texts (pure): records in, a `View` out."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

from stream_app.board.formats import ABSENT, change, shown
from stream_app.board.standing import Standing
from stream_app.domain.kpi import Kpi
from stream_app.wire.published import Published

Tone = Literal["good", "bad", "flat"]
Name = Callable[[str, str], str]
"""(dimension, member) → the name to show."""

DEFAULT_WINDOWS: Final = ("day", "week", "month", "30d")
RANKED_BY: Final = "revenue"
_COMPARED: Final = (
    "revenue",
    "deals_won",
    "win_rate",
    "average_deal_size",
    "conversion_rate",
    "sales_cycle",
)
_SECONDS: Final = {"s": 1, "min": 60, "h": 3_600, "days": 86_400}
_SOON_MS: Final = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is looked at.

    Attributes:
        windows: the columns; of a comparison of members only the first counts.
        member: None: all members of the dimension are compared.
        top: how many members at most.
        every: also the KPIs of the company that are no headlines.
    """

    windows: tuple[str, ...] = DEFAULT_WINDOWS
    dimension: str = "company"
    member: str | None = "all"
    top: int = 5
    every: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """A value and how it compares with the window before; `tone` is about the change."""

    value: str
    change: str = ""
    tone: Tone = "flat"


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table."""

    title: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Leader:
    """A member in a ranking; `share` of the first one's value, 0 to 1."""

    name: str
    value: str
    share: float


@dataclass(frozen=True, slots=True)
class Ranking:
    """The members of a dimension by revenue."""

    title: str
    leaders: tuple[Leader, ...]


@dataclass(frozen=True, slots=True)
class View:
    """Everything on the board.

    Attributes:
        columns: the first is that of the titles.
        note: why there is nothing, if there is nothing.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    rankings: tuple[Ranking, ...]
    footer: str
    note: str = ""


def view(
    standing: Standing,
    kpis: Sequence[Kpi],
    choice: Choice,
    *,
    currency: str,
    name: Name,
    now: datetime,
) -> View:
    """The board at one moment.

    Args:
        standing: the records.
        kpis: the catalogue, in the order of the wall.
        choice: what is looked at.
        currency: of the business.
        name: what people call a member.
        now: for the age of things.
    """
    footer = freshness(standing, now)
    if choice.member is None:
        return _comparison(standing, kpis, choice, currency=currency, name=name, footer=footer)
    rows = tuple(
        Row(
            kpi.definition.title,
            tuple(
                cell(standing.get(kpi.name, window, choice.dimension, choice.member), kpi, currency)
                for window in choice.windows
            ),
        )
        for kpi in kpis
        if choice.every or choice.dimension != "company" or kpi.definition.headline
    )
    rows = tuple(row for row in rows if any(each.value != ABSENT for each in row.cells))
    who = "The company"
    if choice.dimension != "company":
        who = f"{choice.dimension} {name(choice.dimension, choice.member)}"
    return View(
        title=who,
        columns=("", *map(window_title, choice.windows)),
        rows=rows,
        rankings=tuple(_rankings(standing, choice, currency, name)),
        footer=footer,
        note="" if rows else _nothing(standing, choice),
    )


def cell(record: Published | None, kpi: Kpi, currency: str) -> Cell:
    """A record as a cell; none is an undefined value."""
    if record is None or record.value is None:
        return Cell(ABSENT)
    value = float(record.value)
    previous = None if record.previous is None else float(record.previous)
    text = change(value, previous, record.unit)
    tone: Tone = "flat"
    if text.startswith(("▲", "▼")):
        tone = "good" if text.startswith("▲") == (kpi.definition.better == "higher") else "bad"
    return Cell(shown(value, record.unit, currency), text, tone)


def _comparison(
    standing: Standing,
    kpis: Sequence[Kpi],
    choice: Choice,
    *,
    currency: str,
    name: Name,
    footer: str,
) -> View:
    """The members of a dimension, one line each."""
    window = choice.windows[0]
    by_name = {kpi.name: kpi for kpi in kpis}
    columns = [by_name[each] for each in _COMPARED if each in by_name]
    columns = [kpi for kpi in columns if any(standing.members(kpi.name, window, choice.dimension))]
    members: dict[str, None] = {}
    for kpi in columns:
        for record in ranked(standing.members(kpi.name, window, choice.dimension)):
            members[record.member] = None
    rows = tuple(
        Row(
            name(choice.dimension, member),
            tuple(
                cell(standing.get(kpi.name, window, choice.dimension, member), kpi, currency)
                for kpi in columns
            ),
        )
        for member in list(members)[: choice.top]
    )
    return View(
        title=f"By {choice.dimension}, {window_title(window).lower()}",
        columns=(choice.dimension, *(kpi.definition.title for kpi in columns)),
        rows=rows,
        rankings=(),
        footer=footer,
        note="" if rows else _nothing(standing, replace(choice, windows=(window,))),
    )


def _rankings(standing: Standing, choice: Choice, currency: str, name: Name) -> Iterable[Ranking]:
    window = "month" if "month" in choice.windows else choice.windows[0]
    for dimension, title in (("rep", "Reps"), ("team", "Teams")):
        if choice.dimension != "company":
            continue
        records = list(ranked(standing.members(RANKED_BY, window, dimension)))[: choice.top]
        best = max((float(record.value or 0) for record in records), default=0.0)
        if best <= 0:
            continue
        yield Ranking(
            f"{title} by revenue, {window_title(window).lower()}",
            tuple(
                Leader(
                    name(dimension, record.member),
                    shown(float(record.value or 0), record.unit, currency),
                    max(0.0, float(record.value or 0)) / best,
                )
                for record in records
            ),
        )


def ranked(records: Iterable[Published]) -> Iterable[Published]:
    """Those with a value, the highest first, equal ones by name."""
    defined = [record for record in records if record.value is not None]
    return sorted(defined, key=lambda record: (-(record.value or 0), record.member))


def window_title(kind: str) -> str:
    """What a window is called."""
    if kind.endswith("d") and kind[:-1].isdigit():
        return f"{kind[:-1]} days"
    return {"hour": "Hour", "day": "Today", "week": "Week", "month": "Month"}.get(
        kind, kind.capitalize()
    )


def freshness(standing: Standing, now: datetime) -> str:
    """How old what is shown is."""
    if not standing.newest_publication:
        return "nothing was published yet"
    event, sent = _ago(standing.newest_event, now), _ago(standing.newest_publication, now)
    return f"newest event {event} · last change {sent} · {len(standing):,} values"


def _ago(instant: str, now: datetime) -> str:
    seconds = (now - datetime.fromisoformat(instant)).total_seconds()
    if seconds < 1:
        return "now"
    unit = [unit for unit, length in _SECONDS.items() if seconds >= length][-1]
    return f"{seconds / _SECONDS[unit]:,.0f} {unit} ago"


def _nothing(standing: Standing, choice: Choice) -> str:
    if not len(standing):
        return "No values yet: is a worker running, and has it read the log to its end?"
    who = choice.dimension if choice.member is None else f"{choice.dimension} {choice.member!r}"
    return f"No values of {who} in {', '.join(choice.windows)}."
