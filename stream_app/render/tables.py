"""Tables: a row for each member, a column for each KPI."""

from collections.abc import Sequence

from grafana_foundation_sdk.builders import common, table
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.models import common as kinds
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from stream_app.domain.kpi import Kpi
from stream_app.render import query
from stream_app.render.panels import DATASOURCE, REASONS, STATES, Look, no_thresholds, setting


def league(
    title: str, text: str, kpis: Sequence[Kpi], at: str, look: Look, *, heading: str
) -> table.Panel:
    """A table: a row for each member, a column for each KPI, ordered by the first."""
    panel = (
        table.Panel()
        .title(title)
        .description(text)
        .datasource(DATASOURCE)
        .unit("short")
        .thresholds(no_thresholds())
        .no_value("-")
        .show_header(show_header=True)
        .cell_height(kinds.TableCellHeight.MD)
        .sort_by(
            [
                common.TableSortByFieldState()
                .display_name(kpis[0].definition.title)
                .desc(kpis[0].definition.better == "higher")
            ]
        )
    )
    columns: dict[str, str] = {"member": heading}
    for kpi in kpis:
        panel = panel.with_target(_as_table(query.by_member(kpi, at), kpi.name))
        column = kpi.definition.title
        columns[f"Value #{kpi.name}"] = column
        panel = panel.override_by_name(
            column, [setting("unit", look.unit(kpi)), setting("decimals", look.decimals(kpi))]
        )
    state = query.state(kpis[0], at)
    panel = panel.with_target(_as_table(f"max by (member) ({state})", "state"))
    columns["Value #state"] = f"{kpis[0].definition.title} target"
    words = {
        value: {"text": said, "color": color, "index": int(value)}
        for value, (said, color) in STATES.items()
    }
    panel = panel.override_by_name(
        columns["Value #state"],
        [
            setting("mappings", [{"type": "value", "options": words}]),
            setting("custom.cellOptions", {"type": "color-background", "mode": "basic"}),
            setting("noValue", "no target"),
        ],
    )
    if look.names:
        shown = {key: {"text": name} for key, name in look.names.items()}
        mapping = [{"type": "value", "options": shown}]
        panel = panel.override_by_name(heading, [setting("mappings", mapping)])
    return panel.with_transformation(
        models.DataTransformerConfig(id_val="joinByField", options={"byField": "member"})
    ).with_transformation(
        models.DataTransformerConfig(
            id_val="organize",
            options={
                "excludeByName": _times(kpis),
                "renameByName": columns,
                "indexByName": {name: place for place, name in enumerate(columns)},
            },
        )
    )


def verdicts(title: str, text: str, exprs: Sequence[str], look: Look, *, none: str) -> table.Panel:
    """A table: a row for each series, with its member, target and reason.

    Args:
        title: of the panel.
        text: what it shows.
        exprs: each by member and target, or by these and reason.
        look: how members are shown.
        none: what stands there without any series.
    """
    panel = (
        table.Panel()
        .title(title)
        .description(text)
        .datasource(DATASOURCE)
        .unit("none")
        .thresholds(no_thresholds())
        .no_value(none)
        .show_header(show_header=True)
        .cell_height(kinds.TableCellHeight.SM)
    )
    for place, expr in enumerate(exprs):
        panel = panel.with_target(_as_table(expr, chr(ord("A") + place)))
    if look.names:
        shown = {key: {"text": name} for key, name in look.names.items()}
        panel = panel.override_by_name(
            "Member", [setting("mappings", [{"type": "value", "options": shown}])]
        )
    reasons = {key: {"text": said} for key, said in REASONS.items()}
    panel = panel.override_by_name(
        "Why", [setting("mappings", [{"type": "value", "options": reasons}])]
    )
    columns = {"member": "Member", "target": "Target", "reason": "Why"}
    return panel.with_transformation(
        models.DataTransformerConfig(id_val="merge", options={})
    ).with_transformation(
        models.DataTransformerConfig(
            id_val="organize",
            options={
                "excludeByName": {"Time": True, "Value": True},
                "renameByName": columns,
                "indexByName": {name: place for place, name in enumerate(columns)},
            },
        )
    )


def _times(kpis: Sequence[Kpi]) -> dict[str, bool]:
    """The time of every query: Grafana numbers them when it joins."""
    return {"Time": True} | {f"Time {place}": True for place in range(1, len(kpis) + 2)}


def _as_table(expr: str, ref: str) -> Dataquery:
    return Dataquery().expr(expr).ref_id(ref).instant().format(PromQueryFormat.TABLE)
