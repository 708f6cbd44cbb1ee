from collections import Counter, defaultdict
from decimal import Decimal
from typing import Any

import pytest

from stream_app.simulate import simulate
from tests.simulate.reading import EVERYTHING, accepted, instant_ms, options

Events = list[dict[str, Any]]


@pytest.fixture(scope="module")
def events() -> Events:
    clean = {**EVERYTHING, "duplicates": 0, "disorder": 0, "bad": 0, "corrections": 0}
    return accepted(simulate(options(**{**clean, "events": 12_000, "days": 180})))


def of_type(events: Events, name: str) -> Events:
    return [event for event in events if event["type"] == f"crm.{name}.v1"]


def test_most_happens_in_working_hours(events: Events) -> None:
    def is_working(event: dict[str, Any]) -> bool:
        day, hour = divmod(instant_ms(event["time"]) // 3_600_000, 24)
        return (day + 3) % 7 < 5 and 7 <= hour < 18

    assert sum(map(is_working, events)) / len(events) > 0.8


def test_most_deals_live_in_their_lead_s_thread_and_some_name_it(events: Events) -> None:
    leads = {e["data"]["lead_id"]: e for e in of_type(events, "lead.created")}
    opened = of_type(events, "deal.created")
    inside = [deal for deal in opened if b":lead:" in deal["key"]]
    apart = [deal for deal in opened if "lead_created_at" in deal["data"]]
    assert len(inside) > 0.8 * len(opened)
    assert apart
    for deal in apart:
        assert deal["key"].decode() == deal["data"]["deal_id"]
        lead = leads[deal["data"]["lead_id"]]
        assert lead["time"] == deal["data"]["lead_created_at"]


def test_everything_about_a_deal_has_one_key(events: Events) -> None:
    keys = defaultdict(set)
    for event in events:
        if event["type"].startswith("crm.deal."):
            keys[event["data"]["deal_id"]].add(event["key"])
    assert {len(used) for used in keys.values()} == {1}


def test_cycles_of_won_deals_have_the_median_asked_for() -> None:
    run = options(events=12_000, days=180, cycle_days=14.0)
    began: dict[str, int] = {}
    days = []
    for event in accepted(simulate(run)):
        deal_id = event["data"].get("deal_id")
        if event["type"] == "crm.deal.created.v1":
            began[deal_id] = instant_ms(event["time"])
        elif event["type"] == "crm.deal.won.v1" and deal_id in began:
            days.append((instant_ms(event["time"]) - began[deal_id]) / 86_400_000)
    days.sort()
    assert days[len(days) // 2] == pytest.approx(14.0, rel=0.25)
    assert days[-len(days) // 10] > 2 * days[len(days) // 2]  # a long tail


def test_reps_differ_in_skill(events: Events) -> None:
    rep_of = {}
    won, closed = Counter[str](), Counter[str]()
    for event in events:
        data = event["data"]
        for id_ in (data.get("lead_id"), data.get("deal_id"), event["key"]):
            if id_ and "rep" in data:
                rep_of[id_] = data["rep"]
        if event["type"] in ("crm.deal.won.v1", "crm.deal.lost.v1"):
            rep = rep_of.get(data["deal_id"]) or rep_of.get(event["key"].decode())
            closed[str(rep)] += 1
            won[str(rep)] += event["type"] == "crm.deal.won.v1"
    rates = [won[rep] / closed[rep] for rep in closed if closed[rep] > 30]
    assert max(rates) > 1.3 * min(rates)


def test_amounts_are_decimal_strings_and_sometimes_numbers(events: Events) -> None:
    amounts = [e["data"]["amount"] for e in events if "amount" in e["data"]]
    assert Counter(map(type, amounts))[str] > 0.9 * len(amounts)
    values = [Decimal(str(amount)) for amount in amounts]
    assert any(value.as_tuple().exponent == -4 for value in values)
    assert any(value < 0 for value in values)


def test_lines_cost_and_every_currency_occur(events: Events) -> None:
    opened = of_type(events, "deal.created")
    assert {e["data"].get("currency", "EUR") for e in opened} == set(EVERYTHING["currencies"])
    assert any("lines" in e["data"] and "amount" not in e["data"] for e in opened)
    assert any("lines" in e["data"] and "amount" in e["data"] for e in opened)
    assert 0.2 < sum("cost" in e["data"] for e in opened) / len(opened) < 0.8


def test_lines_can_be_turned_off() -> None:
    assert not any("lines" in e["data"] for e in accepted(simulate(options(lines=False))))


def test_surveys_come_under_the_deal_s_key_and_under_their_own(events: Events) -> None:
    surveys = of_type(events, "survey.submitted")
    with_deal = [e for e in surveys if "deal_id" in e["data"]]
    alone = [e for e in surveys if e["key"].decode() == e["data"]["survey_id"]]
    assert with_deal
    assert alone
    assert len(with_deal) + len(alone) == len(surveys)
    assert {e["data"]["kind"] for e in surveys} == {"nps", "csat"}
    assert {e["data"].get("scale_max") for e in surveys} == {None, 5, 10}


def test_events_of_one_instant_are_ordered_by_sequence_or_by_type(events: Events) -> None:
    assert any("sequence" in e for e in events)
    instants = Counter((e["key"], e["time"]) for e in events if "sequence" not in e)
    assert max(instants.values()) > 1


def test_threads_stay_far_below_the_limit() -> None:
    run = options(events=30_000, corrections=0.2, duplicates=0.3)
    per_thread = Counter(e["key"] for e in accepted(simulate(run)))
    assert max(per_thread.values()) < 100


def test_every_pipeline_asked_for_is_used(events: Events) -> None:
    named = {e["data"].get("pipeline") for e in of_type(events, "deal.created")}
    assert named == {"default", "enterprise", "renewal"}


def test_spend_names_channels_that_bring_leads(events: Events) -> None:
    paid = {e["data"]["source"] for e in of_type(events, "spend.recorded")}
    assert paid >= {e["data"].get("source") for e in of_type(events, "lead.created")} - {None}


def test_bookings_stay_a_small_share_of_a_small_run() -> None:
    simulation = simulate(options(events=200, days=365))
    list(simulation)
    booked = sum(
        simulation.manifest.types.get(f"crm.{k}.recorded.v1", 0) for k in ("spend", "expense")
    )
    assert booked < 40


def test_no_event_is_about_a_person(events: Events) -> None:
    text = " ".join(str(event) for event in events)
    assert "@" not in text
    assert {e["data"]["rep"][:2] for e in events if "rep" in e["data"]} == {"r-"}
