"""Events told by hand, where the simulation would not tell them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import msgspec

from tests.stages.company import Logged, placed

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
"""A Monday."""

_numbers = count(1)
Told = tuple[int, bytes | None, bytes | None]


def us(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000)


def told(kind: str, key: str, at: datetime, *, event_id: str | None = None, **data: Any) -> Told:
    """One event; its record has its time."""
    body = {
        "specversion": "1.0",
        "id": event_id or f"told-{next(_numbers)}",
        "source": "//tests/stages",
        "type": f"crm.{kind}.v1",
        "time": at.isoformat(),
        "data": data,
    }
    return int(at.timestamp() * 1_000), key.encode(), msgspec.json.encode(body)


def lead(name: str, at: datetime, **data: Any) -> Told:
    """A lead appears."""
    return told("lead.created", name, at, lead_id=name, **data)


def won(name: str, at: datetime, amount: str, **data: Any) -> list[Told]:
    """A deal appears, and is won an hour later."""
    return [
        told("deal.created", name, at, deal_id=name, amount=amount, **data),
        told("deal.won", name, at + timedelta(hours=1), deal_id=name),
    ]


def logged(records: Iterable[Told], after: Iterable[Logged] = ()) -> list[Logged]:
    """The records in the log, behind those that are there already."""
    before = [(r.timestamp, r.key, r.value) for r in sorted(after, key=lambda r: r.offset)]
    return list(placed([*before, *records]))[len(before) :]
