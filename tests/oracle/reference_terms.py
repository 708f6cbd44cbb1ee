"""The words of the reference, its calendar and its order of events."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from fractions import Fraction
from functools import cache
from typing import Any

from stream_app.domain.currencies import MINOR_UNIT_EXPONENTS
from stream_app.domain.events import Event, EventType

Data = Mapping[str, Any]
When = int | date
"""An instant in microseconds; a date for what is known to the day only."""
Cell = tuple[str, str]
"""Dimension and member, as `kpi.values` names them: `("source+technique", "web+trial")`."""
Count = tuple[str, str | None]
"""Measure and currency; None where it is no money."""
Cells = dict[Cell, dict[Count, dict[When, int]]]
Credited = Callable[[str], str]
"""Dimension → member."""

UNASSIGNED = "unassigned"
FLOWS_OF_STAGES = {"stage_entered", "stage_left", "stage_advanced", "dwell_seconds"}
BY_STAGE = FLOWS_OF_STAGES | {
    "open_deals", "open_value", "closing_value", "still_open", "still_open_value",
}  # fmt: skip
LEADS = frozenset(range(EventType.LEAD_CREATED, EventType.LEAD_DELETED + 1))
DEALS = frozenset(range(EventType.DEAL_CREATED, EventType.DEAL_DELETED + 1))
CUSTOMERS = frozenset({int(EventType.CUSTOMER_ACTIVATED), int(EventType.CUSTOMER_CHURNED)})

Money = tuple[int, int | None, int]
"""Amount, cost if there is one, and the amount of what has a cost; minor units."""


@cache
def local_day(instant: int, zone: tzinfo) -> date:
    """The business day of an instant."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=instant)
    return moment.astimezone(zone).date()


@cache
def first_instant(day: date, zone: tzinfo) -> int:
    """The first instant of a business day; clocks change at quarters of an hour."""
    noon_before = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=36)
    instant = int(noon_before.timestamp()) * 1_000_000
    while local_day(instant, zone) < day:
        instant += 15 * 60 * 1_000_000
    return instant


def half_even(value: Fraction) -> int:
    return round(value)  # Fraction rounds half to even


def minor(ten_thousandths: int, currency: str) -> int:
    return half_even(Fraction(ten_thousandths * 10 ** MINOR_UNIT_EXPONENTS[currency], 10_000))


def in_order(events: Sequence[Event]) -> list[Event]:
    """Rule 1."""
    unnumbered = {event.time for event in events if event.sequence is None}

    def place(event: Event) -> tuple[int, int, int, str, str]:
        number = 0 if event.time in unnumbered else event.sequence
        assert number is not None
        return (event.time, number, min(event.type, 10), event.source, event.id)

    return sorted(events, key=place)
