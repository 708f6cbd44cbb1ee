"""All rendered files as name → text; nothing is read or written here."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from stream_app.company import Company
from stream_app.render.alertmanager import Mail, alertmanager
from stream_app.render.asyncapi import asyncapi
from stream_app.render.dashboards import DASHBOARDS, ON_THE_WALL
from stream_app.render.dashboards.frame import Scene
from stream_app.render.panels import DATASOURCE, Look
from stream_app.render.pipeline_rules import pipeline_rules
from stream_app.render.schemas import schemas
from stream_app.render.target_rules import target_rules

RULES: Final = "deploy/prometheus/rules"
ALERTMANAGER: Final = "deploy/alertmanager/alertmanager.yml"
SCHEMAS: Final = "deploy/schemas"
ASYNCAPI: Final = "deploy/asyncapi.yaml"
DASHBOARDS_FOLDER: Final = "grafana/dashboards"
PLAYLIST: Final = "grafana/playlist.json"
PROVISIONING: Final = "grafana/provisioning"
DASHBOARDS_IN_GRAFANA: Final = "/var/lib/stream-app/dashboards"
"""Where Grafana finds the dashboards: the compose file mounts them there."""

OWNED: Final = {
    SCHEMAS: '"$schema": "https://json-schema.org/',
    DASHBOARDS_FOLDER: '"uid": "stream-app-',
}
"""Folder → what stands in every file that is rendered into it."""

_MARK: Final = "# Rendered by `stream-app render`; do not edit, change the configuration instead.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the configuration does not say.

    Attributes:
        names: dashboards show the directory's display names instead of pseudonyms.
        prometheus: its address as Grafana sees it.
    """

    names: bool = False
    prometheus: str = "http://prometheus:9090"
    mail: Mail = field(default_factory=Mail)


def rendered_files(company: Company, wishes: Wishes) -> Mapping[str, str]:
    """Everything that follows from a company's configuration and catalogue."""
    described = schemas(company)
    files = {
        f"{RULES}/pipeline.yml": _yaml(pipeline_rules()),
        f"{RULES}/targets.yml": _yaml(target_rules(company)),
        ALERTMANAGER: _yaml(alertmanager(company.config, wishes.mail)),
        ASYNCAPI: _yaml(asyncapi(described)),
    }
    files |= _grafana(Scene(company, _look(company, wishes)))
    files |= _provisioning(wishes.prometheus)
    files |= {f"{SCHEMAS}/{topic}.json": _json(schema) for topic, schema in described.items()}
    return files


def _look(company: Company, wishes: Wishes) -> Look:
    directory = company.config.directory.values() if wishes.names else ()
    names = {rep.id: rep.name for rep in directory if rep.name is not None}
    return Look(currency=company.config.business.currency, names=names)


def _grafana(scene: Scene) -> Mapping[str, str]:
    files = {}
    for name, build in DASHBOARDS.items():
        encoded = JSONEncoder(sort_keys=True, indent=2, ensure_ascii=False)
        files[f"{DASHBOARDS_FOLDER}/{name}.json"] = encoded.encode(build(scene).build()) + "\n"
    playlist = {
        "name": "Sales floor",
        "interval": "1m",
        "items": [
            {"type": "dashboard_by_uid", "value": f"stream-app-{name}"} for name in ON_THE_WALL
        ],
    }
    return files | {PLAYLIST: _json(playlist)}


def _provisioning(prometheus: str) -> Mapping[str, str]:
    """What Grafana reads at its start: one data source, and a folder that nobody can edit."""
    source = {
        "name": "stream-app",
        "uid": DATASOURCE.uid,
        "type": DATASOURCE.type_val,
        "access": "proxy",
        "url": prometheus,
        "isDefault": True,
        "editable": False,
        "jsonData": {"timeInterval": "5s", "httpMethod": "POST"},
    }
    provider = {
        "name": "stream-app",
        "folder": "Sales",
        "type": "file",
        "allowUiUpdates": False,
        "disableDeletion": True,
        "updateIntervalSeconds": 30,
        "options": {"path": DASHBOARDS_IN_GRAFANA},
    }
    return {
        f"{PROVISIONING}/datasources/stream-app.yml": _yaml(
            {"apiVersion": 1, "datasources": [source]}
        ),
        f"{PROVISIONING}/dashboards/stream-app.yml": _yaml(
            {"apiVersion": 1, "providers": [provider]}
        ),
    }


def _json(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


class _Dumper(yaml.SafeDumper):
    """Block style with long lines kept whole and texts of several lines as they are."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def _yaml(document: object) -> str:
    return _MARK + yaml.dump(
        document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1_000_000
    )
