"""Rule 5: open, won, lost, reopened, deleted."""

from tests.domain.stories import Story, pipeline


def test_a_win_counts_in_the_bucket_of_the_win():
    story = Story().tell("deal.created", "02 10:00", amount="99.90").tell("deal.won", "04 10:00")
    assert story.days("deals_won") == {"04": 1}
    assert story.days("revenue/EUR") == {"04": 9_990}


def test_a_loss_counts_in_the_bucket_of_the_loss_and_by_its_reason():
    story = Story().tell("deal.created", "02 10:00", amount="99.90")
    story.tell("deal.lost", "04 10:00", loss_reason="price")
    assert story.days("deals_lost") == {"04": 1}
    assert story.days("lost_value/EUR", "loss_reason", "price") == {"04": 9_990}


def test_the_reason_of_a_loss_may_come_later():
    story = Story().tell("deal.lost", "04 10:00")
    assert story.members("deals_lost", "loss_reason") == {"unassigned": 1}
    story.tell("deal.updated", "05 10:00", loss_reason="time")
    assert story.members("deals_lost", "loss_reason") == {"time": 1}


def test_an_open_deal_is_in_stock_from_its_first_event_until_its_result():
    story = Story().tell("deal.created", "02 10:00", amount="50").tell("deal.won", "04 10:00")
    assert story.days("open_deals") == {"02": 1, "04": -1}
    assert story.days("open_value/EUR") == {"02": 5_000, "04": -5_000}


def test_a_win_of_a_won_deal_changes_only_attributes():
    story = Story().tell("deal.won", "02 10:00", amount="50")
    story.tell("deal.won", "04 10:00", amount="70", rep="ann")
    assert story.days("deals_won") == {"02": 1}
    assert story.days("revenue/EUR") == {"02": 7_000}
    assert story.members("deals_won", "rep") == {"unassigned": 1}


def test_a_loss_of_a_lost_deal_changes_only_attributes():
    story = Story().tell("deal.lost", "02 10:00").tell("deal.lost", "04 10:00", loss_reason="time")
    assert story.days("deals_lost", "loss_reason", "time") == {"02": 1}


def test_won_after_lost_replaces_the_result():
    story = Story().tell("deal.lost", "02 10:00").tell("deal.won", "04 10:00")
    assert story.days("deals_lost") == {}
    assert story.days("deals_won") == {"04": 1}


def test_lost_after_won_replaces_the_result():
    story = Story().tell("deal.won", "02 10:00", amount="5").tell("deal.lost", "04 10:00")
    assert story.days("deals_won") == {}
    assert story.days("revenue/EUR") == {}
    assert story.days("lost_value/EUR") == {"04": 500}


def test_between_two_results_the_deal_is_not_open():
    story = Story().tell("deal.created", "01 10:00")
    story.tell("deal.lost", "02 10:00").tell("deal.won", "04 10:00")
    assert story.days("open_deals") == {"01": 1, "02": -1}


def test_reopening_retracts_the_result_where_it_stood():
    story = Story().tell("deal.created", "01 10:00").tell("deal.won", "02 10:00", amount="5")
    story.tell("deal.reopened", "04 10:00")
    assert story.days("deals_won") == {}
    assert story.days("revenue/EUR") == {}


def test_the_time_until_the_reopening_counts_as_closed():
    story = Story().tell("deal.created", "01 10:00").tell("deal.won", "02 10:00")
    story.tell("deal.reopened", "04 10:00")
    assert story.days("open_deals") == {"01": 1, "02": -1, "04": 1}


def test_a_reopened_deal_enters_the_stage_given():
    story = Story().tell("deal.created", "01 10:00", stage="qualified").tell("deal.won", "02 10:00")
    story.tell("deal.reopened", "04 10:00", stage="proposal")
    assert story.days("stage_entered", "stage", "proposal") == {"04": 1}
    assert story.days("still_open", "stage", "proposal") == {"04": 1}


def test_a_reopened_deal_without_a_stage_enters_the_one_it_visited_last():
    story = Story().tell("deal.created", "01 10:00", stage="qualified")
    story.tell("deal.lost", "02 10:00", stage="negotiation").tell("deal.reopened", "04 10:00")
    assert story.days("stage_entered", "stage", "qualified") == {"01": 1, "04": 1}
    assert story.members("still_open", "stage") == {"qualified": 1}


def test_a_deal_that_visited_none_is_reopened_in_no_stage():
    story = Story().tell("deal.lost", "02 10:00").tell("deal.reopened", "04 10:00")
    assert story.days("open_deals") == {"04": 1}
    assert story.members("stage_entered", "stage") == {}


def test_a_later_change_to_a_configured_stage_reopens():
    story = Story().tell("deal.won", "02 10:00")
    story.tell("deal.stage_changed", "04 10:00", stage="proposal")
    assert story.days("deals_won") == {}
    assert story.days("stage_entered", "stage", "proposal") == {"04": 1}


def test_a_change_to_a_stage_that_nobody_configured_does_not_reopen():
    story = Story().tell("deal.won", "02 10:00")
    story.tell("deal.stage_changed", "04 10:00", stage="closedwon")
    assert story.days("deals_won") == {"02": 1}


def test_a_stage_of_another_pipeline_does_not_reopen():
    pipelines = {"default": pipeline("default", "a"), "other": pipeline("other", "b")}
    story = Story(pipelines=pipelines).tell("deal.won", "02 10:00")
    story.tell("deal.stage_changed", "04 10:00", stage="b")
    assert story.days("deals_won") == {"02": 1}
    story.tell("deal.stage_changed", "05 10:00", stage="b", pipeline="other")
    assert story.days("deals_won") == {}


def test_any_other_stage_after_a_result_is_only_an_attribute():
    story = Story().tell("deal.won", "02 10:00").tell("deal.updated", "04 10:00", stage="proposal")
    assert story.days("deals_won") == {"02": 1}
    assert story.members("stage_entered", "stage") == {}


def test_reopening_an_open_deal_changes_only_its_stage():
    story = Story().tell("deal.created", "02 10:00", stage="qualified")
    story.tell("deal.reopened", "04 10:00", stage="proposal")
    assert story.days("open_deals") == {"02": 1}
    assert story.members("stage_advanced", "stage") == {"qualified": 1}


def test_a_deleted_deal_counts_nothing_at_all():
    story = Story().tell("deal.created", "02 10:00", stage="qualified", expected_close_on="20")
    story.tell("deal.stage_changed", "03 10:00", stage="proposal", expected_close_on="25")
    story.tell("deal.won", "04 10:00", amount="5").tell("deal.deleted", "05 10:00")
    assert story.cells() == {}


def test_an_update_does_not_bring_a_deleted_deal_back():
    story = Story().tell("deal.created", "02 10:00").tell("deal.deleted", "05 10:00")
    assert story.tell("deal.won", "06 10:00").cells() == {}


def test_a_later_creation_brings_a_deleted_deal_back_with_its_history():
    story = Story().tell("deal.created", "02 10:00").tell("deal.deleted", "03 10:00")
    story.tell("deal.won", "04 10:00", amount="5").tell("deal.created", "05 10:00")
    assert story.days("deals_created") == {"02": 1}
    assert story.days("open_deals") == {"02": 1, "04": -1}
    assert story.days("revenue/EUR") == {"04": 500}


def test_a_later_reopening_brings_a_deleted_deal_back():
    story = Story().tell("deal.created", "02 10:00").tell("deal.won", "03 10:00")
    story.tell("deal.deleted", "04 10:00").tell("deal.reopened", "05 10:00")
    assert story.days("deals_won") == {}
    assert story.days("open_deals") == {"02": 1, "03": -1, "05": 1}


def test_a_creation_of_the_same_instant_does_not_survive_the_deletion():
    story = Story().tell("deal.deleted", "02 10:00").tell("deal.created", "02 10:00")
    assert story.cells() == {}
