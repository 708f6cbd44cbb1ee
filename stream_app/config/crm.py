"""The sections about CRMs: `sources`, `links`, `silent_sources`, and `experiments`."""

import re
from collections.abc import Collection, Mapping
from typing import Final

from stream_app.config.model import CrmSource, Experiment, Pipeline
from stream_app.config.nearest import hint, shown
from stream_app.config.people import web_address
from stream_app.config.scalars import days, duration_us, flag, name
from stream_app.config.splits import DEAL_FIELDS, dimension_among
from stream_app.config.yaml_nodes import Reader, Section, Value, list_of, mapping_of
from stream_app.domain.calendar import FIVE_MINUTES_US

LINK_KINDS: Final = ("deal", "lead", "survey", "spend", "expense", "customer", "measure")
"""What a template of `links` may lead to."""

_PLACE: Final = re.compile(r"\{[^{}]*\}")
_RESULTS: Final = ("won", "lost")
_SOURCE_NAME: Final = name(
    re.compile(r"[a-z][a-z0-9_-]{0,63}"),
    "lower-case letters, digits, - and _, a letter first, at most 64",
)


def read_sources(
    value: Value | None, *, pipelines: Mapping[str, Pipeline], dimensions: Collection[str]
) -> dict[str, CrmSource]:
    """The section `sources`: how each CRM's words become ours."""
    if value is None:
        return {}
    sources: dict[str, CrmSource] = {}
    known = ("portal", "public_url", "stages", "fields", "owners")
    stage = _stage_among(pipelines)
    texts = mapping_of(Value.text, '{"31": r-17}')
    for source_name, entry in value.entries("a mapping like {hubspot: {portal: 4711}}").items():
        section = Section({}) if entry.is_null else entry.section(known)
        if _SOURCE_NAME(entry.key) is None:
            continue
        sources[source_name] = CrmSource(
            name=source_name,
            portal=section.read("portal", Value.text),
            public_url=section.read("public_url", web_address),
            stages=section.read_or("stages", mapping_of(stage, "{closedwon: won}"), {}),
            fields=section.read_or("fields", _fields(dimensions), {}),
            owners=section.read_or("owners", texts, {}),
        )
    return sources


def _stage_among(pipelines: Mapping[str, Pipeline]) -> Reader[str]:
    stages = [stage.name for pipeline in pipelines.values() for stage in pipeline.stages]
    known = (*dict.fromkeys(stages), *_RESULTS)

    def read(value: Value) -> str | None:
        text = value.text()
        if text is None or not pipelines or text in known:
            return text
        value.error(f"no stage is called {shown(text)}{hint(text, known)}")
        return None

    return read


def _fields(dimensions: Collection[str]) -> Reader[dict[str, str]]:
    known = (*dimensions, *DEAL_FIELDS)
    read_texts = mapping_of(Value.text, "{technique: sales_technique}")

    def read(value: Value) -> dict[str, str] | None:
        if value.is_mapping:
            for field, entry in value.entries("").items():
                if field not in known:
                    entry.key.error(f"no field is called {shown(field)}{hint(field, known)}")
        return read_texts(value)

    return read


def read_links(value: Value | None) -> dict[str, dict[str, str]]:
    """The section `links`: source, or empty for any -> kind -> address of the entity in its CRM."""
    if value is None:
        return {}
    links: dict[str, dict[str, str]] = {}
    for key, entry in value.entries('a mapping like {deal: "https://…/{id}"}').items():
        if entry.is_mapping:
            links[key] = {}
            for kind, template in entry.entries("").items():
                _read_link(kind, template, links[key])
        else:
            _read_link(key, entry, links.setdefault("", {}))
    return links


def _read_link(kind: str, entry: Value, links: dict[str, str]) -> None:
    if kind not in LINK_KINDS:
        entry.key.error(f"nothing is called {shown(kind)}{hint(kind, LINK_KINDS)}")
        return
    address = web_address(entry)
    if address is None:
        return
    asked = set(_PLACE.findall(address))
    if not asked or asked - {"{id}", "{own_id}"}:
        entry.error("expected {id} or {own_id} in it, and nothing else in braces")
    else:
        links[kind] = address


def read_silent_sources(value: Value | None) -> dict[str, int]:
    """The section `silent_sources`: how long each may be silent, in microseconds.

    Silence is measured in full five minutes, so no less can be asked for.
    """
    if value is None:
        return {}
    return mapping_of(duration_us(FIVE_MINUTES_US), "{hubspot: 2h}")(value) or {}


def read_experiments(value: Value | None, dimensions: Collection[str]) -> tuple[Experiment, ...]:
    """The section `experiments` (kpis.md, A/B comparison)."""
    if value is None:
        return ()
    experiments: dict[str, Experiment] = {}
    required = ("name", "dimension", "control", "variants", "horizon")
    for item in value.items("a list of experiments"):
        section = item.section((*required, "random"), required=required)
        experiment = Experiment(
            name=section.read_or("name", Value.text, ""),
            dimension=section.read_or("dimension", dimension_among(dimensions), ""),
            control=section.read_or("control", Value.text, ""),
            variants=section.read_or("variants", list_of(Value.text, "[free-trial]"), ()),
            horizon_days=section.read_or("horizon", days(1), 1),
            random=section.read_or("random", flag, default=False),
        )
        _check_variants(section.get("variants"), experiment)
        if experiment.name in experiments:
            item.error(
                f"an experiment {shown(experiment.name)} is already there; rename or remove one",
            )
        experiments.setdefault(experiment.name, experiment)
    return tuple(experiments.values())


def _check_variants(listed: Value | None, experiment: Experiment) -> None:
    if listed is None or not listed.is_list:
        return
    arms = (experiment.control, *experiment.variants)
    if not experiment.variants:
        listed.error("has no variant; write at least one member")
    elif len(set(arms)) < len(arms):
        listed.error("names a member twice, or the control; name each arm once")
