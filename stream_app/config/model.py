"""What the business wants, as data: the validated form of the one YAML file (contract.md, section 7).

Pure: no file access, no environment. `stream_app.config.load` turns YAML into these types.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

Credit = Literal["at_time", "latest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Business:
    """Calendar and currency of the business.

    Attributes:
        week_starts: 0 Monday … 6 Sunday.
        fiscal_year_starts: month 1-12 in which the fiscal year (and its quarters) begins.
        as_of: fixes "now" to the last instant of this business day; None: not fixed.
        clock: where "now" comes from when `as_of` is None: `wall` ticks, or the newest `event`.
        max_future_us: events later than this after their record's timestamp are dead letters.
        retention_us: events earlier than this before their record's timestamp are dead letters.
    """

    timezone: ZoneInfo
    currency: str
    week_starts: int = 0
    fiscal_year_starts: int = 1
    holidays: str | None = None
    as_of: date | None = None
    clock: Literal["wall", "event"] = "wall"
    max_future_us: int = 10 * 60 * 1_000_000
    retention_us: int = 3652 * 86_400 * 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stage of a pipeline; its place in `Pipeline.stages` is its order."""

    name: str
    probability: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """An ordered row of open stages."""

    name: str
    stages: tuple[Stage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A measure the company declared itself, fed by `crm.measure.recorded.v1`."""

    name: str
    unit: str = "count"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomKpi:
    """A KPI added by the company, or one that overrides a built-in of the same name."""

    name: str
    formula: str
    unit: str
    better: Literal["higher", "lower"] = "higher"
    title: str = ""
    definition: str = ""
    dimensions: tuple[tuple[str, ...], ...] | None = None
    windows: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rep:
    """A directory entry: the pseudonym's display name (edge only) and team (counted)."""

    id: str
    name: str | None = None
    team: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """How many closed calendar windows stay readable, besides the current one."""

    day: int = 35
    week: int = 14
    month: int = 25
    quarter: int = 9
    year: int = 6


DEFAULT_DIMENSIONS: tuple[tuple[str, ...], ...] = (
    ("team",),
    ("rep",),
    ("source",),
    ("technique",),
    ("product_line",),
    ("source", "technique"),
)
DEFAULT_WINDOWS: tuple[str, ...] = (
    "hour",
    "day",
    "week",
    "month",
    "quarter",
    "year",
    "30d",
    "90d",
    "365d",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything the business wants.

    Attributes:
        currencies: currency → ((first ordinal day or 0, rate), …) ascending by day; one unit in the
            business currency. The business currency itself is not listed.
        credit: dimension → rule, complete for every known dimension.
        dimensions: the configured splits; a combination is a tuple of several names.
        directory: rep id → entry.
        poison_stop: `poison: stop` was asked for.
        raw: the parsed document, for sections that later code owns (targets, notify, sources …).
    """

    business: Business
    currencies: Mapping[str, tuple[tuple[int, Decimal], ...]] = field(default_factory=dict)
    pipelines: Mapping[str, Pipeline] = field(default_factory=dict)
    activate_on: Literal["event", "win"] = "event"
    dimensions: tuple[tuple[str, ...], ...] = DEFAULT_DIMENSIONS
    credit: Mapping[str, Credit] = field(default_factory=dict)
    windows: tuple[str, ...] = DEFAULT_WINDOWS
    history: History = History()
    measures: Mapping[str, Measure] = field(default_factory=dict)
    kpis: Mapping[str, CustomKpi] = field(default_factory=dict)
    directory: Mapping[str, Rep] = field(default_factory=dict)
    poison_stop: bool = False
    raw: Mapping[str, object] = field(default_factory=dict)
