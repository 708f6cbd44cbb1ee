"""What each unit adds: own money, rates, chances, both windows of a comparison."""

from decimal import Decimal

import pytest

from stream_app.domain.scopes import scope_key
from stream_app.explaining.explanation import Part, Side
from tests.explaining.stories import CONFIGURATION, company, event, explained, log


def deal(number: int, at: str, **data: object) -> tuple[bytes, bytes, int]:
    name = f"crm/deal/{number}"
    return event("deal.won", at, key=name, deal_id=name, **data)


def only(sides: tuple[Side, ...]) -> Part:
    ((part,),) = [side.parts for side in sides]
    return part


def test_foreign_money_is_told_with_the_rate_of_its_day() -> None:
    records = log(
        deal(1, "2026-02-02T09:00:00Z", amount="100", currency="USD"),
        deal(2, "2026-02-20T09:00:00Z", amount="100", currency="USD"),
        deal(3, "2026-02-20T09:00:00Z", amount="1000", currency="JPY"),
    )
    part = only(explained(records, "revenue").sides)
    assert part.total == Decimal("176.10")
    assert [(s.own, s.adds, s.rates) for s in part.shares] == [
        ((("USD", 100),), 90, (("USD", Decimal("0.9")),)),
        ((("USD", 100),), 80, (("USD", Decimal("0.8")),)),
        ((("JPY", 1000),), Decimal("6.10"), (("JPY", Decimal("0.0061")),)),
    ]
    assert part.rounding == 0


def test_rounding_once_a_day_is_told_apart_from_what_deals_add() -> None:
    records = log(*(deal(n, "2026-02-20T09:00:00Z", amount="1", currency="JPY") for n in range(3)))
    part = only(explained(records, "revenue").sides)
    assert [share.adds for share in part.shares] == [Decimal("0.01")] * 3
    assert (part.total, part.rounding) == (Decimal("0.02"), Decimal("-0.01"))


def test_a_comparison_reads_both_windows() -> None:
    records = log(
        deal(1, "2026-01-10T09:00:00Z", amount="100"), deal(2, "2026-02-10T09:00:00Z", amount="150")
    )
    explanation = explained(records, "revenue_change")
    assert explanation.said.value == 0.5
    numerator, denominator = explanation.sides
    assert [(p.first, p.last, p.total) for p in numerator.parts] == [
        ("2026-02-01", "2026-02-28", 150),
        ("2026-01-01", "2026-01-31", 100),
    ]
    assert [(p.first, p.total, len(p.shares)) for p in denominator.parts] == [
        ("2026-01-01", 100, 1)
    ]


def test_a_product_line_gets_only_its_lines() -> None:
    lines = [{"product_line": "a", "amount": "30"}, {"product_line": "b", "amount": "70"}]
    explanation = explained(
        log(deal(1, "2026-02-10T09:00:00Z", lines=lines)),
        "revenue",
        scope=scope_key(("product_line",), ("b",)),
    )
    assert explanation.said.value == 70


def test_what_is_open_at_the_end_is_listed_and_what_closed_before_is_not() -> None:
    def opened(number: int) -> tuple[bytes, bytes, int]:
        name = f"crm/deal/{number}"
        return event("deal.created", "2026-01-05T09:00:00Z", key=name, deal_id=name, amount="50")

    records = log(opened(1), opened(2), deal(2, "2026-02-10T09:00:00Z"))
    part = only(explained(records, "pipeline_value").sides)
    assert [(share.unit.id, share.adds) for share in part.shares] == [("crm/deal/1", 50)]
    assert (part.how, part.total) == ("at the end of", 50)


def test_a_running_day_is_compared_by_five_minutes() -> None:
    text = CONFIGURATION + "  by_day: {formula: deals_won - previous(deals_won), unit: count}\n"
    records = log(
        deal(1, "2026-03-19T09:00:00Z"),
        deal(2, "2026-03-19T13:00:00Z"),
        deal(3, "2026-03-20T09:00:00Z"),
    )
    explanation = explained(records, "by_day", window="day", start=None, of=company(text))
    assert explanation.said.value == 0
    ours, earlier = explanation.sides[0].parts
    assert [share.unit.id for share in ours.shares] == ["crm/deal/3"]
    assert [share.unit.id for share in earlier.shares] == ["crm/deal/1"]
    assert (earlier.first, earlier.last) == ("2026-03-19T00:00+00:00", "2026-03-19T12:05+00:00")


def test_a_median_lists_the_durations_it_is_taken_from() -> None:
    def closed(number: int, days: int) -> list[tuple[bytes, bytes, int]]:
        name = f"crm/deal/{number}"
        created = event("deal.created", "2026-02-01T00:00:00Z", key=name, deal_id=name)
        return [created, deal(number, f"2026-02-{1 + days:02}T00:00:00Z")]

    explanation = explained(log(*closed(1, 2), *closed(2, 9), *closed(3, 4)), "sales_cycle_median")
    part = only(explanation.sides)
    assert (part.measure, part.how, part.total) == ("cycle_seconds", "50 % of those in", None)
    days = [float(share.adds) / 86_400 for share in part.shares]
    assert days == pytest.approx([2, 9, 4], rel=0.01)
    assert float(explanation.said.value or 0) == float(part.shares[2].adds)


def test_weighted_money_is_told_with_its_chance() -> None:
    text = CONFIGURATION + "pipelines: {default: {stages: [{name: offer, probability: 0.4}]}}\n"
    created = event(
        "deal.created",
        "2026-02-01T00:00:00Z",
        key="crm/deal/1",
        deal_id="crm/deal/1",
        stage="offer",
        amount="50",
        currency="USD",
    )
    part = only(explained(log(created), "pipeline_weighted", of=company(text)).sides)
    ((own, adds, rates, chance),) = [(s.own, s.adds, s.rates, s.chance) for s in part.shares]
    assert (own, rates, chance) == ((("USD", 50),), (("USD", Decimal("0.8")),), Decimal("0.4"))
    assert adds == part.total == 16
