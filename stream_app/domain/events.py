"""Canonical CRM events as the fold sees them: validated, normalised, immutable.

The wire form (CloudEvents JSON) and every rule of validation live in `stream_app.wire`;
this module only says what an accepted event *is* (contract.md, sections 2 and 3).
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any, Final

import msgspec


class EventType(IntEnum):
    """The event types, in the contract's rank of events of one instant (rule 1).

    The number is the rank's order and is stored with the events: append, never renumber.
    Types from SURVEY on share the last rank ("then the rest").
    """

    LEAD_CREATED = 0
    LEAD_UPDATED = 1
    LEAD_DELETED = 2
    DEAL_CREATED = 3
    DEAL_UPDATED = 4
    DEAL_STAGE_CHANGED = 5
    DEAL_REOPENED = 6
    DEAL_LOST = 7
    DEAL_WON = 8
    DEAL_DELETED = 9
    SURVEY_SUBMITTED = 10
    SPEND_RECORDED = 11
    EXPENSE_RECORDED = 12
    CUSTOMER_ACTIVATED = 13
    CUSTOMER_CHURNED = 14
    MEASURE_RECORDED = 15


EVENT_TYPE_BY_NAME: Final[Mapping[str, EventType]] = {
    "crm.lead.created.v1": EventType.LEAD_CREATED,
    "crm.lead.updated.v1": EventType.LEAD_UPDATED,
    "crm.lead.deleted.v1": EventType.LEAD_DELETED,
    "crm.deal.created.v1": EventType.DEAL_CREATED,
    "crm.deal.updated.v1": EventType.DEAL_UPDATED,
    "crm.deal.stage_changed.v1": EventType.DEAL_STAGE_CHANGED,
    "crm.deal.reopened.v1": EventType.DEAL_REOPENED,
    "crm.deal.lost.v1": EventType.DEAL_LOST,
    "crm.deal.won.v1": EventType.DEAL_WON,
    "crm.deal.deleted.v1": EventType.DEAL_DELETED,
    "crm.survey.submitted.v1": EventType.SURVEY_SUBMITTED,
    "crm.spend.recorded.v1": EventType.SPEND_RECORDED,
    "crm.expense.recorded.v1": EventType.EXPENSE_RECORDED,
    "crm.customer.activated.v1": EventType.CUSTOMER_ACTIVATED,
    "crm.customer.churned.v1": EventType.CUSTOMER_CHURNED,
    "crm.measure.recorded.v1": EventType.MEASURE_RECORDED,
}

STANDARD_DIMENSIONS: Final = (
    "rep",
    "team",
    "source",
    "technique",
    "campaign",
    "product_line",
    "region",
)
"""Dimensions every event may carry without being declared (contract.md, section 2)."""


class Event(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One accepted event.

    Attributes:
        type: what happened.
        time: event time in microseconds since 1970-01-01T00:00:00Z.
        sequence: the producer's order among events of one instant, or None.
        source: CloudEvents `source`.
        id: CloudEvents `id`; `source` + `id` name the event for ever within its key.
        digest: 16 hex digits over (type, instant, data as JSON values, unknown fields included);
            two records with the same source and id and different digests are an `id_conflict`.
        data: the *known* fields of `data`, normalised. An absent field is not there, a cleared one
            is None. Strings and dimensions are `str`; `amount`, `cost`, `value` are `int` in
            ten-thousandths; `lines` is a list of
            `[product_line | None, amount | None, cost | None]`; dates are proleptic ordinals
            (`date.toordinal`); `lead_created_at` is microseconds; `new_business` is `bool`;
            `score` and `scale_max` are `int` (`scale_max` always present on a survey).
    """

    type: int
    time: int
    sequence: int | None
    source: str
    id: str
    digest: str
    data: dict[str, Any]
