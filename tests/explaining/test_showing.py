"""What is printed, whole: the terminal, JSON, CSV."""

import json
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from stream_app.explaining.explanation import Explanation
from stream_app.explaining.links import link
from stream_app.explaining.listing import csv_listing, document
from stream_app.explaining.question import windows_of
from stream_app.explaining.screen import Screen
from tests.explaining.stories import company, event, explained, log

GOLDEN = Path(__file__).parent / "golden"
COMPANY = company()


def story() -> Explanation:
    lead, deal = "crm/lead/1", "crm/deal/2"
    return explained(
        log(
            event("lead.created", "2026-02-01T08:00:00Z", key=lead, lead_id=lead, rep="r-1"),
            event("deal.created", "2026-02-02T08:00:00Z", key=lead, deal_id=deal, lead_id=lead),
            event(
                "deal.won",
                "2026-02-11T08:00:00Z",
                key=lead,
                deal_id=deal,
                amount="1000",
                currency="USD",
            ),
            event(
                "deal.won",
                "2026-02-12T08:00:00Z",
                key="crm/deal/3",
                deal_id="crm/deal/3",
                amount="250.5",
            ),
            event(
                "deal.updated",
                "2026-02-20T08:00:00Z",
                key=lead,
                arrived="2026-03-03T08:00:00Z",
                deal_id=deal,
                amount="900",
            ),
        ),
        "average_deal_size",
    )


def drawn(explanation: Explanation, limit: int = 20) -> str:
    screen = Screen(
        currency="EUR",
        calendar=windows_of(COMPANY).calendar,
        templates=COMPANY.config.links,
        limit=limit,
        name="",
    )
    console = Console(width=160, no_color=True, highlight=False, force_terminal=False)
    with console.capture() as capture:
        console.print(screen.drawn(explanation))
    return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())


def written(text: str, name: str) -> None:
    """Compare with the golden file; `pytest` never writes it."""
    assert text == (GOLDEN / name).read_text(encoding="utf-8")


def test_the_terminal_says_it_all() -> None:
    written(drawn(story()), "average_deal_size.txt")


def test_the_document_says_it_all() -> None:
    encode = msgspec.json.Encoder(decimal_format="number").encode
    text = msgspec.json.format(encode(document(story(), COMPANY.config.links, "EUR"))).decode()
    written(f"{text}\n", "average_deal_size.json")
    assert json.loads(text)["value"] == 485.25


def test_the_rows_say_it_all() -> None:
    written(csv_listing(story(), COMPANY.config.links), "average_deal_size.csv")


def test_only_so_many_rows_are_drawn_and_the_rest_is_summed() -> None:
    text = drawn(story(), limit=1)
    assert "… 1 more (--limit)" in text
    assert "250.50 EUR" in text


def test_nothing_there_says_so() -> None:
    text = drawn(explained(log(), "win_rate"))
    assert "undefined: a divisor is 0" in text
    assert "nothing counts here" in text


@pytest.mark.parametrize(
    ("source", "kind", "entity", "address"),
    [
        ("//crm", "deal", "crm/deal/5%2F1", "https://crm.example.org/deals/5%2F1"),
        ("//shop", "lead", "a b&c", "https://shop.example.org/leads?id=a%20b%26c"),
        ("//shop", "deal", "9", "https://crm.example.org/deals/9"),
        ("//crm", "lead", "9", None),
    ],
)
def test_a_link_is_made_from_the_nearest_template(
    source: str, kind: str, entity: str, address: str | None
) -> None:
    assert link(COMPANY.config.links, source, kind, entity) == address


def test_what_is_undefined_for_lack_of_what_it_requires_says_so() -> None:
    won = event("deal.won", "2026-02-11T08:00:00Z", key="d", deal_id="d", amount="10")

    lines = drawn(explained(log(won), "cac")).splitlines()

    assert "Spend for each new customer.  (spend / new_customers, only where spend != 0)" in lines
    assert (
        "undefined: a divisor is 0, or there is nothing to compare with, or not spend != 0" in lines
    )
