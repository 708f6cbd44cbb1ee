"""Links into the CRM, by the templates of the configuration's section `links` (pure)."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

_KIND_OF_UNIT: Final = {"conversion": "lead", "new_customer": "deal", "gain": "deal"}

Templates = Mapping[str, Mapping[str, str]]
"""CloudEvents source, or empty for any → kind → URL with `{id}` or `{own_id}` (`config.links`)."""


def linked_kind(unit_kind: str) -> str:
    """The kind of entity that a unit of the fold is about."""
    return _KIND_OF_UNIT.get(unit_kind, unit_kind)


def link(templates: Templates, source: str, kind: str, entity_id: str) -> str | None:
    """The address of an entity in its CRM, or None where no template is given.

    `{id}` is the id as events carry it, `{own_id}` what follows its last `/`: the CRM's own id,
    where the import or the gateway has qualified it. Both are percent-encoded.
    """
    for name in (source, ""):
        template = templates.get(name, {}).get(kind)
        if template is not None:
            own_id = entity_id.rpartition("/")[2].replace("%2F", "/").replace("%25", "%")
            return template.replace("{id}", quote(entity_id, safe="")).replace(
                "{own_id}", quote(own_id, safe="")
            )
    return None
