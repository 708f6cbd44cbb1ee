"""The simulated company: teams, reps of different skill, channels, techniques, products.

Everything here is a pseudonym or a made-up market term; no person has a name.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, TypeVar

from stream_app.simulate.options import Options

Item = TypeVar("Item")

PIPELINES: Final = (
    ("default", ("qualified", "proposal", "negotiation")),
    ("enterprise", ("discovery", "pilot", "procurement", "legal")),
    ("renewal", ("review", "offer")),
)
RATES: Final = {
    "EUR": "1",
    "USD": "0.92",
    "GBP": "1.17",
    "CHF": "1.05",
    "SEK": "0.088",
    "PLN": "0.23",
    "JPY": "0.0061",
    "KWD": "3",
}
"""One unit in euros, only to give amounts a plausible size; KPIs use the worker's own rates."""

_TEAMS: Final = ("emea", "amer", "apac", "dach", "nordics", "iberia", "latam", "public")
_REGIONS: Final = (
    *("north", "south", "central", "uk-ie", "us-east", "us-west"),
    *("canada", "brazil", "japan", "anz", "india", "gulf"),
)
LOSS_REASONS: Final = ("price", "competitor", "no-budget", "timing", "no-decision", "feature-gap")
THEMES: Final = ("onboarding", "support", "price", "reliability", "usability")
EXPENSES: Final = (("payroll", 0.30), ("rent", 0.04), ("tools", 0.03))
"""Expense categories and their size as a share of the expected revenue."""


@dataclass(frozen=True, slots=True)
class Rep:
    """A sales rep: `skill` multiplies the odds of winning, `pace` the length of the cycle."""

    id: str
    team: str
    regions: tuple[str, ...]
    skill: float
    pace: float


@dataclass(frozen=True, slots=True)
class Channel:
    """A lead source: how many leads it brings, how good they are, what one costs (euros)."""

    source: str
    weight: float
    quality: float
    lead_cost: float
    campaigns: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Technique:
    """A way of selling: how often it is used, and what it does to the odds of winning."""

    name: str
    weight: float
    effect: float


@dataclass(frozen=True, slots=True)
class Product:
    """A product line and its median price in euros."""

    name: str
    weight: float
    price: float


CHANNELS: Final = (
    Channel("web", 0.38, 0.9, 42.0, ("search-brand", "search-generic", None)),
    Channel("referral", 0.14, 1.7, 15.0, (None,)),
    Channel("event", 0.14, 1.2, 160.0, ("spring-fair", "roadshow", None)),
    Channel("cold-outreach", 0.22, 0.6, 55.0, ("outbound-a", "outbound-b")),
    Channel("partner", 0.08, 1.4, 30.0, (None,)),
    Channel("social", 0.04, 0.7, 48.0, ("social-video", None)),
)
TECHNIQUES: Final = (
    Technique("cold-call", 0.24, 0.75),
    Technique("free-trial", 0.26, 1.35),
    Technique("script-a", 0.20, 0.95),
    Technique("script-b", 0.18, 1.05),
    Technique("product-demo", 0.12, 1.2),
)
PRODUCTS: Final = (
    Product("core", 0.46, 4_200.0),
    Product("analytics", 0.24, 7_800.0),
    Product("support", 0.18, 1_500.0),
    Product("hardware", 0.12, 2_600.0),
)


@dataclass(frozen=True, slots=True)
class Company:
    """Who and what exists. The tuples are wheels: picking a slot at random obeys the weights."""

    reps: tuple[Rep, ...]
    channels: tuple[Channel, ...]
    techniques: tuple[Technique, ...]
    products: tuple[Product, ...]
    pipelines: tuple[tuple[str, tuple[str, ...]], ...]
    currencies: tuple[str, ...]

    @classmethod
    def founded(cls, options: Options) -> "Company":
        """Return the company of these options; the seed decides who is good at selling."""
        rng = Random(f"{options.seed}/company")  # noqa: S311 - reproducible on purpose
        reps = []
        for number in range(options.reps):
            team = number % options.teams
            name = _TEAMS[team] if team < len(_TEAMS) else f"team-{team + 1:02d}"
            regions = tuple(_REGIONS[(team * 3 + k) % len(_REGIONS)] for k in range(3))
            skill = rng.lognormvariate(0.0, 0.35)
            pace = rng.lognormvariate(0.0, 0.2)
            reps.append(Rep(f"r-{number + 1:02d}", name, regions, skill, pace))
        business, *foreign = options.currencies
        wheel = (business,) * 2 + tuple(foreign) if foreign else (business,)
        return cls(
            reps=tuple(reps),
            channels=_wheel(CHANNELS, [channel.weight for channel in CHANNELS]),
            techniques=_wheel(TECHNIQUES, [technique.weight for technique in TECHNIQUES]),
            products=_wheel(PRODUCTS, [product.weight for product in PRODUCTS]),
            pipelines=PIPELINES[: options.pipelines],
            currencies=wheel,
        )


def _wheel(items: Sequence[Item], weights: Sequence[float]) -> tuple[Item, ...]:
    """Return 50 slots, each item in as many as its weight deserves (weights sum to 1)."""
    return tuple(
        item for item, weight in zip(items, weights, strict=True) for _ in range(round(50 * weight))
    )


def matching_configuration(options: Options) -> dict[str, object]:
    """Return a worker configuration (the YAML file's content) under which nothing good is refused.

    It declares the pipelines, currencies and measures the simulation uses, and the reps' teams.
    """
    business, *foreign = options.currencies
    pipelines = {
        name: {
            "stages": [
                {"name": stage, "probability": round((place + 1) / (len(stages) + 1), 2)}
                for place, stage in enumerate(stages)
            ]
        }
        for name, stages in PIPELINES[: options.pipelines]
    }
    reps = {rep.id: {"team": rep.team} for rep in Company.founded(options).reps}
    return {
        "business": {"timezone": "Europe/Berlin", "currency": business},
        "currencies": {code: RATES.get(code, "1") for code in foreign},
        "pipelines": pipelines,
        "measures": {name: {"unit": "count"} for name in options.measures},
        "directory": {"reps": reps},
    }
