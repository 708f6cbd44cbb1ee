"""What the business wants, as data: the validated form of the one YAML file.

The file is contract.md's section 7. Pure: no file access, no environment. `stream_app.config.load`
turns YAML into these types.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import PurePath
from typing import Literal
from zoneinfo import ZoneInfo

Credit = Literal["at_time", "latest"]
Split = tuple[str, ...]
"""What a KPI is split by: one dimension, or several combined; `("company",)` is the whole."""


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
    """A KPI added by the company, or one that overrides a built-in of the same name.

    Attributes:
        requires: a condition without which it is undefined, like `spend != 0`.
    """

    name: str
    formula: str
    unit: str
    better: Literal["higher", "lower"] = "higher"
    title: str = ""
    definition: str = ""
    requires: str | None = None
    dimensions: tuple[Split, ...] | None = None
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """A value from elsewhere, drawn beside the KPI and never alarmed about."""

    value: Decimal
    source: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a KPI should reach; exactly one of at_least, at_most, growth and values_from is set.

    Attributes:
        dimension: the split it is about.
        member: one member, or `*` for each; `all` for the company.
        growth: wanted growth as a ratio (`+10 %` is 0.1), over the same window `over` says.
        values_from: the CSV file of quotas, not looked into here.
        resolve_at: with at_least or at_most, the value at which an alert ends; None: the threshold.
        for_us: how long it must be missed before an alert fires.
        min_sample: a ratio with a smaller denominator is not judged.
        by: the last day on which it is pursued; None: for ever.
        repeat_misses: closed windows missed in a row that make a coaching alert; None: never.
        no_data_us: business time without a value that makes an alert; None: never.
        pace: judged against what is expected by now, on these days; None: not.
    """

    name: str
    kpi: str
    window: str
    dimension: Split = ("company",)
    member: str = "all"
    at_least: Decimal | None = None
    at_most: Decimal | None = None
    growth: Decimal | None = None
    over: Literal["previous", "last_year"] | None = None
    values_from: PurePath | None = None
    resolve_at: Decimal | None = None
    for_us: int = 0
    min_sample: int = 0
    by: date | None = None
    owner: str | None = None
    severity: Literal["info", "warning", "critical"] = "warning"
    repeat_misses: int | None = None
    no_data_us: int | None = None
    pace: Literal["working_days", "calendar_days"] | None = None
    benchmark: Benchmark | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Where people read alerts; at least one way is set. Secrets are named by file, never held."""

    name: str
    slack_webhook_file: PurePath | None = None
    teams_webhook_file: PurePath | None = None
    webhook_url: str | None = None
    webhook_url_file: PurePath | None = None
    email_to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """Who is told. `default` is among the receivers."""

    default: str
    receivers: Mapping[str, Receiver]


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmSource:
    """How one CRM's words become ours.

    Attributes:
        portal: the vendor's id of the account.
        public_url: where the vendor sends to, as it sees it (HubSpot signs it).
        stages: vendor stage → configured stage, `won` or `lost`.
        fields: our field or dimension → vendor property.
        owners: vendor owner id → rep id.
    """

    name: str
    portal: str | None = None
    public_url: str | None = None
    stages: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """An A/B comparison of the members of one dimension (kpis.md).

    Attributes:
        horizon_days: a lead counts as converted when won within so many days.
        random: leads were assigned at random; otherwise the verdict is marked observational.
    """

    name: str
    dimension: str
    control: str
    variants: tuple[str, ...]
    horizon_days: int
    random: bool = False


DEFAULT_DIMENSIONS: tuple[Split, ...] = (
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

DEFAULT_STUCK_AFTER_DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything the business wants.

    Attributes:
        currencies: currency → ((first ordinal day or 0, rate), …) ascending by day; one unit in the
            business currency. The business currency itself is not listed.
        credit: dimension → rule, complete for every known dimension.
        dimensions: the configured splits; a combination is a tuple of several names.
        stuck_after_days: a deal is stuck that entered its stage more than so many days ago.
        directory: rep id → entry.
        silent_sources_us: source → business time without an event that makes an alert.
        poison_stop: `poison: stop` was asked for.
        warnings: what is allowed but probably not meant, each with file and line.
        raw: the document as dictionaries, lists and texts, for sections that no type here covers.
    """

    business: Business
    currencies: Mapping[str, tuple[tuple[int, Decimal], ...]] = field(default_factory=dict)
    pipelines: Mapping[str, Pipeline] = field(default_factory=dict)
    stuck_after_days: int = DEFAULT_STUCK_AFTER_DAYS
    activate_on: Literal["event", "win"] = "event"
    dimensions: tuple[Split, ...] = DEFAULT_DIMENSIONS
    credit: Mapping[str, Credit] = field(default_factory=dict)
    windows: tuple[str, ...] = DEFAULT_WINDOWS
    history: History = History()
    measures: Mapping[str, Measure] = field(default_factory=dict)
    kpis: Mapping[str, CustomKpi] = field(default_factory=dict)
    directory: Mapping[str, Rep] = field(default_factory=dict)
    team_names: Mapping[str, str] = field(default_factory=dict)
    targets: tuple[Target, ...] = ()
    notify: Notify | None = None
    sources: Mapping[str, CrmSource] = field(default_factory=dict)
    links: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    silent_sources_us: Mapping[str, int] = field(default_factory=dict)
    experiments: tuple[Experiment, ...] = ()
    poison_stop: bool = False
    warnings: tuple[str, ...] = field(default=(), compare=False)
    raw: Mapping[str, object] = field(default_factory=dict, compare=False)
