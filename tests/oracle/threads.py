"""Random configurations and threads, small enough that everything meets everything.

Written over `random.Random`, so that Hypothesis can draw them (`st.randoms`) and a plain loop too.
"""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from stream_app.config.model import Business, Config, Credit, History, Pipeline, Rep, Split, Stage
from stream_app.config.splits import effective_credit
from stream_app.domain.events import Event, EventType
from tests.oracle.reference_terms import first_instant

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US

ZONES = {
    "Europe/Berlin": (date(2025, 3, 30), date(2025, 10, 26)),
    "America/Sao_Paulo": (date(2018, 11, 4), date(2019, 2, 17)),  # midnight skipped, repeated
    "UTC": (date(2024, 2, 29), date(2024, 12, 31)),
    "Asia/Kathmandu": (date(2025, 7, 1), date(2026, 1, 1)),
    "America/Havana": (date(2025, 3, 9), date(2025, 11, 2)),  # midnight skipped, repeated
}
"""Time zones with two days on which something happens to the clock or the calendar."""

SPLITS: list[Split] = [
    ("team",), ("rep",), ("source",), ("technique",), ("product_line",), ("source", "technique"),
    ("product_line", "team"), ("region", "rep"), ("tier",), ("team", "rep", "product_line"),
]  # fmt: skip
DIMENSIONS = ("rep", "team", "source", "technique", "product_line", "region", "tier")
STAGES = ["s1", "s2", "s3", "s9"]  # s9 is in no pipeline


def pipeline(name: str, *stages: str) -> Pipeline:
    return Pipeline(
        name=name,
        stages=tuple(
            Stage(name=stage, probability=Decimal(chance))
            for stage, chance in zip(stages, ("0.5", "0.125", "0.333"), strict=False)
        ),
    )


PIPELINES: list[dict[str, Pipeline]] = [
    {},
    {"default": pipeline("default", "s1", "s2", "s3")},
    {"only": pipeline("only", "s1", "s2", "s3")},
    {"default": pipeline("default", "s1", "s2"), "other": pipeline("other", "s3", "s2", "s1")},
    {"one": pipeline("one", "s1", "s2"), "other": pipeline("other", "s3", "s2", "s1")},
]
DATED = (date(2018, 11, 4), date(2019, 2, 17), date(2025, 3, 30), date(2025, 10, 26))
RATES = {
    "EUR": ((0, Decimal("161.7")),),
    "USD": ((0, Decimal("0.9137")),),
    "JPY": ((0, Decimal("0.00613")),),
    "KWD": tuple((day.toordinal(), Decimal(place) / 7 + 2) for place, day in enumerate(DATED)),
}


def a_config(rnd: Random) -> Config:
    splits = tuple(rnd.sample(SPLITS, rnd.randint(0, 4)))
    names = sorted({name for split in splits for name in split} | {"rep", "team"})
    credits_: list[Credit] = ["at_time", "latest"]
    overrides = {rnd.choice(names): rnd.choice(credits_) for _ in range(rnd.randint(0, 2))}
    currency = rnd.choice(["EUR", "EUR", "JPY"])
    return Config(
        business=Business(
            timezone=ZoneInfo(rnd.choice(sorted(ZONES))),
            currency=currency,
            week_starts=rnd.randint(0, 6),
            fiscal_year_starts=rnd.randint(1, 12),
        ),
        currencies={code: rates for code, rates in RATES.items() if code != currency},
        pipelines=rnd.choice(PIPELINES),
        stuck_after_days=rnd.choice([0, 1, 30]),
        activate_on=rnd.choice(["event", "win"]),
        dimensions=splits,
        credit=effective_credit(splits, overrides),
        history=History(day=rnd.choice([2, 35]), week=3, month=3, quarter=2, year=2),
        windows=("hour", "day", "week", "month", "quarter", "year", "7d", "30d", "90d", "365d"),
        directory=rnd.choice([{}, {"a": Rep(id="a", team="home"), "b+c": Rep(id="b+c")}]),
    )


def instant(rnd: Random, config: Config) -> int:
    """Few enough that events meet, around the days on which the clock changes."""
    zone = config.business.timezone
    start = first_instant(rnd.choice(ZONES[zone.key]), zone)
    days, hours = rnd.choice([0, 0, 0, 0, 1, -1, 30]), rnd.randint(-1, 4)
    more = rnd.choice([0, 0, 0, 0, 1, -1, 1_500_000, 299_999_999])
    return start + days * DAY_US + hours * HOUR_US + more


def an_amount(rnd: Random) -> int:
    return rnd.choice([0, 10_000, -25_000, 12_345, 50, 150, 1_234_567, 33_333])


def a_day(rnd: Random) -> int:
    return rnd.choice(DATED).toordinal() + rnd.randint(-1, 2)


def some_lines(rnd: Random) -> list[list[Any]]:
    def perhaps(value: object) -> object:
        return rnd.choice([value, value, None])

    return [
        [rnd.choice(["a", "x", None]), perhaps(an_amount(rnd)), perhaps(an_amount(rnd))]
        for _ in range(rnd.randint(0, 3))
    ]


Draw = Callable[[Random, Config], Any]


def one_of(*values: object) -> Draw:
    return lambda rnd, _: rnd.choice(values)


MEMBERS: dict[str, Draw] = dict.fromkeys(DIMENSIONS, one_of("a", "b+c"))
MONEY: dict[str, Draw] = {
    "amount": lambda rnd, _: an_amount(rnd),
    "currency": one_of("EUR", "USD", "JPY", "KWD"),
}
DEAL_FIELDS: dict[str, Draw] = {
    **MEMBERS,
    **MONEY,
    "cost": lambda rnd, _: an_amount(rnd),
    "lines": lambda rnd, _: some_lines(rnd),
    "lead_id": one_of("l1", "l2"),
    "lead_created_at": instant,
    "pipeline": lambda rnd, config: rnd.choice([*config.pipelines, "unheard"]),
    "stage": one_of(*STAGES),
    "new_business": lambda rnd, _: rnd.random() < 0.5,
    "expected_close_on": lambda rnd, _: a_day(rnd),
    "loss_reason": one_of("price", "time"),
}


def some_of(rnd: Random, config: Config, fields: dict[str, Draw]) -> dict[str, Any]:
    """Some of the fields, some of those null."""
    share = rnd.choice([0.0, 0.15, 0.3, 0.6])
    chosen = [name for name in fields if rnd.random() < share]
    return {name: fields[name](rnd, config) if rnd.random() < 0.8 else None for name in chosen}


def data_of(rnd: Random, kind: EventType, config: Config) -> dict[str, Any]:
    """The normalised data of an accepted event."""
    if kind <= EventType.LEAD_DELETED:
        return {"lead_id": rnd.choice(["l1", "l1", "l2"]), **some_of(rnd, config, MEMBERS)}
    if kind <= EventType.DEAL_DELETED:
        fields = MEMBERS if kind == EventType.DEAL_DELETED else DEAL_FIELDS
        data = {"deal_id": rnd.choice(["d1", "d1", "d2"]), **some_of(rnd, config, fields)}
        if kind == EventType.DEAL_STAGE_CHANGED:
            data["stage"] = rnd.choice(STAGES)
        return data
    data = some_of(rnd, config, MEMBERS)
    if kind == EventType.SURVEY_SUBMITTED:
        survey, least, most = rnd.choice([("nps", 0, 10), ("csat", 1, 5), ("csat", 1, 10)])
        data |= some_of(rnd, config, {"deal_id": one_of("d1", "d1", "d2", "d3")})
        data |= some_of(rnd, config, {"theme": one_of("price", "speed")})
        data |= {"survey_id": rnd.choice(["q1", "q2"]), "score": rnd.randint(least, most)}
        data |= {"kind": survey, "scale_max": most}
        return data
    if kind in {EventType.CUSTOMER_ACTIVATED, EventType.CUSTOMER_CHURNED}:
        return data | {"customer_id": rnd.choice(["c1", "c1", "c2"])}
    if kind == EventType.MEASURE_RECORDED:
        given: dict[str, Any] = rnd.choice([{}, {"measure_id": None}, {"measure_id": "m1"}])
        return (
            data | given | {"measure": rnd.choice(["defects", "features"]), "value": an_amount(rnd)}
        )
    field = "spend_id" if kind == EventType.SPEND_RECORDED else "expense_id"
    if rnd.random() < 0.5:
        first = a_day(rnd)
        data |= {"first_day": first, "last_day": first + rnd.randint(0, 8)}
    data |= some_of(rnd, config, {"currency": MONEY["currency"]})
    return data | {"amount": an_amount(rnd), field: rnd.choice(["p1", "p2"])}


DEAL_KINDS = [EventType(kind) for kind in range(EventType.DEAL_CREATED, EventType.DEAL_DELETED)]
LEAD_KINDS = [EventType(kind) for kind in range(EventType.LEAD_DELETED + 1)]


def a_thread(rnd: Random, config: Config, most: int = 9) -> list[Event]:
    """The accepted events of one key, in order of arrival."""
    kinds = rnd.choice([[*EventType], DEAL_KINDS, DEAL_KINDS * 2 + LEAD_KINDS * 2 + [*EventType]])
    numbered = rnd.choice([0.0, 0.5, 1.0])
    events = []
    for number in range(rnd.randint(1, most)):
        kind = rnd.choice(kinds)
        event = Event(
            type=int(kind),
            time=instant(rnd, config),
            sequence=rnd.randint(1, 3) if rnd.random() < numbered else None,
            source=rnd.choice(["crm", "web"]),
            id=str(number),
            digest=str(number),
            data=data_of(rnd, kind, config),
        )
        events.append(event)
    return events


def a_now(rnd: Random, config: Config) -> int:
    """Near the events, so that running windows hold some of them."""
    return instant(rnd, config) + rnd.choice([0, 1, 2, 7, 40]) * DAY_US + rnd.randint(0, HOUR_US)


def a_sale(rnd: Random, config: Config, now: int) -> list[Event]:
    """A deal with money shortly before now: what the finest buckets and roundings are about."""
    created = now - rnd.randint(0, 50 * 12) * 300_000_000 - rnd.randint(0, 2) * 1_000_000
    money = {"amount": an_amount(rnd), "currency": rnd.choice(["EUR", "USD", "JPY", "KWD"])}
    data = {"deal_id": "d1", **some_of(rnd, config, MEMBERS), **money}
    events = [Event(EventType.DEAL_CREATED, created, None, "crm", "1", "1", data)]
    if rnd.random() < 0.7:
        kind = rnd.choice([EventType.DEAL_WON, EventType.DEAL_WON, EventType.DEAL_LOST])
        closed = min(now, created + rnd.randint(0, 40) * 60_000_000)
        events.append(Event(kind, closed, None, "crm", "2", "2", {"deal_id": "d1"}))
    return events


def a_log(rnd: Random, config: Config, now: int) -> list[list[Event]]:
    """Some threads of every kind, and some sales around now."""
    anything = [a_thread(rnd, config, rnd.choice([3, 6, 12])) for _ in range(rnd.randint(0, 3))]
    return anything + [a_sale(rnd, config, now) for _ in range(rnd.choice([0, 3, 12]))]
