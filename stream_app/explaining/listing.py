"""An explanation as rows and documents: JSON and CSV (pure)."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from stream_app.domain.calendar import rfc3339_utc
from stream_app.domain.events import EVENT_TYPE_BY_NAME
from stream_app.domain.scopes import split_scope
from stream_app.explaining.explanation import Explanation, Part, Share
from stream_app.explaining.links import Templates, link, linked_kind
from stream_app.explaining.trace import Cause, Unit
from stream_app.spreadsheet import Cell, csv_text

TYPE_NAMES: Final = {number: name for name, number in EVENT_TYPE_BY_NAME.items()}
_KEY_CHARACTERS_MAX: Final = 512

COLUMNS: Final = (
    "row",
    "side",
    "measure",
    "first",
    "last",
    "kind",
    "id",
    "thread",
    "time",
    "adds",
    "own_amounts",
    "rates",
    "chance",
    "before",
    "after",
    "late",
    "event_type",
    "event_time",
    "event_source",
    "event_id",
    "partition",
    "offset",
    "arrived",
    "link",
)


def entity_id(unit: Unit, cause: Cause) -> str:
    """The id to show: the unit's own, or the deal that made the thread's new customer."""
    return unit.id or cause.deal_id or thread_name(unit)


def thread_name(unit: Unit) -> str:
    """The Kafka key as text."""
    return unit.thread.decode(errors="replace")[:_KEY_CHARACTERS_MAX]


def link_of(unit: Unit, cause: Cause, templates: Templates) -> str | None:
    """Where the CRM shows what a unit is about."""
    return link(templates, cause.source, linked_kind(unit.kind), entity_id(unit, cause))


def arrived(cause: Cause) -> str:
    """When its record was written."""
    return (
        datetime.fromtimestamp(cause.arrived_ms / 1000, UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )


def document(explanation: Explanation, templates: Templates, currency: str) -> dict[str, Any]:
    """Everything, for programs."""
    said, window = explanation.said, explanation.window
    dimension, member = split_scope(explanation.scope)
    definition = explanation.kpi.definition
    return {
        "kpi": definition.name,
        "title": definition.title,
        "definition": definition.definition,
        "formula": definition.formula,
        "requires": definition.requires,
        "unit": definition.unit,
        "currency": currency,
        "window": window.kind,
        "start": window.start,
        "end": window.end,
        "complete": window.complete,
        "dimension": dimension,
        "member": member,
        "value": said.value,
        "numerator": said.numerator,
        "denominator": said.denominator,
        "previous": said.previous,
        "published": explanation.found,
        "differences": list(explanation.differences),
        "sides": [
            {
                "side": side.name,
                "amount": side.amount,
                "parts": [_part_document(part, templates) for part in side.parts],
            }
            for side in explanation.sides
        ],
        "restatements": [
            {
                "event": _cause_document(restatement.cause),
                "late": restatement.late,
                "changes": [
                    {
                        "kind": moved.unit.kind,
                        "id": entity_id(moved.unit, restatement.cause),
                        "thread": thread_name(moved.unit),
                        "measure": moved.measure,
                        "currency": moved.currency or None,
                        "before": moved.before,
                        "after": moved.after,
                    }
                    for moved in restatement.shifts
                ],
            }
            for restatement in explanation.restatements
        ],
        "restatements_in_all": explanation.restated,
        "records_read": explanation.records,
    }


def _part_document(part: Part, templates: Templates) -> dict[str, Any]:
    return {
        "measure": part.measure,
        "how": part.how,
        "first": part.first,
        "last": part.last,
        "total": part.total,
        "rounding": part.rounding,
        "contributions": [
            {
                "kind": share.unit.kind,
                "id": entity_id(share.unit, share.cause),
                "thread": thread_name(share.unit),
                "time": rfc3339_utc(share.at_us),
                "adds": share.adds,
                "own_amounts": {c or "count": amount for c, amount in share.own},
                "rates": {code: str(rate) for code, rate in share.rates},
                "chance": None if share.chance is None else str(share.chance),
                "event": _cause_document(share.cause),
                "link": link_of(share.unit, share.cause, templates),
            }
            for share in part.shares
        ],
    }


def _cause_document(cause: Cause) -> dict[str, Any]:
    return {
        "type": TYPE_NAMES[cause.type],  # type: ignore[index] # an EventType or its number
        "time": rfc3339_utc(cause.time_us),
        "source": cause.source,
        "id": cause.id,
        "partition": cause.partition,
        "offset": cause.offset,
        "arrived": arrived(cause),
    }


def csv_listing(explanation: Explanation, templates: Templates) -> str:
    """One row for each contribution, for what rounding makes, and for each change by an event."""
    return csv_text(COLUMNS, _rows(explanation, templates))


def _rows(explanation: Explanation, templates: Templates) -> Iterator[list[Cell]]:
    for side in explanation.sides:
        for part in side.parts:
            for share in part.shares:
                yield _row("contribution", **_share_cells(side.name, part, share, templates))
            if part.rounding:
                yield _row(
                    "rounding",
                    side=side.name,
                    measure=part.measure,
                    first=part.first,
                    last=part.last,
                    adds=part.rounding,
                )
    for restatement in explanation.restatements:
        for moved in restatement.shifts:
            yield _row(
                "restatement",
                measure=moved.measure,
                kind=moved.unit.kind,
                id=entity_id(moved.unit, restatement.cause),
                thread=thread_name(moved.unit),
                before=moved.before,
                after=moved.after,
                late=restatement.late,
                link=link_of(moved.unit, restatement.cause, templates),
                **_cause_cells(restatement.cause),
            )


def _share_cells(side: str, part: Part, share: Share, templates: Templates) -> dict[str, Cell]:
    return {
        "side": side,
        "measure": part.measure,
        "first": part.first,
        "last": part.last,
        "kind": share.unit.kind,
        "id": entity_id(share.unit, share.cause),
        "thread": thread_name(share.unit),
        "time": rfc3339_utc(share.at_us),
        "adds": share.adds,
        "own_amounts": " ".join(f"{plain(amount)} {c}".strip() for c, amount in share.own),
        "rates": " ".join(f"{code}={rate}" for code, rate in share.rates),
        "chance": share.chance,
        "link": link_of(share.unit, share.cause, templates),
        **_cause_cells(share.cause),
    }


def _cause_cells(cause: Cause) -> dict[str, Cell]:
    return {
        "event_type": TYPE_NAMES[cause.type],  # type: ignore[index] # as above
        "event_time": rfc3339_utc(cause.time_us),
        "event_source": cause.source,
        "event_id": cause.id,
        "partition": cause.partition,
        "offset": cause.offset,
        "arrived": arrived(cause),
    }


def _row(row: str, **cells: Cell) -> list[Cell]:
    return [row, *(cells.get(column) for column in COLUMNS[1:])]


def plain(amount: float | Decimal) -> str:
    """A number without an exponent."""
    return format(amount, "f") if isinstance(amount, Decimal) else str(amount)
