"""What a cell of text means in a field of an event; which fields there are, `wire.shapes` says."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

Kind = Literal["text", "decimal", "date", "instant", "integer", "flag", "lines"]

KIND_OF_FIELD: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "amount": "decimal",
        "cost": "decimal",
        "value": "decimal",
        "expected_close_on": "date",
        "first_day": "date",
        "last_day": "date",
        "lead_created_at": "instant",
        "score": "integer",
        "scale_max": "integer",
        "new_business": "flag",
        "lines": "lines",
    },
)
"""Fields that are no plain text; every other field, and every dimension, is."""

ENTITIES: Final = ("lead", "deal", "survey", "spend", "expense", "customer", "measure")
"""What has an id of its own, and a thread."""

ENTITY_OF_ID: Final[Mapping[str, str]] = MappingProxyType({f"{e}_id": e for e in ENTITIES})
"""Fields that name an entity: their values are qualified (`identity.qualified`)."""

PERSONAL_FIELDS: Final = frozenset({"rep", "team", "customer_id"})
"""Fields that tend to hold names; a mapping must say that what it puts there is none."""

LINE_FIELDS: Final = ("product_line", "amount", "cost")


def entity_of(event_type: str) -> str:
    """The kind of entity that an event is about: `deal` of `crm.deal.won.v1`."""
    return event_type.split(".")[1]
