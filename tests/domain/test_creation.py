"""Rules 3 and 7: when leads and deals begin, and what a late creation may still say."""

from tests.domain.stories import Story


def test_a_deal_is_created_at_its_first_creation():
    story = Story().tell("deal.created", "03 10:00").tell("deal.created", "05 10:00")
    assert story.days("deals_created") == {"03": 1}


def test_a_deal_without_creation_is_created_at_its_first_event():
    story = Story().tell("deal.stage_changed", "02 10:00", stage="proposal")
    story.tell("deal.won", "04 10:00")
    assert story.days("deals_created") == {"02": 1}


def test_a_deal_without_creation_has_no_known_start():
    story = Story().tell("deal.updated", "02 10:00").tell("deal.won", "04 10:00")
    assert story.days("deals_won") == {"04": 1}
    assert story.days("cycle_deals") == {}


def test_a_creation_after_other_events_is_still_the_creation():
    story = Story().tell("deal.updated", "02 10:00").tell("deal.created", "03 10:00")
    story.tell("deal.won", "04 10:00")
    assert story.days("deals_created") == {"03": 1}
    assert story.days("cycle_seconds") == {"04": 86_400}


def test_a_late_creation_fills_only_what_was_left_unsaid():
    story = Story().tell("deal.updated", "02 10:00", source="web")
    story.tell("deal.created", "03 10:00", source="fair", technique="call")
    assert story.members("deals_created", "source+technique") == {"web+call": 1}


def test_a_late_creation_clears_nothing():
    story = Story().tell("deal.updated", "02 10:00", source="web")
    story.tell("deal.created", "03 10:00", source=None)
    assert story.members("deals_created", "source") == {"web": 1}


def test_what_was_cleared_is_unsaid_and_may_be_filled():
    story = Story().tell("deal.updated", "02 10:00", source="web")
    story.tell("deal.updated", "03 10:00", source=None)
    story.tell("deal.created", "04 10:00", source="fair")
    assert story.members("deals_created", "source") == {"fair": 1}


def test_a_late_creation_enters_its_stage_only_if_none_was_said():
    said = Story().tell("deal.updated", "02 10:00", stage="proposal")
    said.tell("deal.created", "03 10:00", stage="qualified")
    assert said.members("stage_entered", "stage") == {"proposal": 1}
    unsaid = Story().tell("deal.updated", "02 10:00")
    unsaid.tell("deal.created", "03 10:00", stage="qualified")
    assert unsaid.members("stage_entered", "stage") == {"qualified": 1}


def test_a_stage_that_a_result_said_is_said():
    story = (
        Story().tell("deal.lost", "02 10:00", stage="proposal").tell("deal.reopened", "03 10:00")
    )
    story.tell("deal.created", "04 10:00", stage="qualified")
    assert story.members("stage_entered", "stage") == {}


def test_a_second_creation_fills_like_a_late_one():
    story = Story().tell("deal.created", "02 10:00", source="web")
    story.tell("deal.created", "03 10:00", source="fair", amount="10").tell("deal.won", "04 10:00")
    assert story.members("deals_won", "source") == {"web": 1}
    assert story.days("revenue/EUR") == {"04": 1_000}


def test_a_lead_counts_once_at_its_first_creation():
    story = Story().tell("lead.created", "02 10:00").tell("lead.created", "03 10:00")
    assert story.days("leads") == {"02": 1}


def test_an_update_alone_is_no_lead():
    assert Story().tell("lead.updated", "02 10:00", source="web").days("leads") == {}


def test_two_leads_of_a_thread_are_two():
    story = Story().tell("lead.created", "02 10:00").tell("lead.created", "02 11:00", lead_id="l2")
    assert story.days("leads") == {"02": 2}


def test_a_deleted_lead_counts_nothing():
    story = Story().tell("lead.created", "01 10:00").tell("lead.deleted", "05 10:00")
    story.tell("deal.created", "02 10:00").tell("deal.won", "03 10:00")
    assert story.days("leads") == {}
    assert story.days("conversions") == {}
    assert story.days("leads_converted") == {}
    assert story.days("deals_won") == {"03": 1}


def test_a_deleted_lead_still_starts_its_deals_cycle():
    story = Story().tell("lead.created", "01 10:00").tell("lead.deleted", "02 10:00")
    story.tell("deal.created", "02 12:00").tell("deal.won", "03 10:00")
    assert story.days("cycle_seconds") == {"03": 2 * 86_400}


def test_only_a_later_creation_brings_a_lead_back_with_its_history():
    story = Story().tell("lead.created", "01 10:00").tell("lead.deleted", "02 10:00")
    assert story.tell("lead.updated", "03 10:00").days("leads") == {}
    assert story.tell("lead.created", "04 10:00").days("leads") == {"01": 1}
