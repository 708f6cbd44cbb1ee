"""Short stories of one thread, and what they count.

Everything happens in March 2026, UTC: `"02 10:00"` is the second of March at ten, and what is
counted on that day stands under `"02"`.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Self
from zoneinfo import ZoneInfo

from stream_app.config.model import Business, Config, Pipeline, Rep, Stage
from stream_app.config.splits import effective_credit
from stream_app.domain.cells import FIVE_MINUTE_BASE, CellSplitter, Deltas, without_zeros
from stream_app.domain.events import EVENT_TYPE_BY_NAME, Event
from stream_app.domain.ledger import ThreadLedger, Verdict
from stream_app.domain.rules import FoldRules
from stream_app.domain.scopes import split_scope

IDS = {
    "lead": ("lead_id", "l1"),
    "deal": ("deal_id", "d1"),
    "survey": ("survey_id", "q1"),
    "spend": ("spend_id", "p1"),
    "expense": ("expense_id", "x1"),
    "customer": ("customer_id", "c1"),
}
TEN_THOUSANDTHS = {"amount", "cost", "value"}
DAYS = {"expected_close_on", "first_day", "last_day"}


def pipeline(name: str, *stages: str) -> Pipeline:
    return Pipeline(
        name=name,
        stages=tuple(Stage(name=stage, probability=Decimal("0.5")) for stage in stages),
    )


def a_config(**changes: Any) -> Config:
    """One pipeline of three stages, dollars at 0.90, and the usual dimensions."""
    dimensions = changes.pop("dimensions", DIMENSIONS)
    credit = effective_credit(dimensions, changes.pop("credit", {}))
    business = Business(
        timezone=ZoneInfo(changes.pop("timezone", "UTC")), currency=changes.pop("currency", "EUR")
    )
    settings: dict[str, Any] = {
        "business": business,
        "currencies": {"USD": ((0, Decimal("0.90")),)},
        "pipelines": {"default": pipeline("default", "qualified", "proposal", "negotiation")},
        "directory": {"ann": Rep(id="ann", team="north"), "bob": Rep(id="bob", team="south")},
    }
    return Config(dimensions=dimensions, credit=credit, **(settings | changes))


DIMENSIONS = (
    ("team",),
    ("rep",),
    ("source",),
    ("technique",),
    ("product_line",),
    ("source", "technique"),
    ("product_line", "rep"),
)


def at(when: str) -> int:
    """`02 10:00` or RFC 3339 without offset, as microseconds."""
    text = f"2026-03-{when}" if when[2:3] == " " else when
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000_000)


def day(when: str) -> int:
    """`02` or a whole date, as an ordinal."""
    return date.fromisoformat(f"2026-03-{when}" if len(when) == 2 else when).toordinal()


def ten_thousandths(text: str) -> int:
    return int(Decimal(text) * 10_000)


def normalised(name: str, value: Any) -> Any:
    """A field as `stream_app.wire` would hand it on."""
    if value is None:
        return None
    if name in TEN_THOUSANDTHS:
        return ten_thousandths(value)
    if name in DAYS:
        return day(value)
    if name == "lead_created_at":
        return at(value)
    if name == "lines":
        return [
            [product, *(None if money is None else ten_thousandths(money) for money in moneys)]
            for product, *moneys in value
        ]
    return value


def event(what: str, when: str, place: int, /, sequence: int | None = None, **data: Any) -> Event:
    """An accepted event; `place` names it."""
    entity = what.partition(".")[0]
    fields = {name: normalised(name, value) for name, value in data.items()}
    if entity in IDS:
        fields.setdefault(*IDS[entity])
    if entity == "survey":
        fields.setdefault("scale_max", 10 if fields["kind"] == "nps" else 5)
    number = int(EVENT_TYPE_BY_NAME[f"crm.{what}.v1"])
    return Event(number, at(when), sequence, "crm", f"{place:04}", f"{place:04}", fields)


class Story:
    """One thread. Its events are told in any order; what it counts is asked at the end."""

    def __init__(self, **config: Any) -> None:
        self.config = a_config(**config)
        self.events: list[Event] = []

    def tell(self, what: str, when: str, /, sequence: int | None = None, **data: Any) -> Self:
        self.events.append(event(what, when, len(self.events), sequence, **data))
        return self

    def cells(self) -> Deltas:
        rules = FoldRules.from_config(self.config)
        ledger = ThreadLedger(rules)
        for each in self.events:
            assert ledger.accept(each) is Verdict.APPLIED
        deltas: Deltas = {}
        CellSplitter(rules).add(deltas, ledger.changes(), 0)
        return without_zeros(deltas)

    def days(self, measure: str, dimension: str = "company", member: str = "all") -> dict[str, int]:
        """Day → what is added on it, for one member."""
        found = {
            bucket: measures[measure]
            for (scope, bucket), measures in self.cells().items()
            if split_scope(scope) == (dimension, member)
            and bucket < FIVE_MINUTE_BASE
            and measure in measures
        }
        return {shown(bucket): value for bucket, value in sorted(found.items())}

    def members(self, measure: str, dimension: str) -> Mapping[str, int]:
        """Member → its sum over all days."""
        sums: dict[str, int] = {}
        for (scope, bucket), measures in self.cells().items():
            name, member = split_scope(scope)
            if name == dimension and bucket < FIVE_MINUTE_BASE and measure in measures:
                sums[member] = sums.get(member, 0) + measures[measure]
        return {member: total for member, total in sums.items() if total}

    def total(self, measure: str) -> int:
        """The company's sum over all days."""
        return sum(self.days(measure).values())


def shown(ordinal: int) -> str:
    text = date.fromordinal(ordinal).isoformat()
    return text.removeprefix("2026-03-")
