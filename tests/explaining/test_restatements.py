"""Which events changed a value after it had been counted."""

from datetime import UTC, datetime

import pytest

from stream_app.domain.events import EventType
from stream_app.domain.scopes import scope_key
from stream_app.explaining.explanation import Restated, Shift
from stream_app.explaining.trace import Unit
from tests.explaining.stories import Logged, event, explained, log

CREATED = event(
    "deal.created", "2026-02-03T09:00:00Z", key="crm/deal/7", deal_id="crm/deal/7", rep="r-1"
)
WON = event(
    "deal.won", "2026-02-10T09:00:00Z", key="crm/deal/7", deal_id="crm/deal/7", amount="100.00"
)
UNIT = Unit(b"crm/deal/7", "deal", "crm/deal/7")


def amended(arrived: str) -> tuple[bytes, bytes, int]:
    return event(
        "deal.updated",
        "2026-02-12T09:00:00Z",
        key="crm/deal/7",
        arrived=arrived,
        deal_id="crm/deal/7",
        amount="80.00",
    )


def told(restatement: Restated) -> tuple[int, bool, tuple[Shift, ...]]:
    return restatement.cause.type, restatement.late, restatement.shifts


def test_what_only_adds_restates_nothing() -> None:
    assert explained(log(CREATED, WON), "revenue").restated == 0


@pytest.mark.parametrize(
    ("arrived", "late"), [("2026-02-12T09:00:00Z", False), ("2026-03-01T00:00:00Z", True)]
)
def test_an_amended_amount_is_told_from_and_to(arrived: str, *, late: bool) -> None:
    explanation = explained(log(CREATED, WON, amended(arrived)), "revenue")
    moved = Shift(UNIT, "revenue/EUR", "EUR", 100, 80)
    assert [told(each) for each in explanation.restatements] == [
        (EventType.DEAL_UPDATED, late, (moved,))
    ]


def test_a_win_that_comes_after_the_window_is_late_though_it_only_adds() -> None:
    win = event(
        "deal.won",
        "2026-02-10T09:00:00Z",
        key="crm/deal/7",
        arrived="2026-03-02T10:00:00Z",
        deal_id="crm/deal/7",
        amount="100.00",
    )
    (restatement,) = explained(log(CREATED, win), "revenue").restatements
    assert told(restatement) == (
        EventType.DEAL_WON,
        True,
        (Shift(UNIT, "revenue/EUR", "EUR", 0, 100),),
    )
    assert (restatement.cause.partition, restatement.cause.offset) == (0, 1)


@pytest.mark.parametrize("kind", ["deal.reopened", "deal.deleted"])
def test_a_win_that_is_taken_back_leaves_nothing(kind: str) -> None:
    back = event(kind, "2026-02-20T09:00:00Z", key="crm/deal/7", deal_id="crm/deal/7")
    explanation = explained(log(CREATED, WON, back), "deals_won")
    assert explanation.is_empty
    assert [told(each)[2] for each in explanation.restatements] == [
        (Shift(UNIT, "deals_won", "", 1, 0),)
    ]


def test_a_repeat_restates_nothing() -> None:
    late = [WON[0], WON[1], int(datetime(2026, 3, 2, tzinfo=UTC).timestamp() * 1000)]
    explanation = explained(log(CREATED, WON, (WON[0], WON[1], late[2])), "revenue")
    assert explanation.restated == 0


def test_a_deal_that_closes_is_no_correction_of_the_pipeline() -> None:
    explanation = explained(log(CREATED, WON), "pipeline_deals")
    assert explanation.said.value == 0
    assert explanation.restated == 0


def test_an_event_of_another_window_is_not_told() -> None:
    march = event(
        "deal.won", "2026-03-02T09:00:00Z", key="crm/deal/8", deal_id="crm/deal/8", amount="5"
    )
    explanation = explained(log(CREATED, WON, march), "revenue")
    assert [share.unit for share in explanation.sides[0].parts[0].shares] == [UNIT]
    assert explanation.restated == 0


def test_a_deal_that_changes_hands_leaves_its_old_rep() -> None:
    """The rep is credited as of the win, so the correction dates from before it."""
    other = event(
        "deal.updated",
        "2026-02-05T09:00:00Z",
        key="crm/deal/7",
        arrived="2026-02-14T09:00:00Z",
        deal_id="crm/deal/7",
        rep="r-2",
    )
    records: list[Logged] = log(CREATED, WON, other)
    old = explained(records, "revenue", scope=scope_key(("rep",), ("r-1",)))
    new = explained(records, "revenue", scope=scope_key(("rep",), ("r-2",)))
    assert old.is_empty
    assert [told(each)[2][0].after for each in old.restatements] == [0]
    assert new.said.value == 100
    assert new.restated == 0
