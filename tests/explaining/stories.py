"""A few events by hand, and what explain makes of them, without any server."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from stream_app.company import Company
from stream_app.config.load import parse_config
from stream_app.config.version import state_version
from stream_app.domain.evaluation import Evaluator
from stream_app.domain.scopes import COMPANY
from stream_app.explaining.adding_up import Explaining
from stream_app.explaining.explanation import Explanation
from stream_app.explaining.question import question, window_asked, windows_of
from stream_app.explaining.span import Span
from stream_app.explaining.trace import Trace
from stream_app.kpis import catalogue

NOW_US = int(datetime(2026, 3, 20, 12, 3, tzinfo=UTC).timestamp()) * 1_000_000
CONFIGURATION = """
business: {timezone: UTC, currency: EUR}
currencies: {USD: {2026-01-01: "0.9", 2026-02-10: "0.8"}, JPY: "0.0061"}
dimensions: [team, rep, product_line]
windows: [hour, day, week, month, 30d]
directory: {reps: {r-1: {name: Ada Example}, r-2: {name: Bo Example}}}
links:
  deal: https://crm.example.org/deals/{own_id}
  //shop: {lead: "https://shop.example.org/leads?id={id}"}
kpis:
  revenue_change: {formula: (revenue - previous(revenue)) / previous(revenue), unit: ratio}
  value_per_day: {formula: revenue / 30, unit: currency}
"""


@dataclass(frozen=True, slots=True)
class Logged:
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


def company(text: str = CONFIGURATION) -> Company:
    config = parse_config(text, "test", Path())
    return Company(config, catalogue(config), state_version(config, 1))


def event(
    kind: str,
    at: str,
    *,
    key: str,
    arrived: str | None = None,
    source: str = "//crm",
    **data: object,
) -> tuple[bytes, bytes, int]:
    """A record; it arrives when it happens, unless said otherwise."""
    body = {
        "specversion": "1.0",
        "id": f"{key}/{kind}/{at}",
        "source": source,
        "type": f"crm.{kind}.v1",
        "time": at,
        "data": data,
    }
    instant = datetime.fromisoformat(arrived or at)
    return key.encode(), msgspec.json.encode(body), int(instant.timestamp() * 1000)


def log(*events: tuple[bytes, bytes, int]) -> list[Logged]:
    return [Logged(n, stamp, key, value) for n, (key, value, stamp) in enumerate(events)]


def explained(
    records: list[Logged],
    kpi: str,
    *,
    window: str = "month",
    start: str | None = "2026-02",
    scope: str = COMPANY,
    of: Company | None = None,
    threads_held: int = 20_000,
) -> Explanation:
    ours = of or company()
    rules = windows_of(ours)
    asked = question(ours, kpi=kpi, window=window, start=start, dimension="company", member=None)
    at_now = Evaluator(ours.catalogue, rules).windows_at(NOW_US)
    found = window_asked(asked, at_now, rules)
    span = Span.of(asked.kpi.formula, found)
    trace = Trace(ours.config, scope, span, found.end_us, threads_held)
    for record in records:
        trace.add(0, record)
    return Explaining(ours.config, rules.calendar).explain(trace, asked.kpi, found)
