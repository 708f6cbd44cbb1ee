"""Which fields each event type knows, as a table (contract.md, section 2).

Everything else in `data` is unknown: ignored by the fold, part of the digest only.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from stream_app.domain.events import EVENT_TYPE_BY_NAME, STANDARD_DIMENSIONS
from stream_app.wire.reasons import Reason, Refused
from stream_app.wire.values import (
    Check,
    amount,
    boolean,
    calendar_instant,
    day,
    identifier,
    known,
    lines,
    text,
    whole_number,
)

MAX_SPREAD_DAYS: Final = 366
_DAYS: Final = ("first_day", "last_day")
_SCALES: Final[Mapping[str, tuple[int, tuple[int, ...]]]] = {
    "nps": (0, (10,)),
    "csat": (1, (5, 10)),
}
"""Kind of survey → its lowest score, and the highest ones it may have, the default first."""

Finish = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Shape:
    """What `data` of one event type may hold.

    Attributes:
        type: the `EventType`, as the plain int that it is stored as.
        checks: every known field → its validator.
        required: fields that must say something.
        finish: rules between fields; completes the normalised data in place.
    """

    type: int
    checks: Mapping[str, Check]
    required: tuple[str, ...]
    finish: Finish | None = None


def _survey(data: dict[str, Any]) -> None:
    kind, score, scale_max = data["kind"], data["score"], data.get("scale_max")
    if kind not in _SCALES:
        raise Refused(Reason.SCHEMA, f"expected {' or '.join(_SCALES)}", "data.kind")
    least, scales = _SCALES[kind]
    if scale_max is None:
        scale_max = data["scale_max"] = scales[0]
    elif scale_max not in scales:
        allowed = " or ".join(map(str, scales))
        raise Refused(Reason.SCHEMA, f"expected {allowed} for {kind}", "data.scale_max")
    if not least <= score <= scale_max:
        raise Refused(Reason.SCHEMA, f"expected {least} to {scale_max}", "data.score")


def _spread(data: dict[str, Any]) -> None:
    given = [data[name] for name in _DAYS if data.get(name) is not None]
    if not given:
        return
    first, last = given[0], given[-1]
    data.update(zip(_DAYS, (first, last), strict=True))
    days: int = last - first + 1
    if days < 1:
        raise Refused(Reason.SCHEMA, "is before first_day, expected no earlier", "data.last_day")
    if days > MAX_SPREAD_DAYS:
        raise Refused(
            Reason.SCHEMA,
            f"is {days} days from first_day (both included), expected at most {MAX_SPREAD_DAYS}",
            "data.last_day",
        )


def shapes(
    dimensions: frozenset[str], currencies: frozenset[str], measures: frozenset[str]
) -> Mapping[str, Shape]:
    """The table of all event types by name.

    Args:
        dimensions: declared dimensions beside the standard ones. The table wins over a dimension
            that has the name of one of its fields (`stage`, `theme` … are fields of some types).
        currencies: every currency that can be converted.
        measures: the declared measures.
    """
    currency = known(
        currencies,
        Reason.UNKNOWN_CURRENCY,
        "the business currency or one with a rate in the configuration (section currencies)",
    )
    measure = known(
        measures,
        Reason.UNKNOWN_MEASURE,
        "a measure that the configuration declares (section measures)",
    )
    days: dict[str, Check] = dict.fromkeys(_DAYS, day)
    lead: dict[str, Check] = {"lead_id": identifier}
    deal_id: dict[str, Check] = {"deal_id": identifier}
    customer: dict[str, Check] = {"customer_id": identifier}
    money: dict[str, Check] = {"amount": amount, "currency": currency}
    deal: dict[str, Check] = {
        **deal_id,
        **lead,
        "lead_created_at": calendar_instant,
        **customer,
        "pipeline": text,
        "stage": text,
        **money,
        "cost": amount,
        "lines": lines,
        "new_business": boolean,
        "expected_close_on": day,
        "loss_reason": text,
    }
    survey: dict[str, Check] = {
        "survey_id": identifier,
        "kind": text,
        "score": whole_number,
        "scale_max": whole_number,
        **deal_id,
        **customer,
        "theme": text,
    }
    spend: dict[str, Check] = {"spend_id": identifier, **money, **days}
    expense: dict[str, Check] = {"expense_id": identifier, **money, "category": text, **days}
    recorded: dict[str, Check] = {"measure": measure, "value": amount, "measure_id": identifier}
    of_deal = ("deal_id",)
    rows: tuple[tuple[str, Mapping[str, Check], tuple[str, ...], Finish | None], ...] = (
        ("crm.lead.created.v1", lead, ("lead_id",), None),
        ("crm.lead.updated.v1", lead, ("lead_id",), None),
        ("crm.lead.deleted.v1", lead, ("lead_id",), None),
        ("crm.deal.created.v1", deal, of_deal, None),
        ("crm.deal.updated.v1", deal, of_deal, None),
        ("crm.deal.stage_changed.v1", deal, ("deal_id", "stage"), None),
        ("crm.deal.won.v1", deal, of_deal, None),
        ("crm.deal.lost.v1", deal, of_deal, None),
        ("crm.deal.reopened.v1", deal, of_deal, None),
        ("crm.deal.deleted.v1", deal_id, of_deal, None),
        ("crm.survey.submitted.v1", survey, ("survey_id", "kind", "score"), _survey),
        ("crm.spend.recorded.v1", spend, ("spend_id", "amount"), _spread),
        ("crm.expense.recorded.v1", expense, ("expense_id", "amount"), _spread),
        ("crm.customer.activated.v1", customer, ("customer_id",), None),
        ("crm.customer.churned.v1", customer, ("customer_id",), None),
        ("crm.measure.recorded.v1", recorded, ("measure", "value"), None),
    )
    fields = frozenset().union(*(checks for _, checks, _, _ in rows))
    everywhere: dict[str, Check] = dict.fromkeys(STANDARD_DIMENSIONS, text)
    everywhere |= dict.fromkeys(sorted(dimensions - fields), text)
    return {
        name: Shape(int(EVENT_TYPE_BY_NAME[name]), {**checks, **everywhere}, required, finish)
        for name, checks, required, finish in rows
    }
