"""Rule 4: visits of stages, where they lead, and what is stuck."""

from tests.domain.stories import Story, pipeline

TWO = {
    "new": pipeline("new", "qualified", "proposal", "negotiation"),
    "renewal": pipeline("renewal", "negotiation", "proposal"),
}


def test_another_stage_ends_the_visit_and_starts_the_next():
    story = Story().tell("deal.created", "02 10:00", stage="qualified")
    story.tell("deal.stage_changed", "04 10:00", stage="proposal")
    assert story.days("stage_entered", "stage", "qualified") == {"02": 1}
    assert story.days("stage_left", "stage", "qualified") == {"04": 1}
    assert story.days("dwell_seconds", "stage", "qualified") == {"04": 2 * 86_400}
    assert story.days("stage_entered", "stage", "proposal") == {"04": 1}


def test_whichever_event_carries_the_stage():
    story = Story().tell("deal.created", "02 10:00", stage="qualified")
    story.tell("deal.updated", "04 10:00", stage="proposal")
    assert story.days("stage_left", "stage", "qualified") == {"04": 1}


def test_the_same_stage_again_is_the_same_visit():
    story = Story().tell("deal.created", "02 10:00", stage="qualified")
    story.tell("deal.stage_changed", "04 10:00", stage="qualified")
    assert story.days("stage_entered", "stage", "qualified") == {"02": 1}
    assert story.days("stage_left", "stage", "qualified") == {}


def test_a_visit_advanced_when_it_ended_further_down_the_order():
    story = Story().tell("deal.created", "02 10:00", stage="qualified")
    story.tell("deal.stage_changed", "03 10:00", stage="negotiation")
    story.tell("deal.stage_changed", "04 10:00", stage="proposal")
    assert story.members("stage_advanced", "stage") == {"qualified": 1}
    assert story.members("stage_left", "stage") == {"qualified": 1, "negotiation": 1}


def test_winning_ends_the_visit_and_advances_it():
    story = Story().tell("deal.created", "02 10:00", stage="qualified").tell("deal.won", "03 10:00")
    assert story.members("stage_advanced", "stage") == {"qualified": 1}


def test_losing_ends_the_visit_and_does_not_advance_it():
    story = (
        Story().tell("deal.created", "02 10:00", stage="qualified").tell("deal.lost", "03 10:00")
    )
    assert story.members("stage_left", "stage") == {"qualified": 1}
    assert story.members("stage_advanced", "stage") == {}


def test_a_visit_stays_advanced_when_the_win_is_retracted():
    story = Story().tell("deal.created", "02 10:00", stage="qualified").tell("deal.won", "03 10:00")
    story.tell("deal.reopened", "04 10:00")
    assert story.days("stage_advanced", "stage", "qualified") == {"03": 1}


def test_a_stage_in_the_event_of_a_result_is_only_an_attribute():
    story = Story().tell("deal.created", "02 10:00", stage="qualified")
    story.tell("deal.won", "03 10:00", stage="negotiation")
    assert story.members("stage_entered", "stage") == {"qualified": 1}


def test_an_unknown_stage_has_no_place_in_the_order():
    story = Story().tell("deal.created", "02 10:00", stage="limbo")
    story.tell("deal.stage_changed", "03 10:00", stage="proposal")
    story.tell("deal.stage_changed", "04 10:00", stage="limbo")
    assert story.members("stage_left", "stage") == {"limbo": 1, "proposal": 1}
    assert story.members("stage_advanced", "stage") == {}


def test_even_an_unknown_stage_advances_by_winning():
    story = Story().tell("deal.created", "02 10:00", stage="limbo").tell("deal.won", "03 10:00")
    assert story.members("stage_advanced", "stage") == {"limbo": 1}


def test_a_cleared_stage_ends_the_visit_without_advancing_it():
    story = Story().tell("deal.created", "02 10:00", stage="qualified")
    story.tell("deal.updated", "03 10:00", stage=None)
    assert story.members("stage_left", "stage") == {"qualified": 1}
    assert story.members("stage_advanced", "stage") == {}
    assert story.members("still_open", "stage") == {}


def test_dwell_is_in_whole_seconds():
    story = Story().tell("deal.created", "2026-03-02T10:00:00.700", stage="qualified")
    story.tell("deal.won", "2026-03-02T10:00:02.600")
    assert story.days("dwell_seconds", "stage", "qualified") == {"02": 1}


def test_entering_is_credited_to_who_had_the_deal_then_and_leaving_likewise():
    story = Story().tell("deal.created", "02 10:00", stage="qualified", rep="ann")
    story.tell("deal.updated", "03 10:00", rep="bob")
    story.tell("deal.stage_changed", "04 10:00", stage="proposal")
    assert story.members("stage_entered", "rep+stage") == {"ann+qualified": 1, "bob+proposal": 1}
    assert story.members("stage_left", "team+stage") == {"south+qualified": 1}


def test_an_open_deal_is_stuck_where_it_entered_its_current_stage():
    story = Story().tell("deal.created", "02 10:00", stage="qualified", amount="80")
    story.tell("deal.stage_changed", "04 10:00", stage="proposal")
    assert story.days("still_open", "stage", "qualified") == {}
    assert story.days("still_open", "stage", "proposal") == {"04": 1}
    assert story.days("still_open_value/EUR", "stage", "proposal") == {"04": 8_000}


def test_a_closed_deal_is_not_stuck():
    story = (
        Story().tell("deal.created", "02 10:00", stage="qualified").tell("deal.lost", "03 10:00")
    )
    assert story.members("still_open", "stage") == {}


def test_with_several_pipelines_the_stage_names_its_pipeline():
    story = Story(pipelines=TWO).tell("deal.created", "02 10:00", stage="proposal", pipeline="new")
    assert story.members("stage_entered", "stage") == {"new:proposal": 1}


def test_flows_use_the_pipeline_known_last():
    story = Story(pipelines=TWO)
    story.tell("deal.created", "02 10:00", stage="negotiation", pipeline="new")
    story.tell("deal.stage_changed", "03 10:00", stage="proposal")
    assert story.members("stage_advanced", "stage") == {}
    story.tell("deal.updated", "04 10:00", pipeline="renewal")
    assert story.members("stage_entered", "stage") == {
        "renewal:negotiation": 1,
        "renewal:proposal": 1,
    }
    assert story.members("stage_advanced", "stage") == {"renewal:negotiation": 1}


def test_stocks_use_the_pipeline_in_force():
    story = Story(pipelines=TWO).tell("deal.created", "02 10:00", pipeline="new", amount="80")
    story.tell("deal.updated", "04 10:00", pipeline="renewal")
    assert story.days("open_deals", "pipeline", "new") == {"02": 1, "04": -1}
    assert story.days("open_value/EUR", "pipeline", "renewal") == {"04": 8_000}


def test_with_one_pipeline_nothing_is_split_by_pipeline():
    story = Story().tell("deal.created", "02 10:00", pipeline="default")
    assert story.members("open_deals", "pipeline") == {}


def test_an_open_deals_money_is_known_by_stage_so_that_probabilities_can_weigh_it():
    story = Story().tell("deal.created", "02 10:00", stage="qualified", amount="80")
    story.tell("deal.stage_changed", "04 10:00", stage="proposal")
    assert story.days("open_value_staged/EUR/default/qualified") == {"02": 8_000, "04": -8_000}
    assert story.days("open_value_staged/EUR/default/proposal") == {"04": 8_000}


def test_a_later_expected_close_slips():
    story = Story().tell("deal.created", "02 10:00", expected_close_on="20", rep="ann")
    story.tell("deal.updated", "03 10:00", expected_close_on="25")
    assert story.days("slipped_deals") == {"03": 1}
    assert story.members("slipped_deals", "rep") == {"ann": 1}


def test_an_earlier_or_equal_or_first_expected_close_does_not_slip():
    story = Story().tell("deal.created", "02 10:00")
    for hour, close in enumerate(["20", "20", "18"], start=10):
        story.tell("deal.updated", f"03 {hour}:00", expected_close_on=close)
    assert story.days("slipped_deals") == {}


def test_a_cleared_expected_close_is_not_replaced():
    story = Story().tell("deal.created", "02 10:00", expected_close_on="20")
    story.tell("deal.updated", "03 10:00", expected_close_on=None)
    story.tell("deal.updated", "04 10:00", expected_close_on="25")
    assert story.days("slipped_deals") == {}


def test_the_event_of_a_result_does_not_slip():
    story = Story().tell("deal.created", "02 10:00", expected_close_on="20")
    story.tell("deal.lost", "03 10:00", expected_close_on="25")
    assert story.days("slipped_deals") == {}


def test_a_closed_deal_does_not_slip():
    story = Story().tell("deal.created", "02 10:00", expected_close_on="20")
    story.tell("deal.lost", "03 10:00").tell("deal.updated", "04 10:00", expected_close_on="25")
    story.tell("deal.reopened", "05 10:00", expected_close_on="28")
    assert story.days("slipped_deals") == {}


def test_a_slip_under_product_lines_follows_the_lines_known_last():
    story = Story().tell(
        "deal.created", "02 10:00", expected_close_on="20", lines=[("a", "1", None)]
    )
    story.tell("deal.updated", "03 10:00", expected_close_on="25")
    story.tell("deal.updated", "04 10:00", lines=[("b", "1", None), ("c", "2", None)])
    assert story.members("slipped_deals", "product_line") == {"b": 1, "c": 1}


def test_an_open_deal_is_expected_on_its_day():
    story = Story().tell("deal.created", "02 10:00", expected_close_on="20", amount="80")
    assert story.days("closing_value/EUR") == {"20": 8_000}
    story.tell("deal.updated", "03 10:00", expected_close_on="25", stage="proposal")
    assert story.days("closing_value/EUR") == {"25": 8_000}
    assert story.days("closing_value_staged/EUR/default/proposal") == {"25": 8_000}
    assert story.tell("deal.won", "04 10:00").days("closing_value/EUR") == {}
