"""What all dashboards have in common: variables, links, refresh, and picking KPIs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from grafana_foundation_sdk.builders import dashboard as dash
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as models

from stream_app.company import Company
from stream_app.domain.kpi import STAGE_DIMENSIONS, Kpi
from stream_app.render import query
from stream_app.render.panels import DATASOURCE, AnyPanel, Look, kpi_comparison, kpi_number, word

WIDTH: Final = 24
NUMBERS_MAX: Final = 4
TAG: Final = "stream-app"
_PREFERRED_WINDOWS: Final = ("month", "90d")

PIPELINE_STATE: Final = "max(stream_app_rebuilding) + 2 * max(stream_app_degraded) or vector(9)"
_PIPELINE_WORDS: Final = {
    "0": ("live", "#37872d"),
    "1": ("rebuilding: the numbers are old", "#e0b400"),
    "2": ("some input is refused", "#e0b400"),
    "3": ("rebuilding: the numbers are old", "#e0b400"),
    "9": ("no worker: the numbers are old", "#c4162a"),
}


@dataclass(frozen=True, slots=True)
class Scene:
    """A company as its dashboards see it.

    Attributes:
        named: how panels look that list persons.
    """

    company: Company
    named: Look

    @property
    def look(self) -> Look:
        """Without names: for everything but a list of persons."""
        return replace(self.named, names={})

    def kpis(self, *names: str) -> list[Kpi]:
        """Those that the catalogue has, in the order of the names."""
        known = {kpi.name: kpi for kpi in self.company.catalogue.kpis}
        return [known[name] for name in names if name in known]

    def kpis_of(self, dimension: str, *names: str) -> list[Kpi]:
        """Those that exist for a dimension in at least one window."""
        return [kpi for kpi in self.kpis(*names) if any(True for _ in self.windows(kpi, dimension))]

    def windows(self, kpi: Kpi, dimension: str) -> Iterator[str]:
        """The configured windows in which the KPI exists for a dimension."""
        configured = self.company.catalogue.configured
        for kind in self.company.config.windows:
            if kpi.exists(dimension, kind, closed=False, configured=configured):
                yield kind

    def window(self, kpi: Kpi, dimension: str) -> str:
        """The chosen window, or a fixed one where the KPI exists in few only."""
        own = [*self.windows(kpi, dimension)]
        if {*own, "hour"} >= {*self.company.config.windows}:
            return "$window"
        return next((kind for kind in _PREFERRED_WINDOWS if kind in own), own[-1])

    def title(self, kpi: Kpi, dimension: str = "company") -> str:
        """The KPI's title, with its window where that is fixed."""
        window = self.window(kpi, dimension)
        unit = " a day" if kpi.definition.unit.endswith(" per day") else ""
        return kpi.definition.title + unit + ("" if window == "$window" else f" ({window})")

    def has(self, dimension: str) -> bool:
        """Whether KPIs are split by it."""
        own = {"company", "loss_reason", "theme", *STAGE_DIMENSIONS}
        return dimension in own or dimension in self.company.catalogue.configured

    def at(self, kpi: Kpi, dimension: str, member: str | None = None) -> str:
        """Matchers for the members of a dimension in the KPI's window."""
        return query.place(self.window(kpi, dimension), dimension, member)


def frame(scene: Scene, uid: str, title: str, text: str, *, member: bool = False) -> dash.Dashboard:
    """An empty dashboard with its variables.

    Args:
        scene: for whom.
        uid: of its address; never changes.
        title: what the wall shows.
        text: what it is for.
        member: it also has the variables of dimension and member.
    """
    business = scene.company.config.business
    board = (
        dash.Dashboard(title)
        .uid(f"stream-app-{uid}")
        .description(f"{text} Rendered by `stream-app render`; edits are not kept.")
        .tags([TAG])
        .readonly()
        .refresh("10s")
        .time("now-24h", "now")
        .timezone(business.timezone.key)
        .fiscal_year_start_month(business.fiscal_year_starts - 1)
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .link(
            dash.DashboardLink("stream-app")
            .type(models.DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .as_dropdown(as_dropdown=True)
            .keep_time(keep_time=True)
            .include_vars(include_vars=True)
        )
        .with_variable(_choice("window", "Window", scene.company.config.windows))
    )
    if member:
        catalogue = scene.company.catalogue
        dimensions = ("company", *sorted(catalogue.configured))
        board = board.with_variable(_choice("dimension", "Split by", dimensions)).with_variable(
            dash.QueryVariable("member")
            .label("Member")
            .datasource(DATASOURCE)
            .query(
                'label_values({__name__=~"kpi_.+",window="$window",dimension="$dimension"},member)'
            )
            .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
            .sort(models.VariableSort.ALPHABETICAL_ASC)
            .current(models.VariableOption(text="all", value="all", selected=True))
        )
    return board


def bare_frame(uid: str, title: str, text: str) -> dash.Dashboard:
    """An empty dashboard without variables."""
    return (
        dash.Dashboard(title)
        .uid(f"stream-app-{uid}")
        .description(f"{text} Rendered by `stream-app render`; edits are not kept.")
        .tags([TAG])
        .readonly()
        .refresh("10s")
        .time("now-3h", "now")
        .timezone("browser")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
    )


@dataclass(frozen=True, slots=True)
class Row:
    """Panels side by side, equally wide; none at all is no row."""

    height: int
    panels: Sequence[AnyPanel]


@dataclass(frozen=True, slots=True)
class _Placed(Builder[models.Panel]):
    """A panel with its place."""

    panel: AnyPanel
    place: models.GridPos

    def build(self) -> models.Panel:
        built = self.panel.build()
        built.grid_pos = self.place
        return built


def filled(board: dash.Dashboard, *rows: Row) -> dash.Dashboard:
    """The dashboard with its rows below each other."""
    y = 0
    for row in rows:
        if not row.panels:
            continue
        width = WIDTH // len(row.panels)
        for column, panel in enumerate(row.panels):
            place = models.GridPos(h=row.height, w=width, x=column * width, y=y)
            board = board.with_panel(_Placed(panel, place))
        y += row.height
    return board


def numbers(scene: Scene, kpis: Sequence[Kpi], *, height: int = 4) -> Iterator[Row]:
    """Rows of big numbers of the company, four each, with their targets below."""
    for first in range(0, len(kpis), NUMBERS_MAX):
        row = kpis[first : first + NUMBERS_MAX]
        places = [scene.at(kpi, "company", "all") for kpi in row]
        yield Row(
            height,
            [
                kpi_number(kpi, at, scene.look).title(scene.title(kpi))
                for kpi, at in zip(row, places, strict=True)
            ],
        )
        yield Row(
            3,
            [kpi_comparison(kpi, at, scene.look) for kpi, at in zip(row, places, strict=True)],
        )


def liveness() -> Row:
    """A thin strip: whether the numbers below are those of now."""
    text = "Whether the numbers are current. Old ones stay on the wall, and this says so."
    unknown = "Prometheus does not answer"
    return Row(2, [word("", text, PIPELINE_STATE, _PIPELINE_WORDS, none=unknown)])


def _choice(name: str, label: str, values: tuple[str, ...]) -> dash.CustomVariable:
    first = next((value for value in _PREFERRED_WINDOWS if value in values), values[0])
    return (
        dash.CustomVariable(name)
        .label(label)
        .values(",".join(values))
        .current(models.VariableOption(text=first, value=first, selected=True))
        .options(
            [
                models.VariableOption(text=value, value=value, selected=value == first)
                for value in values
            ]
        )
    )
