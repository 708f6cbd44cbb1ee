"""A small company and what it published, by hand."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from stream_app.company import Company
from stream_app.config.load import parse_config
from stream_app.domain.calendar import BusinessCalendar
from stream_app.domain.catalogue import Catalogue
from stream_app.domain.period import first_day
from stream_app.domain.windows import WindowRules
from stream_app.kpis import catalogue
from stream_app.reports.archive import Archive
from stream_app.reports.choice import Choice

CONFIGURATION = """
business: {timezone: Europe/Berlin, currency: EUR}
dimensions: [team, rep, source]
pipelines:
  default: {stages: [{name: offer, probability: 0.4}, {name: contract, probability: 0.8}]}
directory:
  reps:
    r-1: {name: Ada Example, team: t-1}
    r-2: {name: "Bo <b>Example</b>", team: t-1}
    r-3: {name: Cy Example, team: t-1}
  teams: {t-1: {name: North}}
targets:
  - {name: quota, kpi: revenue, window: month, dimension: rep, at_least: 500, by: 2027-01-01}
"""
KPIS = (
    "revenue",
    "average_deal_size",
    "deals_won",
    "win_rate",
    "sales_cycle",
    "pipeline_value",
    "stage_conversion",
    "stage_dwell",
    "nps",
)
"""The part of the catalogue that is looked at here: golden files must not change with the rest."""


def company(more: str = "") -> Company:
    config = parse_config(CONFIGURATION + more, "test", Path())
    whole = catalogue(config)
    part = Catalogue((kpi for kpi in whole.kpis if kpi.name in KPIS), whole.configured)
    return Company(config, part, "v")


COMPANY = company()
RULES = WindowRules.from_config(COMPANY.config, BusinessCalendar(COMPANY.config.business.timezone))


def record(
    kpi: str,
    month: str,
    value: float | None,
    *,
    dimension: str = "company",
    member: str = "all",
    complete: bool = True,
    numerator: float | None = None,
    denominator: float | None = None,
    previous: float | None = None,
    targets: Iterable[dict[str, object]] = (),
    revision: int = 1,
) -> tuple[bytes, bytes]:
    window = RULES.closed_window("month", first_day("month", month, RULES))
    unit = next(k.definition.unit for k in COMPANY.catalogue.kpis if k.name == kpi)
    body: dict[str, Any] = {
        "v": 1,
        "kpi": kpi,
        "window": "month",
        "start": window.start,
        "end": window.end,
        "complete": complete,
        "dimension": dimension,
        "member": member,
        "value": value,
        "unit": unit,
        "numerator": numerator,
        "denominator": denominator,
        "previous": previous,
        "targets": list(targets),
        "event_time": "2026-04-02T08:00:00Z",
        "published_at": "2026-04-02T08:00:01.000Z",
        "revision": revision,
    }
    return f"{kpi}|month|{window.start}|{dimension}|{member}".encode(), msgspec.json.encode(body)


def rep(kpi: str, member: str, value: float | None, **more: Any) -> tuple[bytes, bytes]:
    return record(kpi, "2026-03", value, dimension="rep", member=member, **more)


def stage(dimension: str, member: str, value: float, n: int) -> tuple[bytes, bytes]:
    return record(
        "stage_conversion", "2026-03", value, dimension=dimension, member=member, denominator=n
    )


QUOTA = {"name": "quota", "value": 500, "attainment": 1.2, "state": "achieved"}
MISSED = {"name": "quota", "value": 500, "attainment": 0.5, "state": "firing"}


def published() -> list[tuple[bytes, bytes]]:
    """Three months of a company of three reps; April still runs."""
    return [
        record("revenue", "2026-01", 400),
        record("revenue", "2026-02", 600, previous=400),
        record("revenue", "2026-03", 900, previous=600, targets=[QUOTA | {"value": 750}]),
        record("revenue", "2026-04", 50, previous=30, complete=False),
        record("average_deal_size", "2026-03", 90, numerator=900, denominator=10, previous=100),
        record("deals_won", "2026-02", 6),
        record("deals_won", "2026-03", 10, previous=6),
        record("win_rate", "2026-02", 0.3, numerator=6, denominator=20),
        record("win_rate", "2026-03", 0.25, numerator=10, denominator=40, previous=0.3),
        record("sales_cycle", "2026-03", None, denominator=0),
        record("pipeline_value", "2026-03", 1500, previous=1500),
        rep("revenue", "r-1", 600, previous=300, targets=[QUOTA]),
        rep("revenue", "r-2", 250, previous=300, targets=[MISSED]),
        rep("revenue", "r-3", 50),
        rep("deals_won", "r-1", 6, previous=3),
        rep("deals_won", "r-2", 3),
        rep("deals_won", "r-3", 1),
        rep("win_rate", "r-1", 0.3, numerator=6, denominator=20),
        rep("win_rate", "r-2", 0.25, numerator=3, denominator=12),
        rep("win_rate", "r-3", 1, numerator=1, denominator=1),
        record("revenue", "2026-03", 900, dimension="source", member="=web & co"),
        stage("stage", "offer", 0.5, 40),
        stage("stage", "contract", 0.8, 30),
        stage("team+stage", "t-1+offer", 0.5, 40),
        stage("team+stage", "t-1+contract", 0.8, 30),
        stage("rep+stage", "r-1+offer", 0.6, 20),
        stage("rep+stage", "r-1+contract", 0.7, 10),
        stage("rep+stage", "r-2+offer", 0.1, 3),
    ]


def archive(records: Iterable[tuple[bytes, bytes | None]] | None = None) -> Archive:
    found = Archive("month")
    for key, value in published() if records is None else records:
        found.take(key, value)
    return found


def choice(**changes: Any) -> Choice:
    start = RULES.closed_window("month", first_day("month", "2026-03", RULES)).start
    return Choice(**{"window": "month", "start": start} | changes)
