"""Imports in the small: a mapping and a CSV as text, the events that come of them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from stream_app.domain.events import Event
from stream_app.intake.directory import Directory
from stream_app.intake.events import EventMaker, Occasion, Outcome, Record
from stream_app.intake.plan import Plan, make_plans, outcomes
from stream_app.intake.pseudonyms import Pseudonyms
from stream_app.wire.cloudevent import Rules, decode

RULES = Rules(
    dimensions=frozenset({"segment"}),
    currencies=frozenset({"USD"}),
    business_currency="EUR",
    measures=frozenset({"defects"}),
    max_future_us=600_000_000,
    retention_us=3652 * 86_400_000_000,
)
BERLIN = ZoneInfo("Europe/Berlin")
NOW_US = 1_795_312_798_000_000  # 2026-11-22T01:59:58Z
GENERATION_MS = NOW_US // 1000
KEY = b"k" * 32

DEALS = """
source: //crm/sales
identity: id
opaque: [rep]
events:
  - type: crm.deal.created.v1
    time: created
    data: {rep: rep, product_line: product}
  - type: crm.deal.won.v1
    when: {status: won}
    time: closed
    data: {amount: amount}
  - type: crm.deal.lost.v1
    when: {status: lost}
    time: closed
"""
DEALS_HEADER = "id,rep,product,created,status,closed,amount\n"


@dataclass
class Folder:
    """A folder with a mapping and a CSV file, and imports of them."""

    path: Path

    def write(self, name: str, text: str | bytes) -> Path:
        file = self.path / name
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file

    def plan(self, mapping: str, rows: str | bytes, zone: ZoneInfo = BERLIN) -> Plan:
        (plan,) = make_plans(
            self.write("mapping.yaml", mapping), [self.write("rows.csv", rows)], RULES, zone
        )
        return plan

    def maker(self, plan: Plan, directory: Directory | None = None, **occasion: Any) -> EventMaker:
        directory = directory or Directory(self.path / "directory.yaml")
        return EventMaker(
            mapping=plan.mapping,
            lookup=plan.lookup,
            rules=RULES,
            occasion=Occasion(
                **({"now_us": NOW_US, "generation_ms": GENERATION_MS} | occasion),
            ),
            pseudonyms=Pseudonyms(KEY, directory),
            directory=directory,
        )

    def outcomes(self, mapping: str, rows: str | bytes, **options: Any) -> list[Outcome]:
        plan = self.plan(mapping, rows, options.pop("zone", BERLIN))
        with plan.open() as opened:
            return list(outcomes(self.maker(plan, **options), opened, 0))

    def records(self, mapping: str, rows: str | bytes, **options: Any) -> list[Record]:
        made = self.outcomes(mapping, rows, **options)
        assert [o.refused for o in made if o.refused is not None] == []
        return [record for outcome in made for record in outcome.records]

    def values(self, mapping: str, rows: str | bytes, **options: Any) -> list[dict[str, Any]]:
        return [msgspec.json.decode(r.value) for r in self.records(mapping, rows, **options)]

    def data(self, mapping: str, rows: str | bytes, **options: Any) -> list[dict[str, Any]]:
        return [value["data"] for value in self.values(mapping, rows, **options)]

    def refusals(self, mapping: str, rows: str | bytes, **options: Any) -> list[tuple[int, str]]:
        made = self.outcomes(mapping, rows, **options)
        return [(o.row.line, o.refused) for o in made if o.refused is not None]


def accepted(record: Record) -> Event:
    """The event that the worker reads."""
    event = decode(record.key, record.value, record.timestamp_ms, RULES)
    assert isinstance(event, Event), event
    return event
