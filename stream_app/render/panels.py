"""Our few kinds of panels; all that is known of Grafana's builders is in this file.

Every panel has a description, a unit, and a text for when there is nothing to show. A number is
coloured by the state of its targets, never by a threshold: five queries, of which exactly one has
data, and each has its colour.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from grafana_foundation_sdk.builders import bargauge, common, stat, statetimeline, timeseries
from grafana_foundation_sdk.builders import dashboard as dash
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common as kinds
from grafana_foundation_sdk.models import dashboard as models

from stream_app.domain.kpi import Kpi
from stream_app.metrics.kpi_names import is_money
from stream_app.render import query

AnyPanel = Builder[models.Panel]
DATASOURCE: Final = models.DataSourceRef(type_val="prometheus", uid="stream-app")
ACCENT: Final = "#8ab8ff"
NEUTRAL: Final = "#ccccdc"
GREEN: Final = "#56a64b"
YELLOW: Final = "#f2cc0c"
RED: Final = "#e02f44"
BLUE: Final = "#3274d9"

_KNOWN_CURRENCIES: Final = frozenset(
    {
        *("USD", "GBP", "EUR", "JPY", "RUB", "UAH", "BRL", "DKK", "ISK"),
        *("NOK", "SEK", "CZK", "CHF", "PLN", "ZAR", "INR", "KRW"),
    }
)
_UNITS: Final = {"ratio": "percentunit", "seconds": "s", "count": "short", "points": "none"}
_DECIMALS: Final = {"ratio": 1, "seconds": 1, "count": 0, "points": 0, "currency": 0}
STATES: Final = {
    "0": ("on target", GREEN),
    "1": ("slipping", YELLOW),
    "2": ("below target", RED),
    "3": ("achieved", BLUE),
}
REASONS: Final = {
    "below_target": "below target",
    "above_target": "above its limit",
    "behind_pace": "behind its pace",
    "goal_reached": "goal reached",
    "goal_exceeded": "goal exceeded",
    "no_data": "no data for too long",
    "no_value": "not judged: no value",
    "no_baseline": "not judged: nothing to grow from",
    "small_sample": "not judged: too few",
    "window_runs": "judged when its window is over",
    "missed_repeatedly": "missed again and again: coaching suggested",
}
"""Why a target is in its state, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What all panels of a rendering share.

    Attributes:
        names: pseudonym → what is shown in its place.
    """

    currency: str
    names: Mapping[str, str]

    def unit(self, kpi: Kpi) -> str:
        """The KPI's unit in Grafana's words."""
        unit = kpi.definition.unit
        if is_money(unit):
            known = self.currency in _KNOWN_CURRENCIES
            return f"currency{self.currency}" if known else f"currency:{self.currency} "
        return _UNITS.get(unit, f"suffix: {unit}")

    def decimals(self, kpi: Kpi) -> int:
        """Digits after the point that can be read from ten feet away."""
        return _DECIMALS.get(kpi.definition.unit, 1)


def ask(expr: str, ref: str = "A", legend: str = "", *, instant: bool = True) -> Dataquery:
    """One query."""
    asked = Dataquery().expr(expr).ref_id(ref).legend_format(legend or "__auto")
    return asked.instant() if instant else asked.range()


def _fixed(color: str) -> models.DynamicConfigValue:
    return models.DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": color})


def setting(name: str, value: object) -> models.DynamicConfigValue:
    """A field option that holds for some fields only."""
    return models.DynamicConfigValue(id_val=name, value=value)


def no_thresholds() -> dash.ThresholdsConfig:
    """Thresholds without any: a panel has some otherwise."""
    return (
        dash.ThresholdsConfig()
        .mode(models.ThresholdsMode.ABSOLUTE)
        .steps([models.Threshold(value=None, color=NEUTRAL)])
    )


def _last() -> common.ReduceDataOptions:
    return common.ReduceDataOptions().calcs(["lastNotNull"]).fields("").values(values=False)


def state_mappings() -> list[Any]:
    """A target's state as a word and a colour."""
    options = {
        value: models.ValueMappingResult(text=text, color=color, index=int(value))
        for value, (text, color) in STATES.items()
    }
    return [models.ValueMap(options=options)]


def kpi_number(kpi: Kpi, at: str, look: Look) -> stat.Panel:
    """A big number on a background that says how its targets stand."""
    value, state = query.value(kpi, at), query.state(kpi, at)
    cases = {
        "ok": (f"{value} and on () (max({state}) == 0)", GREEN),
        "pending": (
            f"{value} and on () max({state} == 1) unless on () max({state} == 2)",
            YELLOW,
        ),
        "firing": (f"{value} and on () max({state} == 2)", RED),
        "achieved": (
            f"{value} and on () max({state} == 3) unless on () max(({state} >= 1) <= 2)",
            BLUE,
        ),
        "untargeted": (f"{value} unless on () max({state})", "transparent"),
    }
    panel = (
        _number(kpi.definition.title, kpi.definition.definition, look.unit(kpi))
        .decimals(look.decimals(kpi))
        .color_mode(kinds.BigValueColorMode.BACKGROUND_SOLID)
        .text_mode(kinds.BigValueTextMode.VALUE)
        .no_value("no value yet")
    )
    for ref, (expr, color) in cases.items():
        panel = panel.with_target(ask(expr, ref)).override_by_query(ref, [_fixed(color)])
    return panel


def kpi_comparison(kpi: Kpi, at: str, look: Look) -> stat.Panel:
    """What the number beside it should be, and what it was one period earlier."""
    return (
        _number("", f"{kpi.definition.title}: target and previous period.", look.unit(kpi))
        .decimals(look.decimals(kpi))
        .color_mode(kinds.BigValueColorMode.NONE)
        .text_mode(kinds.BigValueTextMode.VALUE_AND_NAME)
        .orientation(kinds.VizOrientation.VERTICAL)
        .transparent(transparent=True)
        .no_value("no target, nothing earlier")
        .with_target(ask(query.target(kpi, at), "target", "target"))
        .with_target(ask(query.previous(kpi, at), "previous", "previous"))
    )


def number(title: str, text: str, expr: str, *, unit: str = "short", none: str) -> stat.Panel:
    """Any other number, without judgement."""
    return (
        _number(title, text, unit)
        .color_mode(kinds.BigValueColorMode.NONE)
        .no_value(none)
        .with_target(ask(expr))
    )


def word(
    title: str, text: str, expr: str, words: Mapping[str, tuple[str, str]], *, none: str
) -> stat.Panel:
    """A number that stands for a word and a colour."""
    options = {
        value: models.ValueMappingResult(text=said, color=color, index=place)
        for place, (value, (said, color)) in enumerate(words.items())
    }
    return (
        _number(title, text, "none")
        .color_mode(kinds.BigValueColorMode.BACKGROUND_SOLID)
        .mappings([models.ValueMap(options=options)])
        .no_value(none)
        .with_target(ask(expr))
    )


def _number(title: str, text: str, unit: str) -> stat.Panel:
    return (
        stat.Panel()
        .title(title)
        .description(text)
        .datasource(DATASOURCE)
        .unit(unit)
        .thresholds(no_thresholds())
        .reduce_options(_last())
        .graph_mode(kinds.BigValueGraphMode.NONE)
        .justify_mode(kinds.BigValueJustifyMode.CENTER)
        .show_percent_change(show_percent_change=False)
    )


def ranking(
    kpi: Kpi,
    at: str,
    look: Look,
    *,
    title: str,
    most: int = 10,
    order: Literal["best", "most"] = "best",
) -> bargauge.Panel:
    """Members by the KPI: the best first, or those with the most of it."""
    highest = kpi.definition.better == "higher" or order == "most"
    better, order_by = ("topk", "sort_desc") if highest else ("bottomk", "sort")
    expr = f"{order_by}({better}({most}, {query.by_member(kpi, at)}))"
    panel = (
        bargauge.Panel()
        .title(title)
        .description(kpi.definition.definition)
        .datasource(DATASOURCE)
        .unit(look.unit(kpi))
        .decimals(look.decimals(kpi))
        .thresholds(no_thresholds())
        .color_scheme(_one_color(ACCENT))
        .reduce_options(_last())
        .orientation(kinds.VizOrientation.HORIZONTAL)
        .display_mode(kinds.BarGaugeDisplayMode.BASIC)
        .value_mode(kinds.BarGaugeValueMode.TEXT)
        .no_value("nobody has a value yet")
        .with_target(ask(expr, legend="{{member}}"))
    )
    for pseudonym, name in look.names.items():
        panel = panel.override_by_name(pseudonym, [setting("displayName", name)])
    return panel


def _one_color(color: str) -> dash.FieldColor:
    return dash.FieldColor().mode(models.FieldColorModeId.FIXED).fixed_color(color)


def trend(title: str, text: str, exprs: Mapping[str, str], unit: str) -> timeseries.Panel:
    """Lines over time: legend → PromQL; lines called `target` are dashed."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(text)
        .datasource(DATASOURCE)
        .unit(unit)
        .thresholds(no_thresholds())
        .line_width(2)
        .fill_opacity(8)
        .show_points(kinds.VisibilityMode.NEVER)
        .span_nulls(span_nulls=False)
        .legend(
            common.VizLegendOptions()
            .show_legend(len(exprs) > 1 or "{{" in next(iter(exprs)))
            .placement(kinds.LegendPlacement.BOTTOM)
            .display_mode(kinds.LegendDisplayMode.LIST)
        )
        .tooltip(common.VizTooltipOptions().mode(kinds.TooltipDisplayMode.MULTI))
        .no_value("nothing yet")
    )
    for place, (legend, expr) in enumerate(exprs.items()):
        panel = panel.with_target(ask(expr, chr(ord("A") + place), legend, instant=False))
    dashed = setting("custom.lineStyle", {"fill": "dash", "dash": [10, 10]})
    return panel.override_by_name("target", [dashed, _fixed(NEUTRAL)])


def kpi_trend(kpi: Kpi, at: str, look: Look) -> timeseries.Panel:
    """A KPI over time with its target as a dashed line."""
    exprs = {kpi.definition.title: query.value(kpi, at), "target": query.target(kpi, at)}
    return trend(kpi.definition.title, kpi.definition.definition, exprs, look.unit(kpi)).decimals(
        look.decimals(kpi)
    )


def states(title: str, text: str, expr: str, legend: str) -> statetimeline.Panel:
    """When targets were missed, over time."""
    return (
        statetimeline.Panel()
        .title(title)
        .description(text)
        .datasource(DATASOURCE)
        .unit("none")
        .thresholds(no_thresholds())
        .mappings(state_mappings())
        .merge_values(merge_values=True)
        .show_value(kinds.VisibilityMode.NEVER)
        .legend(common.VizLegendOptions().show_legend(show_legend=False))
        .no_value("no targets")
        .with_target(ask(expr, "A", legend, instant=False))
    )
